"""The programs that the bench measures, each pinned, with its CPU and memory."""

import crypt
import http.cookiejar
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests/e2e"))

from ports import free_port  # noqa: E402

BINARY = os.environ.get("GATEHOUSE_BINARY", str(ROOT / "build/release/gatehouse"))
USER, PASSWORD = "bench@example.com", "a password for the bench"
CLIENT_ID, CLIENT_SECRET = "bench", "a secret for the bench"
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: list[int]) -> float:
    """User and system time. schedstat counts in nanoseconds where the kernel has it."""
    total = 0.0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0]) / 1e9
            except FileNotFoundError:
                fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
                total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def resident_kib(pids: list[int]) -> int:
    total = 0
    for pid in pids:
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total


def wait_for(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.005)
    raise SystemExit(f"bench: nothing listens on {port}")


NGINX = """daemon off; master_process off; worker_processes 1; pid {folder}/{name}.pid;
error_log {folder}/{name}.log; events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {folder}/{name}-b; proxy_temp_path {folder}/{name}-p;
fastcgi_temp_path {folder}/{name}-f; scgi_temp_path {folder}/{name}-s; uwsgi_temp_path {folder}/{name}-u;
keepalive_requests 1000000000; {body} }}
"""
UPSTREAM = """server {{ listen 127.0.0.1:{upstream}; default_type text/plain;
location = /check {{ return 200; }} location / {{ return 200 "{kilobyte}"; }} }}"""
POOL = """upstream pool {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
"""
PASS = """proxy_pass http://pool; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $host;"""


class Nginx:
    """An upstream with 1 KB answers, a plain proxy, and one with auth_request to that upstream."""

    def __init__(self, folder: pathlib.Path) -> None:
        ports = {name: free_port() for name in ("upstream", "plain", "auth")}
        self.upstream_url = f"http://127.0.0.1:{ports['upstream']}"
        self.plain_url = f"http://127.0.0.1:{ports['plain']}/pipeline/"
        self.auth_url = f"http://127.0.0.1:{ports['auth']}/pipeline/"
        bodies = {
            "upstream": UPSTREAM.format(kilobyte="x" * 1024, **ports),
            "plain": POOL.format(**ports) + "server { listen 127.0.0.1:%d; location / { %s } }"
                     % (ports["plain"], PASS),
            "auth": POOL.format(**ports)
                    + "server { listen 127.0.0.1:%d; location / { auth_request /check; %s } "
                      "location = /check { internal; %s proxy_pass_request_body off; "
                      'proxy_set_header Content-Length ""; } }' % (ports["auth"], PASS, PASS),
        }
        self.running = {}
        for name, body in bodies.items():
            path = folder / f"{name}.conf"
            path.write_text(NGINX.format(folder=folder, name=name, body=body))
            processor = "1" if name == "upstream" else "0"
            self.running[name] = subprocess.Popen(
                ["taskset", "-c", processor, "nginx", "-c", str(path), "-p", str(folder)],
                stderr=subprocess.DEVNULL)
            wait_for(ports[name])

    def pids(self, name: str) -> list[int]:
        return [self.running[name].pid]

    def __enter__(self) -> "Nginx":
        return self

    def __exit__(self, *_) -> None:
        for process in self.running.values():
            process.terminate()
            process.wait()


class Process:
    """A program pinned to a processor."""

    def __init__(self, words: list, ports: list[int], processor: str = "0") -> None:
        said = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(["taskset", "-c", processor, *map(str, words)],
                                        stdout=subprocess.DEVNULL, stderr=said)
        try:
            for port in ports:
                wait_for(port)
        except SystemExit as failure:
            self.stop()
            said.seek(0)
            raise SystemExit(f"{failure}: {words[0]}: {said.read()}") from None

    def pids(self) -> list[int]:
        return [self.process.pid]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


class Gatehouse:
    """The front door in one process with one event loop, on processor 0. `services`: prefixes and
    where they lead; `authorizer` "none": requests pass unasked; `tls`: certificate and key of a
    second, https listener."""

    def __init__(self, services: dict[str, str] | None = None, authorizer: str = "gatekeeper",
                 tls: tuple[pathlib.Path, pathlib.Path] | None = None) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.http, self.https = free_port(), free_port() if tls else 0
        self.url = f"http://localhost:{self.http}"
        self.address = f"http://127.0.0.1:{self.http}"  # for clients that would try ::1 first
        self.config = pathlib.Path(self.folder.name) / "gatehouse.yaml"
        listen = [{"address": f"127.0.0.1:{self.http}"}]
        if tls:
            listen.append({"address": f"127.0.0.1:{self.https}",
                           "tls": {"certificate": str(tls[0]), "key": str(tls[1])}})
        services = services or {"/": "demo"}
        self.config.write_text(json.dumps({
            "threads": 1,
            "log": {"level": "warning"},
            "store": {"path": f"{self.folder.name}/gatehouse.db"},
            "operations": {"listen": ""},
            "gateway": {
                "listen": listen,
                "access_log": {"form": "off"},
                "authorizer": {"kind": authorizer},
                "limits": {"keep_alive_timeout": "1h", "connections_per_address": 0},
                "routes": [{"prefix": prefix, "service": service}
                           for prefix, service in services.items()]},
            "identity": {
                "issuer": f"{self.url}/dex",
                "clients": [{"id": CLIENT_ID, "secret": CLIENT_SECRET,
                             "redirect_uris": ["http://localhost:9/callback"]}],
                "users": [{"email": USER, "username": "bench", "password_hash": crypt.crypt(
                    PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))}],
                # The least that is allowed: what remains of a login is its own cost.
                "passwords": {"argon2_memory_kib": 8, "argon2_passes": 1}},
        }))
        self.process = None
        self.start()

    def words(self) -> list[str]:
        return [BINARY, "serve", "-c", str(self.config)]

    def start(self) -> None:
        self.process = subprocess.Popen(["taskset", "-c", "0", *self.words()],
                                        stderr=subprocess.DEVNULL)
        wait_for(self.http)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def pids(self) -> list[int]:
        return [self.process.pid]

    def __enter__(self) -> "Gatehouse":
        return self

    def __exit__(self, *_) -> None:
        self.stop()
        self.folder.cleanup()

    def log_in(self) -> str:
        """Through the whole flow; gives "name=value" of the session's cookie."""
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar),
                                             urllib.request.ProxyHandler({}))
        page = opener.open(self.url + "/").geturl()
        form = urllib.parse.urlencode({"login": USER, "password": PASSWORD}).encode()
        opener.open(page, form)
        for cookie in jar:
            if "session" in cookie.name:
                return f"{cookie.name}={cookie.value}"
        raise SystemExit("bench: the login gave no session")


def start_ms(door: Gatehouse) -> float:
    """Ends the door, and times from exec to the first answer of its front port, by busy
    connecting."""
    door.stop()
    begin = time.perf_counter()
    door.process = subprocess.Popen(door.words(), stderr=subprocess.DEVNULL)
    while True:
        try:
            with socket.create_connection(("127.0.0.1", door.http), 1) as client:
                client.sendall(b"GET /dex/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                if client.recv(12) == b"HTTP/1.1 200":
                    return (time.perf_counter() - begin) * 1000
        except OSError:
            pass
