"""A gRPC server of Envoy's external authorization, made with grpcio from the binary's own .proto."""

import concurrent.futures
import importlib
import pathlib
import sys
import tempfile

import grpc
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).parents[2] / "src/gateway/authz/proto/external_auth.proto"
METHOD = "Check"
SERVICE = "envoy.service.auth.v3.Authorization"


def load_messages():
    """The messages as a Python module."""
    folder = tempfile.mkdtemp(prefix="gatehouse-proto-")
    code = protoc.main(["protoc", f"--proto_path={PROTO.parent}", f"--python_out={folder}",
                        str(PROTO)])
    assert code == 0, f"protoc failed with {code}"
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(f"{PROTO.stem}_pb2")
    finally:
        sys.path.remove(folder)


messages = load_messages()


class GrpcAuthorizer:
    """Answers with what `answer`, a function of the CheckRequest and the call's context, returns."""

    def __init__(self, port: int = 0) -> None:
        self.answer = lambda request, context: allow()
        self.requests = []
        self.metadata = []
        handler = grpc.unary_unary_rpc_method_handler(
            self._check, request_deserializer=messages.CheckRequest.FromString,
            response_serializer=lambda m: m if isinstance(m, bytes) else m.SerializeToString())
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=8))
        self.server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
        self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")

    def _check(self, request, context):
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        return self.answer(request, context)

    def __enter__(self) -> "GrpcAuthorizer":
        self.server.start()
        return self

    def __exit__(self, *_) -> None:
        self.server.stop(None).wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def told(self):
        """The HTTP part of the last question."""
        return self.requests[-1].attributes.request.http


def allow(headers=None, **parts):
    """CheckResponse: OK, with headers for the upstream request."""
    ok = messages.OkHttpResponse(headers=options(headers or {}), **parts)
    return messages.CheckResponse(status=messages.Status(code=0), ok_response=ok)


def deny(status=0, headers=None, body="", code=7):
    """CheckResponse: PERMISSION_DENIED, with an answer for the client."""
    denied = messages.DeniedHttpResponse(headers=options(headers or {}), body=body,
                                         status=messages.HttpStatus(code=status))
    return messages.CheckResponse(status=messages.Status(code=code), denied_response=denied)


def options(headers):
    """A dict, or a list of pairs, as HeaderValueOptions."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    return [messages.HeaderValueOption(header=messages.HeaderValue(key=key, value=value))
            for key, value in pairs]
