"""Handshakes of WebSockets byte by byte: which are made, and what either side is told of the other."""

import socket

import pytest
from deployment import USER
from raw_site import ACCEPT, BEHIND, GUARDED, KEY, SWITCHED, UPGRADED, front_door, saying
from wire import Answer, Seen, ok


@pytest.fixture(scope="module")
def site():
    with front_door() as running:
        yield running


def switching(answer: bytes):
    """A script that gives that answer, and then sends back what comes, in brackets."""
    def script(connection: socket.socket, _: Seen) -> None:
        connection.sendall(answer)
        while piece := connection.recv(65536):
            connection.sendall(b"[" + piece + b"]")
        raise ConnectionAbortedError
    return script


def handshake(fields: dict[str, str | None], head: bytes = GUARDED) -> bytes:
    """The usual one, with these fields instead; None: without it."""
    usual = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": KEY.decode()}
    lines = [f"{name}: {value}\r\n" for name, value in (usual | fields).items() if value is not None]
    return saying("socket", head) + "".join(lines).encode() + b"\r\n"


OTHER_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
MADE = {
    "usual": {}, "in capitals": {"Connection": "UPGRADE", "Upgrade": "WEBSOCKET"},
    "kept alive too": {"Connection": "keep-alive, Upgrade"},
    "closed too": {"Connection": "close, Upgrade"},
    "two Connections": {"Connection": "keep-alive\r\nConnection: upgrade"},
    "tabs": {"Connection": "\tUpgrade\t", "Upgrade": "\twebsocket\t"},
    "Upgrade twice": {"Upgrade": "websocket\r\nUpgrade: websocket"},
    "no version": {"Sec-WebSocket-Version": None}, "another version": {"Sec-WebSocket-Version": "8"},
    "two versions": {"Sec-WebSocket-Version": "13, 8"},
    "an expectation": {"Expect": "100-continue"},
    "HTTP2-Settings": {"HTTP2-Settings": "AAMAAABkAAQAAP__"},
    "protocols": {"Sec-WebSocket-Protocol": "a, b", "Sec-WebSocket-Extensions": "permessage-deflate"},
    "another's name": {"kubeflow-userid": "evil", "KUBEFLOW_USERID": "evil"},
    "a name nominated away": {"Connection": "Upgrade, kubeflow-userid, kubeflow-groups"},
    "Host nominated away": {"Connection": "Upgrade, Host"},
    "the version nominated away": {"Connection": "Upgrade, Sec-WebSocket-Version"},
    "an origin": {"Origin": "http://localhost"},
}


@pytest.mark.parametrize("fields", MADE.values(), ids=MADE)
def test_a_handshake_is_passed_on_and_made(site, fields):
    site.upstream.scripts["socket"] = switching(UPGRADED + b"first")
    before = site.mark()
    with site.client(handshake(fields)) as client:
        assert client.answer().status == 101
        assert client.exactly(5) == b"first"
        client.send(b"ping")
        assert client.exactly(6) == b"[ping]"
    (seen,) = site.upstream.since(before)
    assert seen.method == "GET"
    assert (seen.all("connection"), seen.all("upgrade")) == (["Upgrade"], ["websocket"])
    assert seen.all("kubeflow-userid") == [USER] and seen.all("host") == ["localhost"]
    assert not {"expect", "http2-settings", "cookie", "keep-alive"} & set(seen.names())
    assert b"evil" not in seen.head


NOT_MADE = {
    # No handshake of a WebSocket: it goes on as a request like any other.
    "two protocols": {"Upgrade": "websocket, websocket"}, "a comma": {"Upgrade": "websocket,"},
    "a parameter": {"Upgrade": "websocket;x"}, "a version": {"Upgrade": "websocket/13"},
    "a space": {"Upgrade": "web socket"}, "quoted": {"Upgrade": '"websocket"'},
    "not nominated": {"Connection": "keep-alive"}, "nominated nearly": {"Connection": "Upgrades"},
    "a length": {"Content-Length": "0"}, "a body": {"Content-Length": "5"},
    "chunks": {"Transfer-Encoding": "chunked"},
    # One, whose answer cannot be the right one.
    "no key": {"Sec-WebSocket-Key": None}, "an empty key": {"Sec-WebSocket-Key": ""},
    "a short key": {"Sec-WebSocket-Key": "AAAA"}, "another key": {"Sec-WebSocket-Key": OTHER_KEY},
    "two keys": {"Sec-WebSocket-Key": f"{KEY.decode()}\r\nSec-WebSocket-Key: {OTHER_KEY}"},
    "two keys in one": {"Sec-WebSocket-Key": f"{KEY.decode()}, {OTHER_KEY}"},
    "the key nominated away": {"Connection": "Upgrade, Sec-WebSocket-Key"},
}


@pytest.mark.parametrize("name", NOT_MADE)
def test_a_handshake_that_is_none_opens_nothing(site, name):
    """Though the upstream says that it has switched."""
    site.upstream.scripts["socket"] = switching(UPGRADED + ok(b"forged"))
    body = {"a body": b"hello", "chunks": b"0\r\n\r\n"}.get(name, b"")
    with site.client(handshake(NOT_MADE[name]) + body) as client:
        got = client.answer()
        assert got.status == 502 and b"forged" not in got.body
    site.visit()


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS", "get", "GETS"])
def test_only_get_opens_a_websocket(site, method):
    site.upstream.scripts["socket"] = switching(UPGRADED)
    head = GUARDED.replace(b"GET", method.encode(), 1)
    with site.client(handshake({}, head)) as client:
        assert client.answer(method).status == 502


@pytest.mark.parametrize("fields", [{}, {"Connection": "Upgrade, cookie"}, {"kubeflow-userid": USER},
                                    {"Origin": "http://evil.test"}], ids=str)
def test_no_stranger_opens_one(site, fields):
    before = site.mark()
    head = GUARDED if "Connection" in fields else GUARDED.replace(b"Cookie: COOKIE\r\n", b"")
    with site.client(handshake(fields, head) + BEHIND) as client:
        assert client.answer().status == 401
        assert client.answer().body == b"GET /open/behind"
    assert [seen.target for seen in site.upstream.since(before)] == ["/open/behind"]


# --- the answer ---

def answered(site, answer: bytes, behind: bytes = b"first") -> tuple[Answer, bytes]:
    """The answer to a handshake, and what comes back of a word that is sent if it is a 101."""
    site.upstream.scripts["socket"] = switching(answer + behind)
    with site.client(handshake({})) as client:
        got = client.answer()
        if got.status != 101:
            return got, b""
        assert client.exactly(5) == behind
        client.send(b"ping")
        return got, client.exactly(6)


def with_fields(*lines: bytes) -> bytes:
    return UPGRADED[:-2] + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


SWITCHES = {
    "usual": UPGRADED, "in capitals": UPGRADED.replace(b"websocket", b"WebSocket"),
    "no reason": UPGRADED.replace(b"Switching Protocols", b""),
    "HTTP/1.0": UPGRADED.replace(b"1.1", b"1.0", 1), "kept alive": UPGRADED.replace(
        b"Connection: Upgrade", b"Connection: keep-alive, Upgrade"),
    "white space": UPGRADED.replace(ACCEPT, b"\t " + ACCEPT + b" \t"),
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + UPGRADED,
    "103 first": b"HTTP/1.1 103 Early Hints\r\nLink: <evil>\r\n\r\n" + UPGRADED,
    # RFC 9110 §8.6, RFC 9112 §6.1: neither has a place in a 101.
    "length 0": with_fields(b"Content-Length: 0"), "length 5": with_fields(b"Content-Length: 5"),
    "chunks": with_fields(b"Transfer-Encoding: chunked"), "close": with_fields(b"Connection: close"),
    "the session's cookie": with_fields(b"Set-Cookie: gatehouse_session=evil", b"Set-Cookie: a=b"),
    "keep-alive": with_fields(b"Keep-Alive: evil"), "TE": with_fields(b"TE: evil"),
}


@pytest.mark.parametrize("answer", SWITCHES.values(), ids=SWITCHES)
def test_a_switch_is_told_in_one_form(site, answer):
    got, back = answered(site, answer)
    assert (got.status, back) == (101, b"[ping]")
    assert (got.all("connection"), got.all("upgrade")) == (["Upgrade"], ["websocket"])
    assert got.all("sec-websocket-accept") == [ACCEPT.decode()]
    assert not got.all("content-length") and not got.all("transfer-encoding")
    assert "evil" not in str(got.fields)


NO_SWITCHES = {
    "two accepts": with_fields(b"Sec-WebSocket-Accept: " + ACCEPT),
    "another accept too": with_fields(b"Sec-WebSocket-Accept: AAAA"),
    "accept in small letters": UPGRADED.replace(ACCEPT, ACCEPT.lower()),
    "accept with more": UPGRADED.replace(ACCEPT, ACCEPT + b"="),
    "accept nominated away": UPGRADED.replace(b"Connection: Upgrade",
                                              b"Connection: Upgrade, Sec-WebSocket-Accept"),
    "no Upgrade": SWITCHED + b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + ACCEPT + b"\r\n\r\n",
    "bare LF": UPGRADED.replace(b"\r\n", b"\n"), "NUL": with_fields(b"X: a\0b"),
    "a fold": with_fields(b"X: a\r\n b"), "100,000 bytes": with_fields(b"X: " + b"a" * 100_000),
    "200 fields": with_fields(*[b"X: y"] * 200), "1010": UPGRADED.replace(b"101", b"1010"),
}


@pytest.mark.parametrize("answer", NO_SWITCHES.values(), ids=NO_SWITCHES)
def test_a_switch_with_two_readings_is_none(site, answer):
    got, _ = answered(site, answer, ok(b"forged"))
    assert got.status == 502
    for _ in range(3):
        site.visit()


@pytest.mark.parametrize("status", ["200 OK", "400 X", "401 X", "403 X", "404 X", "426 X", "500 X",
                                    "503 X"])
def test_what_is_no_switch_is_an_answer(site, status):
    """With fields of an upgrade too; and the next request is one, judged like any."""
    site.upstream.scripts["socket"] = (
        f"HTTP/1.1 {status}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nContent-Length: 2\r\n\r\nno").encode()
    with site.client(handshake({}) + BEHIND) as client:
        got = client.answer()
        assert (str(got.status), got.body) == (status[:3], b"no")
        assert not got.all("upgrade") and not got.all("connection")
        assert client.answer().body == b"GET /open/behind"
    site.visit()
