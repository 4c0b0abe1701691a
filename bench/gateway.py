"""Measures the gateway beside nginx, HAProxy and Envoy, and prints a table for each kind of work.

Called by bench.py as `./dev bench gateway [ROW...]`. In each row the candidates alternate within one
run; a figure is the median of the rounds. CPU is user and system time of the proxy's own process,
which has processor 0 to itself; client and upstream share processor 1.
"""

import contextlib
import pathlib
import re
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

from peers import GIGABYTE, Upstream, certificate, installed
from processes import Gatehouse, Process, cpu_seconds, free_port, resident_kib, start_ms
from reload import reload
from where import print_parts, sample

IDLE_CONNECTIONS = 5_000
HERE = pathlib.Path(__file__).resolve().parent


def on_client(*words: str) -> str:
    """Runs a load generator on the clients' processor and gives what it printed."""
    done = subprocess.run(["taskset", "-c", "1", *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(map(str, words))}:\n{done.stdout}{done.stderr}")
    return done.stdout


def wrk(url: str, seconds: float, *headers: str, redirects: bool = False) -> int:
    words = ["wrk", "-t1", "-c32", f"-d{max(1, int(seconds))}s"]
    for header in headers:
        words += ["-H", header]
    out = on_client(*words, url)
    if "Non-2xx" in out and not redirects:
        raise SystemExit(f"bench: {url}:\n{out}")
    return int(re.search(r"(\d+) requests in", out).group(1))


def h2load(url: str, requests: int, *options: str) -> int:
    out = on_client("h2load", "-t1", "-c8", "-m16", f"-n{requests}", *options, url)
    good = int(re.search(r"(\d+) 2xx", out).group(1))
    if good != requests:
        raise SystemExit(f"bench: {url}: {good} of {requests} answers were good\n{out}")
    return good


class Row:
    """One kind of work. `bar`: what ratio to the candidate `against` is to be reached."""

    def __init__(self, title: str, unit: str, bar: float, against: str, work: str) -> None:
        self.title, self.unit, self.bar, self.against, self.work = title, unit, bar, against, work


ROWS = {
    "plain": Row("plain proxying, HTTP/1.1 keep-alive, 1 KB", "µs a request", 0.9, "nginx", "http"),
    "authenticated": Row("authenticated request, session checked", "µs a request", 0.95, "nginx",
                         "session"),
    "h2c": Row("HTTP/2 in front, cleartext, 8 connections of 16 streams", "µs a request", 0.95,
               "HAProxy", "h2c"),
    "h2": Row("HTTP/2 in front, TLS, 8 connections of 16 streams", "µs a request", 0.95, "HAProxy",
              "h2"),
    "https": Row("HTTPS keep-alive, HTTP/1.1", "µs a request", 0.95, "nginx", "https"),
    "handshake": Row("TLS 1.3 full handshake, P-256, and one request", "µs a handshake", 1.0,
                     "nginx", "handshake"),
    "download": Row("download of 1 GB", "s a GB", 0.9, "Envoy", "download"),
    "upload": Row("upload of 1 GB", "s a GB", 0.9, "Envoy", "upload"),
    "websocket": Row("WebSocket echo of 64 bytes", "µs a message", 0.95, "nginx", "websocket"),
}


class Candidates:
    """All that is measured, running; each on its turn."""

    def __init__(self, folder: pathlib.Path, beside: list | None = None) -> None:
        """`beside`: the peers, all that are installed by default."""
        self.stack = contextlib.ExitStack()
        self.folder = folder
        self.upstream = Upstream(folder)
        self.stack.callback(self.upstream.stop)
        echo_port = free_port()
        self.echo = Process([sys.executable, HERE / "websocket.py", "serve", echo_port],
                            [echo_port], processor="1")
        self.stack.callback(self.echo.stop)
        cert, key = certificate(folder)
        services = {"/echo": f"http://127.0.0.1:{echo_port}",
                    "/": f"http://127.0.0.1:{self.upstream.port}"}
        self.open = self.stack.enter_context(
            Gatehouse(services=services, authorizer="none", tls=(cert, key)))
        self.door = self.stack.enter_context(Gatehouse(services=services))
        self.cookie = f"Cookie: {self.door.log_in()}"
        self.peers = {}
        for peer in installed() if beside is None else beside:
            running = peer(folder, self.upstream.port, echo_port)
            self.stack.callback(running.stop)
            self.peers[peer.name] = running

    def __enter__(self) -> "Candidates":
        return self

    def __exit__(self, *_) -> None:
        self.stack.close()

    def of(self, row: Row) -> dict[str, object]:
        own = self.door if row.work == "session" else self.open
        return {"gatehouse": own, **self.peers}


def load(candidates: Candidates, candidate, row: Row, seconds: float) -> float:
    """Does the work and gives how much of it there was."""
    http, https = candidate.http, candidate.https
    is_own = candidate is candidates.door
    match row.work:
        case "http":
            return wrk(f"http://127.0.0.1:{http}/x", seconds)
        case "session":
            return wrk(f"http://127.0.0.1:{http}/x", seconds, candidates.cookie)
        case "h2c":
            return h2load(f"http://127.0.0.1:{http}/x", int(40_000 * seconds))
        case "h2":
            return h2load(f"https://127.0.0.1:{https}/x", int(40_000 * seconds))
        case "https":
            return wrk(f"https://127.0.0.1:{https}/x", seconds)
        case "handshake":
            return wrk(f"https://127.0.0.1:{https}/x", seconds, "Connection: close")
        case "download":
            on_client("curl", "-sS", "-o", "/dev/null", f"http://127.0.0.1:{http}/gigabyte")
            return GIGABYTE / 1e9 * 1e6
        case "upload":
            on_client("curl", "-sS", "-o", "/dev/null", "-H", "Expect:", "-T",
                      candidates.folder / "large/gigabyte", f"http://127.0.0.1:{http}/sink")
            return GIGABYTE / 1e9 * 1e6
        case "websocket":
            return int(on_client(sys.executable, HERE / "websocket.py", "load", http, 32, seconds))
    raise SystemExit(f"bench: no work {row.work} ({is_own})")


def cannot(name: str, row: Row) -> bool:
    """Debian 12's nginx has no HTTP/2 in cleartext beside HTTP/1.1 on one port."""
    return name == "nginx" and row.work == "h2c"


def measure(candidates: Candidates, row: Row, options) -> dict[str, list[float]]:
    measured = {name: c for name, c in candidates.of(row).items() if not cannot(name, row)}
    rounds: dict[str, list[float]] = {name: [] for name in measured}
    for name, candidate in measured.items():
        load(candidates, candidate, row, 0.3)
    for _ in range(options.rounds):
        for name, candidate in measured.items():
            before = cpu_seconds(candidate.pids())
            count = load(candidates, candidate, row, options.seconds)
            rounds[name].append((cpu_seconds(candidate.pids()) - before) / count * 1e6)
    return rounds


def print_row(row: Row, rounds: dict[str, list[float]]) -> None:
    print(f"\n{row.title}; CPU {row.unit}, median (min to max)")
    for name, values in rounds.items():
        digits = 3 if row.unit.startswith("s ") else 1
        print(f"  {name:12} {statistics.median(values):9.{digits}f}  "
              f"({min(values):.{digits}f} to {max(values):.{digits}f})")
    if row.against in rounds:
        ratios = [own / other for own, other in zip(rounds["gatehouse"], rounds[row.against])]
        ratio = statistics.median(ratios)
        print(f"  gatehouse / {row.against:12} {ratio:6.2f}   (bar {row.bar}: "
              f"{'reached' if ratio <= row.bar else 'not reached'})")
    else:
        print(f"  {row.against} is not installed")


def stranger(candidates: Candidates, options) -> None:
    door = candidates.door
    url = f"http://127.0.0.1:{door.http}/x"
    own, redirect = [], []
    for _ in range(options.rounds):
        for values, header, redirects in ((own, candidates.cookie, False),
                                          (redirect, "Accept: text/html", True)):
            before = cpu_seconds(door.pids())
            count = wrk(url, options.seconds, header, redirects=redirects)
            values.append((cpu_seconds(door.pids()) - before) / count * 1e6)
    ratio = statistics.median(r / o for r, o in zip(redirect, own))
    print("\nredirect of a stranger; CPU µs a request, median")
    print(f"  redirect      {statistics.median(redirect):8.1f}")
    print(f"  authenticated {statistics.median(own):8.1f}")
    print(f"  redirect / authenticated {ratio:6.2f}   (bar 0.8: "
          f"{'reached' if ratio <= 0.8 else 'not reached'})")


def latency(candidates: Candidates, options) -> None:
    """At half of what nginx does at most: paced requests, each timed."""
    rate = 0
    times: dict[str, list[tuple[float, float]]] = {}
    full = wrk(f"http://127.0.0.1:{candidates.peers['nginx'].http}/x", 2) / 2
    rate = int(full / 2)
    measured = candidates.of(ROWS["plain"])
    for _ in range(options.rounds):
        for name, candidate in measured.items():
            with tempfile.NamedTemporaryFile() as log:
                on_client("h2load", "--h1", "-t1", "-c32", f"--rps={rate / 32:.1f}", "-D2",
                          f"--log-file={log.name}", f"http://127.0.0.1:{candidate.http}/x")
                took = sorted(int(line.split()[2]) / 1000 for line in open(log.name))
            times.setdefault(name, []).append(
                (took[len(took) // 2], took[int(len(took) * 0.99)]))
    print(f"\nlatency at half load ({rate} requests a second), ms, median of rounds")
    for name, values in times.items():
        print(f"  {name:12} p50 {statistics.median(v[0] for v in values):7.3f}   "
              f"p99 {statistics.median(v[1] for v in values):7.3f}")


def open_idle(port: int, count: int, tls: ssl.SSLContext | None) -> list[socket.socket]:
    """Connections that have had one answer each and then say nothing."""
    connections = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port))
        if tls:
            connection = tls.wrap_socket(connection, server_hostname="localhost")
        connection.sendall(b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = b""
        while not got.endswith(b"x" * 1024):
            piece = connection.recv(4096)
            if not piece:
                raise SystemExit("bench: a connection was closed")
            got += piece
        connections.append(connection)
    return connections


def memory(candidates: Candidates, _options) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    print(f"\nmemory of an idle keep-alive connection, KB, of {IDLE_CONNECTIONS}")
    for name, candidate in candidates.of(ROWS["plain"]).items():
        figures = []
        for port, tls in ((candidate.http, None), (candidate.https, context)):
            warm = open_idle(port, 200, tls)
            before = resident_kib(candidate.pids())
            idle = open_idle(port, IDLE_CONNECTIONS, tls)
            time.sleep(0.5)
            figures.append((resident_kib(candidate.pids()) - before) / IDLE_CONNECTIONS)
            for connection in warm + idle:
                connection.close()
            time.sleep(0.5)
        print(f"  {name:12} plain {figures[0]:6.2f}   TLS {figures[1]:6.2f}")
    print("  (bars of gatehouse: 2 plain, 15 TLS)")


def footprint(candidates: Candidates, options) -> None:
    starts = [start_ms(candidates.open) for _ in range(max(5, options.rounds))]
    print("\nfootprint")
    print(f"  resident when idle, MiB {resident_kib(candidates.open.pids()) / 1024:8.1f}   (bar 25)")
    print(f"  start to ready, ms      {statistics.median(starts):8.1f}   (bar 30)")


def system_calls(candidates: Candidates, _options) -> None:
    """Counted by strace while wrk loads: how many of each a request makes."""
    for name, candidate in candidates.of(ROWS["plain"]).items():
        pid = candidate.pids()[0]
        trace = subprocess.Popen(["strace", "-f", "-c", "-p", str(pid)], stderr=subprocess.PIPE,
                                 text=True)
        time.sleep(0.5)
        count = wrk(f"http://127.0.0.1:{candidate.http}/x", 2)
        trace.send_signal(2)
        counted = trace.communicate()[1]
        calls = {}
        for line in counted.splitlines():
            fields = line.split()
            if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
                calls[fields[-1]] = int(fields[3]) / count
        shown = ", ".join(f"{call} {n:.2f}" for call, n in
                          sorted(calls.items(), key=lambda pair: -pair[1]) if n >= 0.01)
        print(f"  {name:12} {shown}")


def where(candidates: Candidates, options) -> None:
    for row in ROWS.values():
        print(f"\nwhere the time goes: {row.title}; CPU {row.unit}")
        for name, candidate in candidates.of(row).items():
            if cannot(name, row):
                continue
            load(candidates, candidate, row, 0.3)
            print_parts(name, sample(candidate.pids(), lambda candidate=candidate: load(
                candidates, candidate, row, options.seconds)))


EXTRAS = {"stranger": stranger, "latency": latency, "memory": memory, "footprint": footprint,
          "reload": reload, "where": where}


def run(options) -> None:
    wanted = options.rows or [*ROWS, *EXTRAS, "calls"]
    with tempfile.TemporaryDirectory() as folder, Candidates(pathlib.Path(folder)) as candidates:
        versions = [peer.version() for peer in candidates.peers.values()]
        print("beside " + ", ".join(versions))
        for name in wanted:
            if name in ROWS:
                print_row(ROWS[name], measure(candidates, ROWS[name], options))
            elif name in EXTRAS:
                EXTRAS[name](candidates, options)
            elif name == "calls":
                print("\nsystem calls a request, plain proxying")
                system_calls(candidates, options)
            else:
                raise SystemExit(f"bench: no row {name}; there are "
                                 f"{', '.join([*ROWS, *EXTRAS, 'calls'])}")
            sys.stdout.flush()
