"""Two gateways behind HAProxy, which asks them whether they are ready: each is stopped in its turn,
and nobody who asks meanwhile hears of it."""

import concurrent.futures
import contextlib
import http.client
import itertools
import signal
import threading

import pytest
import requests
from gateway_alone import SECONDS, GatewayAlone, Service, answer, eventually
from haproxy import Haproxy
from test_upstream_policies import echo_upgraded, handshake
from wire import Client


@contextlib.contextmanager
def behind_haproxy(folder, service: Service, balance: str, names: str = "ab", retries: bool = True):
    """HAProxy and the gateways, whose names are in the Server fields of their answers."""
    with contextlib.ExitStack() as stack:
        gateways = []
        for name in names:
            own = folder / name
            own.mkdir()
            gateways.append(stack.enter_context(GatewayAlone(
                own, [{"service": service.url, "timeout": "0s"}], server_name=name)))
        yield stack.enter_context(Haproxy(folder, gateways, balance, retries)), gateways


class Load:
    """Asks over a kept connection, again and again, until it is told to stop; an answer that is not
    its own, or none, is its result."""

    def __init__(self, port: int, number: int, method: str = "GET") -> None:
        self.port, self.number, self.method = port, number, method
        self.stopped = threading.Event()
        self.served_by: list[str] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        for i in itertools.count():
            path = f"/{self.number}/{i}"
            connection.request(self.method, path)
            got = connection.getresponse()
            assert (got.status, got.read()) == (200, path.encode())
            self.served_by.append(got.headers["Server"])
            if self.stopped.is_set():
                return connection.close()


def stop(gateway: GatewayAlone) -> None:
    assert gateway.role.stop() == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_rolling_update_costs_nobody_a_request(tmp_path, monkeypatch, method):
    """HAProxy sends a GET again; what cannot be sent twice is not lost by a gateway that serves on
    for as long as HAProxy takes to hear that it is no longer ready."""
    if method == "POST":
        monkeypatch.setenv("GATEHOUSE_DRAIN_DELAY", "500ms")
    with Service(lambda request: answer(request.target)) as service, \
            behind_haproxy(tmp_path, service, "roundrobin", retries=method == "GET") as (
                haproxy, gateways), \
            concurrent.futures.ThreadPoolExecutor(8) as pool:
        loads = [Load(haproxy.port, number, method) for number in range(8)]
        asking = [pool.submit(load.run) for load in loads]

        def serve(names: set[str]) -> None:
            """Until each of them has answered everybody again."""
            before = [len(load.served_by) for load in loads]
            eventually(lambda: any(a.done() for a in asking) or all(
                set(load.served_by[count:]) >= names for load, count in zip(loads, before)))

        try:
            serve({"a", "b"})
            for gateway, other in zip(gateways, "ba"):
                stop(gateway)
                serve({other})
                gateway.role.start()
                serve({"a", "b"})
        finally:
            for load in loads:
                load.stopped.set()
        for a in asking:
            a.result()
    assert len(service.seen) >= sum(len(load.served_by) for load in loads) > 100


@pytest.fixture
def let():
    """An event that answers wait for; it is set at the end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def busy(let):
    """A service whose answers to /slow, /stream and /upload wait to be let, and WebSockets."""
    def script(connection, request) -> None:
        if request.get("Upgrade"):
            return echo_upgraded(connection, request)
        if request.target == "/stream":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
        if request.target in ("/slow", "/stream"):
            assert let.wait(SECONDS)
        connection.sendall(b" last" if request.target == "/stream" else
                           answer(request.target.encode() + request.body, Connection="close"))

    with Service() as service:
        service.script = script
        yield service


def serve_elsewhere(haproxy: Haproxy) -> None:
    """Whoever serves them, all are; and before long the second gateway serves all."""
    def who() -> str:
        got = requests.get(haproxy.url + "/", timeout=SECONDS)
        assert got.status_code == 200
        return got.headers["Server"]

    eventually(lambda: who() == "b")
    assert {who() for _ in range(20)} == {"b"}


def test_what_is_under_way_in_a_gateway_that_stops_goes_on_to_its_end(busy, let, tmp_path):
    """Slow answers, one that has begun, an upload and a WebSocket; the others are served elsewhere."""
    upload = b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst"
    with behind_haproxy(tmp_path, busy, "first") as (haproxy, (gateway, _)), \
            contextlib.ExitStack() as stack:
        slow, stream, sender, socket = (
            stack.enter_context(Client(haproxy.port, request)) for request in (
                b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", upload, handshake()))
        assert stream.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert socket.answer().status == 101
        eventually(lambda: len(busy.open) == 4)
        gateway.role.process.send_signal(signal.SIGTERM)
        serve_elsewhere(haproxy)
        for _ in range(3):
            socket.send(b"still here")
            assert socket.exactly(10) == b"still here"
        let.set()
        assert slow.answer().body == b"/slow"
        assert stream.exactly(10) == b"first last"
        sender.send(b" last")
        assert sender.answer().body == b"/uploadfirst last"
        assert gateway.role.process.poll() is None
        socket.socket.close()
        assert gateway.role.process.wait(SECONDS) == 0
        serve_elsewhere(haproxy)


def test_a_websocket_that_does_not_end_is_cut_with_the_drain_s_time(busy, tmp_path, monkeypatch):
    monkeypatch.setenv("GATEHOUSE_DRAIN_TIMEOUT", "300ms")
    with behind_haproxy(tmp_path, busy, "first") as (haproxy, (gateway, _)), \
            Client(haproxy.port, handshake()) as socket:
        assert socket.answer().status == 101
        gateway.role.process.send_signal(signal.SIGTERM)
        socket.send(b"still here")
        assert socket.exactly(10) == b"still here"
        assert gateway.role.process.wait(SECONDS) == 0
        assert socket.rest() == b""
        with Client(haproxy.port, handshake()) as again:
            assert again.answer().status == 101
            again.send(b"elsewhere")
            assert again.exactly(9) == b"elsewhere"


def test_who_keeps_a_connection_is_told_to_leave_while_the_drain_is_delayed(tmp_path, monkeypatch):
    """No health check is asked for a connection that is there already, as behind a balancer of TCP."""
    monkeypatch.setenv("GATEHOUSE_DRAIN_DELAY", "1s")
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    with Service() as service, GatewayAlone(tmp_path, [{"service": service.url}]) as gateway, \
            Client(gateway.port, request) as client:
        assert not client.answer().closes
        gateway.role.process.send_signal(signal.SIGTERM)
        eventually(lambda: gateway.operations("/healthz/ready").status_code == 503)
        client.send(request)
        assert client.answer().closes
        with Client(gateway.port, request) as another:
            assert another.answer().closes
        assert gateway.role.process.wait(SECONDS) == 0
