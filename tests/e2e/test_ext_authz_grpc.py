"""The gateway with an authorizer that is a real gRPC server: Envoy's external authorization, v3."""

import socket
import time

import grpc
import pytest
import requests
import yaml_text
from deployment import Role
from grpc_authorizer import GrpcAuthorizer, allow, deny, messages, options
from ports import free_port
from upstreams import RawUpstream

TIMEOUT_MS = 1500


class Gateway:
    """The gateway alone, in front of one upstream."""

    def __init__(self, folder, authorizer_url, upstream_url, **authorizer):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "gateway.log"
        config = folder / "gateway.yaml"
        config.write_text(yaml_text.dump({
            "operations": {"listen": ""},
            "threads": 1,
            "gateway": {
                "listen": [{"address": f"127.0.0.1:{self.port}"}],
                "authorizer": {"kind": "grpc", "url": authorizer_url,
                               "timeout": f"{TIMEOUT_MS}ms", **authorizer},
                "routes": [
                    {"name": "open", "prefix": "/open", "service": upstream_url,
                     "authenticate": False},
                    {"name": "raw", "prefix": "/", "service": upstream_url,
                     "auth_context": [{"name": "tier", "value": "gold"}]},
                ],
            },
        }))
        self.role = Role("gateway", ["gateway", "serve", "-c", str(config)], self.port, self.log)

    def __enter__(self):
        self.role.start()
        return self

    def __exit__(self, *_):
        code = self.role.stop()
        assert code == 0, self.log.read_text()[-4000:]
        assert "ERROR: " not in self.log.read_text()  # a sanitizer's report

    def get(self, path="/", **arguments):
        return requests.get(self.url + path, allow_redirects=False, timeout=30, **arguments)

    def send(self, request: bytes) -> bytes:
        """Bytes that no library would send; all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), 30) as connection:
            connection.settimeout(30)
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer


@pytest.fixture
def authorizer():
    with GrpcAuthorizer() as server:
        yield server


@pytest.fixture
def upstream():
    with RawUpstream() as server:
        yield server


@pytest.fixture
def gateway(authorizer, upstream, tmp_path):
    with Gateway(tmp_path, authorizer.url, upstream.url) as served:
        yield served


def test_an_allowance_names_the_user_to_the_upstream(gateway, authorizer, upstream):
    authorizer.answer = lambda *_: allow({"kubeflow-userid": "alice"})
    answer = gateway.get("/a/b?c=d", headers={"kubeflow-userid": "root", "X-Any": "1"})
    assert (answer.status_code, answer.text) == (200, "ok")
    head = upstream.requests[-1].lower()
    assert b"kubeflow-userid: alice" in head and b"root" not in head
    told = authorizer.told
    assert (told.method, told.path, told.protocol) == ("GET", "/a/b?c=d", "HTTP/1.1")
    assert told.host == f"127.0.0.1:{gateway.port}"
    assert told.headers["x-any"] == "1"
    assert "kubeflow-userid" not in told.headers
    attributes = authorizer.requests[-1].attributes
    assert attributes.source.address.socket_address.address == "127.0.0.1"
    assert abs(attributes.request.time.seconds - time.time()) < 60
    assert dict(attributes.context_extensions) == {"tier": "gold"}


def test_a_denial_goes_to_the_client(gateway, authorizer, upstream):
    authorizer.answer = lambda *_: deny(
        302, [("Location", "https://login.example/"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")],
        "go there")
    answer = gateway.get()
    assert (answer.status_code, answer.text) == (302, "go there")
    assert answer.headers["Location"] == "https://login.example/"
    assert answer.cookies.get_dict() == {"a": "1", "b": "2"}
    assert not upstream.requests


def test_a_denial_without_a_status_is_forbidden(gateway, authorizer):
    authorizer.answer = lambda *_: deny()
    assert gateway.get().status_code == 403


def test_an_open_route_asks_nobody(gateway, authorizer):
    assert gateway.get("/open").status_code == 200
    assert not authorizer.requests


def test_headers_and_query_are_changed_as_the_verdict_says(gateway, authorizer, upstream):
    authorizer.answer = lambda *_: allow(
        headers_to_remove=["x-gone"],
        response_headers_to_add=options({"X-Judged": "yes"}),
        query_parameters_to_set=[messages.QueryParameter(key="user", value="alice")],
        query_parameters_to_remove=["token"])
    answer = gateway.get("/a?token=s&x=1", headers={"X-Gone": "1"})
    assert answer.headers["X-Judged"] == "yes"
    head = upstream.requests[-1]
    assert head.startswith(b"GET /a?x=1&user=alice HTTP/1.1\r\n")
    assert b"x-gone" not in head.lower()


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL,
                                  grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.CANCELLED])
def test_a_failing_call_denies(gateway, authorizer, upstream, code):
    authorizer.answer = lambda _, context: context.abort(code, "not today")
    assert gateway.get().status_code == 503
    assert not upstream.requests


@pytest.mark.parametrize("answer", [b"", b"\xff\xff", b"\x1a\x00", b"\x0a\x00\x12\x00"],
                         ids=["empty", "broken", "no status", "both"])
def test_an_unclear_answer_denies(gateway, authorizer, upstream, answer):
    authorizer.answer = lambda *_: answer
    assert gateway.get().status_code == 503
    assert not upstream.requests


def test_a_slow_authorizer_denies_in_time(gateway, authorizer, upstream):
    def slow(_, context):
        while context.is_active():
            time.sleep(0.01)
        return allow()
    authorizer.answer = slow
    assert gateway.get().status_code == 503
    assert not upstream.requests


def test_no_authorizer_denies(upstream, tmp_path):
    with Gateway(tmp_path, f"http://127.0.0.1:{free_port()}", upstream.url) as gateway:
        assert gateway.get().status_code == 503
    assert not upstream.requests


def test_an_authorizer_that_comes_back_is_asked_again(authorizer, upstream, tmp_path):
    with Gateway(tmp_path, authorizer.url, upstream.url) as gateway:
        assert gateway.get().status_code == 200
        authorizer.server.stop(None).wait()
        assert gateway.get().status_code == 503
        with GrpcAuthorizer(authorizer.port):
            assert gateway.get().status_code == 200


def test_failure_mode_allow_lets_pass_without_identity(upstream, tmp_path):
    dead = f"http://127.0.0.1:{free_port()}"
    with Gateway(tmp_path, dead, upstream.url, failure_mode_allow=True) as gateway:
        answer = gateway.get(headers={"kubeflow-userid": "root", "kubeflow_userid": "root"})
        assert answer.status_code == 200
        log = gateway.log.read_text()
    assert b"userid" not in upstream.requests[-1].lower()
    assert "WITHOUT AUTHENTICATION" in log and "unjudged" in log


ODD = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Odd: \xff\xfe\r\nX-Odd: second\r\n\r\n"


def test_cve_2023_27488_bytes_beyond_ascii_are_told_and_go_on_as_they_are(gateway, authorizer, upstream):
    assert gateway.send(ODD).startswith(b"HTTP/1.1 200 ")
    assert authorizer.told.headers["x-odd"] == "%FF%FE,second"
    assert b"\r\nX-Odd: \xff\xfe\r\nX-Odd: second\r\n" in upstream.requests[-1]


def test_cve_2023_27488_bytes_beyond_ascii_do_not_pass_by_the_authorizer(authorizer, upstream, tmp_path):
    authorizer.answer = lambda *_: deny()
    with Gateway(tmp_path, authorizer.url, upstream.url, failure_mode_allow=True) as gateway:
        assert gateway.send(ODD).startswith(b"HTTP/1.1 403 ")
    assert not upstream.requests


def test_the_body_is_told_and_goes_on_whole(authorizer, upstream, tmp_path):
    bodies = []

    def read_body(connection, head):
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = head.split(b"\r\n\r\n", 1)[1]
        while len(body) < length:
            body += connection.recv(65536)
        bodies.append(body)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    upstream.answer = read_body
    with Gateway(tmp_path, authorizer.url, upstream.url, body_bytes=10,
                 body_may_be_cut=True) as gateway:
        sent = b"0123456789" * 100_000
        assert requests.post(gateway.url, data=sent, timeout=30).status_code == 200
    assert authorizer.told.body == "0123456789"
    assert authorizer.told.headers["x-envoy-auth-partial-body"] == "true"
    assert authorizer.told.size == len(sent)
    assert bodies == [sent]


def test_a_longer_body_is_refused_where_it_may_not_be_cut(authorizer, upstream, tmp_path):
    with Gateway(tmp_path, authorizer.url, upstream.url, body_bytes=10) as gateway:
        assert requests.post(gateway.url, data=b"0" * 11, timeout=30).status_code == 413
        assert requests.post(gateway.url, data=b"0" * 10, timeout=30).status_code == 200
    assert len(authorizer.requests) == 1
    assert authorizer.told.body == "0" * 10
