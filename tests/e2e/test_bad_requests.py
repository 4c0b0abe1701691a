"""Bad input at the front: framing, heads, paths, hosts. Each is refused there, once."""

import socket

import pytest
from person import SESSION_COOKIE


class Raw:
    """A client that sends exactly the bytes it is given."""

    def __init__(self, door, cookie: str) -> None:
        self.door = door
        self.host = f"localhost:{door.port}"
        self.cookie = f"Cookie: {SESSION_COOKIE}={cookie}\r\n"

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Status of the first answer and all that came until the end."""
        with socket.create_connection(("127.0.0.1", self.door.port), 20) as client:
            client.sendall(request)
            got = b""
            try:
                while True:
                    piece = client.recv(65536)
                    if not piece:
                        break
                    got += piece
            except TimeoutError:
                raise AssertionError(f"the connection stays open after {got[:300]!r}") from None
        return int(got.split(b" ", 2)[1]) if got else 0, got

    def head(self, line: str, fields: str = "", host: str | None = None) -> bytes:
        host_field = f"Host: {host or self.host}\r\n"
        return (f"{line}\r\n{host_field}{self.cookie}Connection: close\r\n{fields}\r\n"
                ).encode("latin-1")


@pytest.fixture
def raw(door, alice):
    return Raw(door, alice.cookie())


BODY_REFUSALS = {
    "both-lengths": ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "two-content-lengths": ("Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!"),
    "content-length-list": ("Content-Length: 5, 5\r\n", b"hello"),
    "signed-length": ("Content-Length: +5\r\n", b"hello"),
    "negative-length": ("Content-Length: -1\r\n", b""),
    "huge-length": ("Content-Length: 99999999999999999999\r\n", b""),
    "empty-length": ("Content-Length: \r\n", b""),
    "chunked-not-last": ("Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"),
    "chunked-twice": ("Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"),
    "unknown-coding": ("Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "vertical-tab-coding": ("Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
}


@pytest.mark.parametrize("fields, body", BODY_REFUSALS.values(), ids=BODY_REFUSALS)
def test_ambiguous_body_framing(raw, fields, body):
    status, got = raw.send(raw.head("POST /pipeline/ HTTP/1.1", fields) + body)
    assert status in (400, 413, 501), got
    assert got.count(b"HTTP/1.1 ") == 1


CHUNK_REFUSALS = {
    "size-0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "size-plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "size-space": b" 5\r\nhello\r\n0\r\n\r\n",
    "size-empty": b"\r\nhello\r\n0\r\n\r\n",
    "size-overflow": b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
    "bare-lf-after-size": b"5\nhello\r\n0\r\n\r\n",
    "bare-cr-after-size": b"5\rhello\r\n0\r\n\r\n",
    "bare-lf-in-extension": b"5;a\nhello\r\n0\r\n\r\n",
    "nul-in-extension": b"5;a\0b\r\nhello\r\n0\r\n\r\n",
    "bytes-before-crlf": b"5\r\nhelloXX\r\n0\r\n\r\n",
    "no-crlf-after-data": b"5\r\nhello0\r\n\r\n",
}


@pytest.mark.parametrize("body", CHUNK_REFUSALS.values(), ids=CHUNK_REFUSALS)
def test_odd_chunks(raw, body):
    status, got = raw.send(
        raw.head("POST /pipeline/ HTTP/1.1", "Transfer-Encoding: chunked\r\n") + body)
    assert status == 400, got
    assert b"body_bytes" not in got


HEAD_REFUSALS = {
    "bare-lf": b"GET /pipeline/ HTTP/1.1\nHost: HOST\n\n",
    "bare-cr": b"GET /pipeline/ HTTP/1.1\rHost: HOST\r\r",
    "cr-in-value": b"GET /pipeline/ HTTP/1.1\r\nHost: HOST\r\nX: a\rb\r\n\r\n",
    "nul-in-value": b"GET /pipeline/ HTTP/1.1\r\nHost: HOST\r\nX: a\0b\r\n\r\n",
    "obs-fold": b"GET /pipeline/ HTTP/1.1\r\nHost: HOST\r\nX: a\r\n b\r\n\r\n",
    "space-before-colon": b"GET /pipeline/ HTTP/1.1\r\nHost: HOST\r\nX : a\r\n\r\n",
    "empty-name": b"GET /pipeline/ HTTP/1.1\r\nHost: HOST\r\n: a\r\n\r\n",
    "no-colon": b"GET /pipeline/ HTTP/1.1\r\nHost: HOST\r\nX\r\n\r\n",
    "two-spaces": b"GET  /pipeline/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "no-version": b"GET /pipeline/\r\n\r\n",
    "te-on-1.0": b"POST /pipeline/ HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no-host": b"GET /pipeline/ HTTP/1.1\r\n\r\n",
    "two-hosts": b"GET /pipeline/ HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n",
    "host-list": b"GET /pipeline/ HTTP/1.1\r\nHost: HOST,evil.example\r\n\r\n",
    "host-user": b"GET /pipeline/ HTTP/1.1\r\nHost: a@HOST\r\n\r\n",
    "absolute-other-host": b"GET http://evil.example/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "connect": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 garbage\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", HEAD_REFUSALS.values(), ids=HEAD_REFUSALS)
def test_bad_heads(raw, request_bytes):
    status, got = raw.send(request_bytes.replace(b"HOST", raw.host.encode()))
    assert status in (400, 405, 421, 501, 505), got
    assert got.count(b"HTTP/1.1 ") == 1


def test_heads_above_the_limits(raw):
    assert raw.send(raw.head("GET /pipeline/ HTTP/1.1", f"X: {'a' * 200_000}\r\n"))[0] == 431
    assert raw.send(raw.head("GET /pipeline/ HTTP/1.1", "X: a\r\n" * 1000))[0] == 431
    assert raw.send(raw.head(f"GET /pipeline/{'a' * 20_000} HTTP/1.1"))[0] == 414


BAD_PATHS = ["/pipeline/%2Fadmin", "/pipeline%2fx", "/pipeline/%5Cx", "/pipeline/a%00b",
             "/pipeline/../admin", "/pipeline/..", "/pipeline/%2e%2e/admin", "/pipeline/.%2E/x",
             "/pipeline/./x", "/pipeline/..;/x", "/pipeline/%c0%ae%c0%ae/x", "/pipeline\\admin",
             "/pipeline/a%zz", "/pipeline/a%2", "/pipeline/#fragment", "/dex/../pipeline/",
             "/dex/%2e%2e/pipeline/", "/dex/..%2Fpipeline/", "/pipeline/a%0d%0ab"]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_paths_that_two_parts_could_read_differently(raw, raw_upstream, path):
    status, got = raw.send(raw.head(f"GET {path} HTTP/1.1"))
    assert status == 400, got


def test_runs_of_slashes_become_one_before_anything_is_decided(raw, stranger):
    status, got = raw.send(raw.head("GET //pipeline///x HTTP/1.1"))
    assert status == 200 and b'"path":"/pipeline/x"' in got
    assert stranger.get("/dex//../").status_code in (400, 404)


def test_no_second_request_is_smuggled_behind_a_refused_one(raw):
    smuggled = raw.head("GET /pipeline/smuggled HTTP/1.1")
    status, got = raw.send(
        raw.head("POST /pipeline/ HTTP/1.1", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")
        + b"0\r\n\r\n" + smuggled)
    assert status == 400 and b"smuggled" not in got


def test_pipelined_requests_are_answered_in_order(raw):
    one = raw.head("GET /pipeline/1 HTTP/1.1").replace(b"Connection: close\r\n", b"")
    two = raw.head("GET /pipeline/2 HTTP/1.1")
    status, got = raw.send(one + two)
    assert status == 200
    assert got.index(b'"path":"/pipeline/1"') < got.index(b'"path":"/pipeline/2"')


def test_h2c_upgrade_is_not_forwarded(raw):
    status, got = raw.send(raw.head(
        "GET /pipeline/ HTTP/1.1", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
        ).replace(b"Connection: close", b"Connection: close, Upgrade, HTTP2-Settings"))
    assert status == 200
    assert b'"upgrade"' not in got and b"http2-settings" not in got
