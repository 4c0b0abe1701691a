"""CONNECT (RFC 9110 §9.3.6) through a route that allows it, to an upstream that is a proxy."""

import socket
import threading

import pytest
from gateway_alone import (SECONDS, GatewayAlone, Service, allow_by_name, answer, asking, eventually,
                           mapping)
from http2_service import Http2Service
from wire import DATA, END_HEADERS, END_STREAM, H2, frame

HEAD = b"CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class ConnectProxy(Service):
    """Answers a CONNECT once it may, and then sends back what comes in upper case."""

    def __init__(self, reply: bytes = ESTABLISHED) -> None:
        super().__init__()
        self.reply, self.may_answer, self.early = reply, threading.Event(), []
        self.may_answer.set()
        self.script = self.tunnel

    def tunnel(self, connection: socket.socket, _) -> None:
        assert self.may_answer.wait(SECONDS)
        connection.setblocking(False)
        try:
            self.early.append(connection.recv(65536))
        except BlockingIOError:
            self.early.append(b"")
        connection.settimeout(SECONDS)
        connection.sendall(self.reply)
        while self.reply == ESTABLISHED and (piece := connection.recv(65536)):
            connection.sendall(piece.upper())


@pytest.fixture
def proxy():
    with ConnectProxy() as one:
        yield one


def route(proxy: Service | Http2Service, **more) -> dict:
    return {"prefix": "/", "service": proxy.url, "upgrades": ["connect"], **more}


def connect(gateway: GatewayAlone, more: bytes = b"", early: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", gateway.port), SECONDS)
    client.sendall(HEAD + more + b"\r\n" + early)
    return client


def until(client: socket.socket, end: bytes) -> bytes:
    got = b""
    while not got.endswith(end):
        piece = client.recv(65536)
        assert piece, got
        got += piece
    return got


def rest(client: socket.socket) -> bytes:
    got = b""
    while piece := client.recv(65536):
        got += piece
    return got


def test_a_tunnel_is_opened_by_the_upstream_s_200_and_goes_both_ways(tmp_path, proxy):
    with GatewayAlone(tmp_path, [route(proxy)]) as gateway, connect(gateway) as client:
        assert until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert proxy.last.line == "CONNECT db.example:5432 HTTP/1.1"
        assert proxy.last.get("host") == "db.example:5432"
        client.sendall(b"hello")
        assert until(client, b"HELLO") == b"HELLO"
        client.shutdown(socket.SHUT_WR)
        assert rest(client) == b""


def test_cve_2025_64763_what_comes_before_the_200_is_held(tmp_path, proxy):
    proxy.may_answer.clear()
    with GatewayAlone(tmp_path, [route(proxy)]) as gateway, connect(gateway, early=b"early") as client:
        eventually(lambda: proxy.seen)
        client.sendall(b" bird")
        assert gateway.operations("/healthz/live").ok  # the loop has been round since
        proxy.may_answer.set()
        assert until(client, b"EARLY BIRD").startswith(b"HTTP/1.1 200 ")
    assert proxy.early[0] == b""


@pytest.mark.parametrize("status", ["403 Forbidden", "502 Bad Gateway", "302 Found"])
def test_cve_2025_64763_and_goes_nowhere_without_it(tmp_path, status):
    with ConnectProxy(answer(b"no", status)) as proxy, \
            GatewayAlone(tmp_path, [route(proxy)]) as gateway, \
            connect(gateway, early=b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n") as client:
        got = rest(client)
        assert got.startswith(b"HTTP/1.1 " + status[:3].encode()) and got.endswith(b"\r\n\r\nno")
        assert got.count(b"HTTP/1.1 ") == 1
        assert len(proxy.seen) == 1 and proxy.early == [b""]


def test_it_is_judged_like_any_request(tmp_path, proxy):
    with Service(allow_by_name) as authorizer, \
            GatewayAlone(tmp_path, [route(proxy)],
                         authorizer=asking(authorizer)) as gateway:
        with connect(gateway) as client:
            assert rest(client).startswith(b"HTTP/1.1 403 ")
        assert proxy.seen == []
        with connect(gateway, b"X-Name: alice\r\nkubeflow-userid: root\r\n") as client:
            assert until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert proxy.last.get("kubeflow-userid") == "alice"
        assert authorizer.last.line.startswith("GET / ")
        assert authorizer.last.get("x-forwarded-method") == "CONNECT"


def test_it_is_routed_by_its_authority_and_refused_where_no_route_allows_it(tmp_path, proxy):
    with Service() as other, GatewayAlone(tmp_path, [
            route(proxy, host="db.example"), {"prefix": "/", "service": other.url}]) as gateway:
        with connect(gateway) as client:
            assert until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        refused = gateway.raw(b"CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n")
        assert refused.startswith(b"HTTP/1.1 405 ")
        mismatched = gateway.raw(b"CONNECT db.example:5432 HTTP/1.1\r\nHost: other.example:443\r\n\r\n")
        assert mismatched.startswith(b"HTTP/1.1 400 ")
        assert other.seen == []


def test_without_such_a_route_it_is_refused_unread(tmp_path, proxy):
    with GatewayAlone(tmp_path, [route(proxy, upgrades=["websocket"])]) as gateway, \
            connect(gateway) as client:
        assert rest(client).startswith(b"HTTP/1.1 501 ")
    assert proxy.seen == []


def test_a_mapping_allows_it(tmp_path, proxy):
    manifest = mapping("a", "/", proxy.url.split("//")[1], allow_upgrade=["CONNECT"])
    with GatewayAlone(tmp_path, manifests=[manifest]) as gateway, connect(gateway) as client:
        assert until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        client.sendall(b"hello")
        assert until(client, b"HELLO")


# --- to an upstream over HTTP/2 (RFC 9113 §8.5) ---

def establish(state, stream, _) -> None:
    state.send_headers(stream, [(":status", "200")])


def pseudo_fields(service: Http2Service) -> dict[str, str]:
    return {name: value for name, value in service.seen[-1].fields.items() if name[0] == ":"}


def test_a_tunnel_through_an_upstream_over_http_2_goes_both_ways(tmp_path):
    with Http2Service(reply=establish) as proxy, \
            GatewayAlone(tmp_path, [route(proxy, protocol="http2")]) as gateway:
        for name in (b"first", b"second"):
            with connect(gateway, early=b"early " + name) as client:
                assert until(client, b"early " + name).startswith(b"HTTP/1.1 200 ")
                client.sendall(b"hello")
                assert until(client, b"hello") == b"hello"
                client.shutdown(socket.SHUT_WR)
                assert rest(client) == b""
        assert pseudo_fields(proxy) == {":method": "CONNECT", ":authority": "db.example:5432"}
        assert [seen.body for seen in proxy.seen] == [b"early firsthello", b"early secondhello"]


def test_a_tunnel_from_a_client_over_http_2_to_an_upstream_over_http_2(tmp_path):
    with Http2Service(reply=establish) as proxy, \
            GatewayAlone(tmp_path, [route(proxy, protocol="http2")]) as gateway, \
            H2(gateway.port) as client:
        fields = ((":method", "CONNECT"), (":authority", "db.example:5432"))
        assert client.ask(*fields, flags=END_HEADERS) == 200
        client.send(frame(DATA, END_STREAM, 1, b"hello"))
        got, flags = b"", 0
        while not flags & END_STREAM:
            kind, flags, _, payload = client.read()
            flags = flags if kind == DATA else 0
            got += payload if kind == DATA else b""
        assert got == b"hello"
        assert pseudo_fields(proxy) == dict(fields)


@pytest.mark.parametrize("status", ["403", "502", "302"])
def test_cve_2025_64763_no_byte_goes_to_an_upstream_over_http_2_that_refuses(tmp_path, status):
    def refuse(state, stream, _):
        state.send_headers(stream, [(":status", status)])
        state.send_data(stream, b"no", end_stream=True)
    with Http2Service(reply=refuse) as proxy, \
            GatewayAlone(tmp_path, [route(proxy, protocol="http2")]) as gateway, \
            connect(gateway, early=b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n") as client:
        got = rest(client)
        assert got.startswith(b"HTTP/1.1 " + status.encode()) and got.endswith(b"\r\n\r\nno")
        assert got.count(b"HTTP/1.1 ") == 1
        assert [seen.body for seen in proxy.seen] == [b""]
