"""The gateway without the other roles, open to all, and HTTP services for it to forward to."""

import contextlib
import json
import pathlib
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable

import requests
import yaml_text
from deployment import BINARY, Role
from ports import free_port
from upstreams import RawUpstream
from wire import Client, Cut, Seen, Wire

SECONDS = 30


def eventually(condition):
    """What the condition gives, once it is true."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if value := condition():
                return value
        time.sleep(0.02)
    raise AssertionError("this did not come true: " + repr(condition()))


class GatewayAlone:
    """One process, by a configuration file with these routes and a folder with these manifests.

    `settings` are those of `gateway`; one loop unless `threads` says more.
    """

    def __init__(self, folder: pathlib.Path, routes: list[dict] = (), manifests: list[dict] = (),
                 threads: int = 1, tls=None, **settings) -> None:
        self.port, self.operations_port = free_port(), free_port()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self.log = folder / "gateway.log"
        self.config = folder / "gateway.yaml"
        self.threads = threads
        listen = {"address": f"127.0.0.1:{self.port}", **({"tls": tls.settings()} if tls else {})}
        self.settings = {"listen": [listen], "authorizer": {"kind": "none"},
                         "routes": list(routes), **settings}
        if manifests:
            manifest_folder = folder / "manifests"
            manifest_folder.mkdir()
            for i, manifest in enumerate(manifests):
                (manifest_folder / f"{i}.yaml").write_text(yaml_text.dump(manifest))
            self.settings["manifests"] = str(manifest_folder)
        self.write()
        self.role = Role("gateway", ["gateway", "serve", "-c", str(self.config)], self.port,
                         self.log)

    def write(self) -> None:
        self.config.write_text(yaml_text.dump({
            "operations": {"listen": f"127.0.0.1:{self.operations_port}"},
            "threads": self.threads, "gateway": self.settings}))

    def __enter__(self):
        self.role.start()
        # By then its other ports are open too, on all loops.
        eventually(lambda: self.operations("/healthz/ready").status_code == 200)
        return self

    def __exit__(self, *_) -> None:
        code = self.role.stop()
        assert code == 0, self.log.read_text()[-4000:]
        assert "ERROR: " not in self.log.read_text()  # a sanitizer's report

    def hang_up(self) -> None:
        self.role.process.send_signal(signal.SIGHUP)

    def request(self, method: str, path: str, **options) -> requests.Response:
        """By a connection of its own, without the headers that requests adds by itself."""
        options["headers"] = {"Accept-Encoding": None, "User-Agent": None, "Accept": None,
                              **options.get("headers", {})}
        return requests.request(method, self.url + path, timeout=SECONDS, allow_redirects=False,
                                **options)

    def get(self, path: str, **options) -> requests.Response:
        return self.request("GET", path, **options)

    def raw(self, request: bytes) -> bytes:
        """Exactly these bytes; all that comes back until the connection ends."""
        with Client(self.port, request) as client:
            return client.rest()

    def explain(self, method: str, path: str, headers: dict[str, str]) -> dict:
        """What `gatehouse route explain` says of a request."""
        words = [word for name, value in headers.items() for word in
                 ("--header", f"{name}: {value}")]
        done = subprocess.run([BINARY, "route", "explain", "-c", self.config, "--json", *words,
                               method, self.url + path], capture_output=True, text=True,
                              check=False)
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)

    def operations(self, path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.operations_port}{path}", timeout=SECONDS)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the series with these labels."""
        total = 0.0
        for line in self.operations("/metrics").text.splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if not found or found[1] != name:
                continue
            has = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found[2] or ""))
            if all(has.get(key) == value for key, value in labels.items()):
                total += float(found[3])
        return total

    def diagnosis(self) -> dict:
        return self.operations("/ambassador/v0/diag/?json=true").json()

    def cluster(self, service: str) -> dict:
        """What the page of diagnostics says of a service."""
        return next(c for c in self.diagnosis()["clusters"] if c["service"] == service)


def mapping(name: str, prefix: str, service: str, **spec) -> dict:
    """A Mapping for every host."""
    return {"apiVersion": "getambassador.io/v3alpha1", "kind": "Mapping",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"hostname": "*", "prefix": prefix, "service": service, **spec}}


def module(**config) -> dict:
    return {"apiVersion": "getambassador.io/v3alpha1", "kind": "Module",
            "metadata": {"name": "ambassador", "namespace": "default"}, "spec": {"config": config}}


class Request(Seen):
    """A request as a service got it."""

    def get(self, name: str) -> str | None:
        """The value of a field that came once or not at all."""
        values = self.all(name.lower())
        assert len(values) < 2, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None


def answer(body: bytes | str = b"ok", status: str = "200 OK", **fields: str) -> bytes:
    """An HTTP/1.1 answer; the underscores of field names become hyphens."""
    body = body.encode() if isinstance(body, str) else body
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def asking(service: "Service") -> dict:
    """The settings of an authorizer: a service that is asked whether a request may pass."""
    return {"kind": "http", "url": service.url, "allowed_request_headers": ["x-name"],
            "allowed_authorization_headers": ["kubeflow-userid"]}


def allow_by_name(seen: "Request") -> bytes:
    """What an authorizer answers who lets pass whoever says a name."""
    name = seen.get("x-name")
    return answer("", kubeflow_userid=name) if name else answer("no", "403 Forbidden")


class Service(RawUpstream):
    """An HTTP/1.1 service: keeps each request whole in `seen`.

    `answer` is bytes, or a function of the request that gives bytes; None: the connection is cut.
    `script`, if there is one, is given (connection, request) instead, and the connection then ends.
    """

    def __init__(self, reply: bytes | Callable[[Request], bytes | None] | None = None,
                 host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__()
        self.listener.close()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, port), family=family)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self.seen: list[Request] = []
        self.connections = self.closed = 0
        self.open: set[socket.socket] = set()
        self.tls = None  # an ssl.SSLContext
        self.script = None
        self.answer = answer() if reply is None else reply

    def __exit__(self, *_) -> None:
        for one in [self.listener, *self.open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # ends what waits for it
        super().__exit__()
        self.thread.join()

    @property
    def last(self) -> Request:
        return self.seen[-1]

    def _one(self, connection: socket.socket) -> None:
        connection.settimeout(SECONDS)
        with contextlib.suppress(OSError, Cut), connection:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            self.open.add(connection)
            with connection:
                self.connections += 1
                self._talk(connection)
        self.open.discard(connection)
        self.closed += 1

    def _talk(self, connection: socket.socket) -> None:
        wire = Wire(connection)
        while wire.buffer or wire.more():
            request = Request(wire.until(b"\r\n\r\n"))
            request.body = wire.body_of(request.fields) or b""
            self.seen.append(request)
            if self.script:
                return self.script(connection, request)
            reply = self.answer(request) if callable(self.answer) else self.answer
            if reply is None:
                return None
            connection.sendall(reply)
