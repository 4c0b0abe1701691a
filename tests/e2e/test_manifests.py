"""The gateway by Ambassador's manifests alone: `gatehouse gateway serve --manifests DIR --listen …`."""

import contextlib
import http.server
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
import requests
from certificates import make_certificate
from deployment import BINARY, START_SECONDS
from ports import free_port
from upstreams import RawUpstream

MAPPING = """
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {{name: {name}}}
spec:
  hostname: "*"
  prefix: {prefix}
  service: {service}
{more}"""


class Gateway:
    """The gateway role by manifests; `files` are written before it starts."""

    def __init__(self, folder: pathlib.Path, files: dict[str, str], *words: str,
                 with_operations: bool = True) -> None:
        self.folder = folder / "manifests"
        self.folder.mkdir()
        self.log = folder / "gateway.log"
        for name, text in files.items():
            self.write(name, text)
        self.port, self.operations = free_port(), free_port()
        operations = f"127.0.0.1:{self.operations}" if with_operations else ""
        self.url = f"http://127.0.0.1:{self.port}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [BINARY, "gateway", "serve", "--manifests", str(self.folder),
                 "--listen", f"127.0.0.1:{self.port}",
                 "--operations", operations, *words], stderr=log)
        self.wait(lambda: socket.create_connection(("127.0.0.1", self.port), 1).close() or True)

    def write(self, name: str, text: str) -> None:
        fresh = self.folder / f".{name}.new"
        fresh.write_text(text)
        fresh.rename(self.folder / name)

    def wait(self, condition) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(OSError):
                if condition():
                    return
            time.sleep(0.02)
        raise AssertionError("did not come about:\n" + self.log.read_text()[-4000:])

    def get(self, path: str, **options) -> requests.Response:
        return requests.get(self.url + path, timeout=10, allow_redirects=False, **options)

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        assert self.process.wait(60) == 0, self.log.read_text()[-4000:]
        assert "ERROR: " not in self.log.read_text()


@pytest.fixture
def upstream():
    with RawUpstream() as raw:
        yield raw


def mapping(name: str, prefix: str, service: str, **more) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in more.items())
    return MAPPING.format(name=name, prefix=prefix, service=service, more=lines)


def test_a_mapping_alone_is_served_with_working_defaults(tmp_path, upstream):
    with Gateway(tmp_path, {"a.yaml": mapping("a", "/a/", upstream.url)}) as gateway:
        assert gateway.get("/a/b?c=d").text == "ok"
        assert upstream.requests[-1].startswith(b"GET /b?c=d HTTP/1.1\r\n")
        assert gateway.get("/none").status_code == 404


def test_a_wrong_object_is_named_and_left_out_and_the_rest_works(tmp_path, upstream):
    files = {
        "good.yaml": mapping("good", "/good/", upstream.url),
        "bad.yaml": mapping("bad", "/bad/", upstream.url, timeout_ms="soon"),
        "regex.yaml": mapping("regex", "'/r(/'", upstream.url, prefix_regex="true"),
        "torn.yaml": "apiVersion: getambassador.io/v3alpha1\nkind: [Mapping\n",
    }
    with Gateway(tmp_path, files) as gateway:
        assert gateway.get("/good/").status_code == 200
        assert gateway.get("/bad/").status_code == 404
        log = gateway.log.read_text()
        for word in ("bad.yaml", "timeout_ms", "regex.yaml", "torn.yaml"):
            assert word in log, log


def test_changes_take_effect_without_a_dropped_request(tmp_path, upstream):
    with Gateway(tmp_path, {"a.yaml": mapping("a", "/a/", upstream.url)}) as gateway:
        failures = []
        stop = threading.Event()

        def ask() -> None:
            session = requests.Session()
            while not stop.is_set():
                answer = session.get(gateway.url + "/a/", timeout=10)
                if answer.text != "ok":
                    failures.append(answer.status_code)

        asking = [threading.Thread(target=ask) for _ in range(4)]
        for thread in asking:
            thread.start()
        try:
            for i in range(20):
                gateway.write("b.yaml", mapping("b", f"/b{i}/", upstream.url))
                gateway.wait(lambda: gateway.get(f"/b{i}/").status_code == 200)
        finally:
            stop.set()
            for thread in asking:
                thread.join()
        assert failures == []
        assert gateway.get("/b0/").status_code == 404


def test_an_object_that_becomes_wrong_keeps_its_last_good_version(tmp_path, upstream):
    files = {f"{name}.yaml": mapping(name, f"/{name}/", upstream.url) for name in ("a", "b", "c", "d")}
    with Gateway(tmp_path, files) as gateway:
        wrong = {"a.yaml": mapping("a", "/new/", upstream.url, timeout_ms="soon"),
                 "b.yaml": mapping("b", "'/new('", upstream.url, prefix_regex="true"),
                 "c.yaml": "kind: [torn"}
        for name, text in wrong.items():
            gateway.write(name, text)
            gateway.wait(lambda: "stays in force" in lines_of(gateway, name))
        gateway.write("d.yaml", mapping("d", "/moved/", upstream.url))
        gateway.wait(lambda: gateway.get("/moved/").status_code == 200)
        assert [gateway.get(f"/{name}/").status_code for name in "abcd"] == [200, 200, 200, 404]
        assert gateway.get("/new/").status_code == 404
        page = f"http://127.0.0.1:{gateway.operations}/ambassador/v0/diag/?json=true"
        problems = requests.get(page, timeout=10).json()["problems"]
        assert sum("stays in force" in str(problem) for problem in problems) == 3
        for name in ("a", "b", "c"):
            (gateway.folder / f"{name}.yaml").unlink()
            gateway.wait(lambda: gateway.get(f"/{name}/").status_code == 404)


def lines_of(gateway: Gateway, name: str) -> str:
    """What the log says of a file."""
    return "".join(line for line in gateway.log.read_text().splitlines() if name in line)


HOST = """
apiVersion: getambassador.io/v3alpha1
kind: Host
metadata: {name: h}
spec: {hostname: a.example, tlsSecret: {name: s}}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {tls.crt: "-----BEGIN CERTIFICATE-----", tls.key: "-----BEGIN PRIVATE KEY-----"}
"""


OTHER_HOST = """
apiVersion: getambassador.io/v3alpha1
kind: Host
metadata: {name: other}
spec: {hostname: other.example, requestPolicy: {insecure: {action: Route}}}
"""


def test_a_certificate_that_is_none_is_its_host_s_fault_alone(tmp_path, upstream):
    files = {"a.yaml": mapping("a", "/a/", upstream.url), "h.yaml": HOST, "other.yaml": OTHER_HOST}
    with Gateway(tmp_path, files) as gateway:
        assert gateway.get("/a/", headers={"Host": "other.example"}).status_code == 200
        assert gateway.get("/a/", headers={"Host": "a.example"}).status_code == 301
        assert "h.yaml:5:" in gateway.log.read_text() and "tlsSecret" in lines_of(gateway, "h.yaml")


def test_ten_thousand_mappings_are_served_and_reloaded(tmp_path, upstream):
    files = {f"{i}.yaml": "---".join(mapping(f"m-{n}", f"/m-{n}/", upstream.url)
                                     for n in range(i * 1_000, (i + 1) * 1_000)) for i in range(10)}
    with Gateway(tmp_path, files) as gateway:
        assert [gateway.get(f"/m-{n}/").status_code for n in (0, 4_999, 9_999)] == [200] * 3
        gateway.write("9.yaml", mapping("new", "/new/", upstream.url))
        gateway.wait(lambda: gateway.get("/new/").status_code == 200)
        assert [gateway.get(f"/m-{n}/").status_code for n in (0, 8_999, 9_000)] == [200, 200, 404]
        gateway.write("9.yaml", "kind: [torn")
        gateway.wait(lambda: "9.yaml: the last good version stays" in gateway.log.read_text())
        gateway.write("9.yaml", files["9.yaml"])
        gateway.wait(lambda: gateway.get("/new/").status_code == 404)
        assert gateway.get("/m-9999/").status_code == 200


class Judge(http.server.BaseHTTPRequestHandler):
    """An AuthService: lets pass who says the word."""

    def do_GET(self) -> None:
        good = self.headers.get("x-word") == "please"
        self.send_response(200 if good else 403)
        if good:
            self.send_header("x-user", "alice")
        body = b"" if good else b"no word"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


def listening_ports(pid: int) -> set[int]:
    """Of that process: LISTEN is 0A in /proc/net/tcp."""
    own = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            own.add(os.readlink(link))
    lines = [line.split() for family in ("tcp", "tcp6")
             for line in pathlib.Path(f"/proc/{pid}/net/{family}").read_text().splitlines()[1:]]
    return {int(line[1].rsplit(":", 1)[1], 16) for line in lines
            if line[3] == "0A" and f"socket:[{line[9]}]" in own}


@pytest.mark.parametrize("by_file", [False, True], ids=["alone", "against-a-file"])
def test_no_operations_are_served_where_their_address_is_empty(tmp_path, upstream, by_file):
    """By the option, also against the file; and they stay off when the file is read again."""
    words = []
    if by_file:
        config = tmp_path / "gatehouse.yaml"
        config.write_text(f"operations: {{listen: '127.0.0.1:{free_port()}'}}\n"
                          "gateway: {authorizer: {kind: none}}\n")
        words = ["-c", str(config)]
    with Gateway(tmp_path, {"a.yaml": mapping("a", "/a/", upstream.url)}, *words,
                 with_operations=False) as gateway:
        assert listening_ports(gateway.process.pid) == {gateway.port}
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait(lambda: "reloaded in" in gateway.log.read_text())
        assert listening_ports(gateway.process.pid) == {gateway.port}


def test_an_auth_service_names_the_authorizer(tmp_path, upstream):
    judge = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Judge)
    threading.Thread(target=judge.serve_forever, daemon=True).start()
    auth = f"""
apiVersion: getambassador.io/v3alpha1
kind: AuthService
metadata: {{name: auth}}
spec:
  auth_service: 127.0.0.1:{judge.server_address[1]}
  proto: http
  allowed_request_headers: [x-word]
  allowed_authorization_headers: [x-user]
"""
    files = {"auth.yaml": auth, "a.yaml": mapping("a", "/a/", upstream.url),
             "open.yaml": mapping("open", "/open/", upstream.url, bypass_auth="true")}
    with Gateway(tmp_path, files) as gateway:
        denied = gateway.get("/a/")
        assert (denied.status_code, denied.text) == (403, "no word")
        assert gateway.get("/a/", headers={"x-word": "please"}).status_code == 200
        assert b"x-user: alice" in upstream.requests[-1].lower()
        assert gateway.get("/open/").status_code == 200
        judge.shutdown()
        judge.server_close()
        assert gateway.get("/a/", headers={"x-word": "please"}).status_code >= 400


def test_one_address_speaks_tls_and_cleartext(tmp_path, upstream):
    tls = make_certificate(tmp_path, "localhost")
    settings = tls.settings()
    with Gateway(tmp_path, {"a.yaml": mapping("a", "/a/", upstream.url)},
                 "--tls-cert", settings["certificate"], "--tls-key", settings["key"]) as gateway:
        assert gateway.get("/a/").status_code == 200
        secure = requests.get(f"https://localhost:{gateway.port}/a/", verify=str(tls), timeout=10)
        assert secure.status_code == 200
        context = ssl.create_default_context(cafile=str(tls))
        context.set_alpn_protocols(["h2", "http/1.1"])
        with socket.create_connection(("127.0.0.1", gateway.port)) as raw, \
                context.wrap_socket(raw, server_hostname="localhost") as connection:
            assert connection.selected_alpn_protocol() == "h2"
