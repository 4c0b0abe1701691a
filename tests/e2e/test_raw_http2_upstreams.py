"""Services over HTTP/2 that misbehave, frame by frame: a clear error or a cut answer for the client,
whose own version may be another, and nothing of it for whoever asks next."""

import contextlib
import socket
import struct

import pytest
from edge import PRIORITY, PUSH_PROMISE, Http2, settings, window_update
from gateway_alone import SECONDS, GatewayAlone
from upstreams import RawUpstream
from wire import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE,
                  RST_STREAM, SETTINGS, Client, Cut, Wire, block, frame, get, status_of)


class Http2Upstream(RawUpstream):
    """Sends `script(stream)`, frames as they are, when a request is there; None: it hangs up."""

    def __init__(self) -> None:
        super().__init__()
        self.script = good
        self.asked = 0

    def _one(self, connection: socket.socket) -> None:
        connection.settimeout(SECONDS)
        with contextlib.suppress(OSError, Cut), connection:
            wire = Wire(connection)
            wire.exactly(len(PREFACE))
            connection.sendall(settings())
            while True:
                head = wire.exactly(9)
                payload = wire.exactly(struct.unpack(">I", b"\0" + head[:3])[0])
                kind, flags, stream = struct.unpack(">BBI", head[3:])
                if kind in (SETTINGS, PING) and not flags & ACK:
                    connection.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
                elif kind in (HEADERS, DATA) and flags & END_STREAM:
                    self.asked += 1
                    frames = self.script(stream)
                    if frames is None:
                        return
                    connection.sendall(frames)


OK = (":status", "200")


def head(*fields: tuple, stream: int, flags: int = END_HEADERS) -> bytes:
    return frame(HEADERS, flags, stream, block(*fields))


def data(content: bytes, stream: int, flags: int = END_STREAM) -> bytes:
    return frame(DATA, flags, stream, content)


def reset(code: int):
    return lambda stream: frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def goaway(stream: int, code: int) -> bytes:
    return frame(GOAWAY, 0, 0, struct.pack(">II", stream, code))


def good(stream: int) -> bytes:
    return head(OK, stream=stream) + data(b"ok", stream)


def saying(*fields: tuple):
    """An answer with these fields."""
    return lambda stream: head(OK, *fields, stream=stream) + data(b"ok", stream)


def of_status(value: bytes | str):
    return lambda stream: head((":status", value), stream=stream) + data(b"ok", stream)


def behind(*fields: tuple, flags: int = END_HEADERS | END_STREAM):
    """An answer with these trailers."""
    return lambda stream: (head(OK, stream=stream) + data(b"ok", stream, 0)
                           + head(*fields, stream=stream, flags=flags))


def before(frames):
    """Frames, and a good answer behind them."""
    return lambda stream: (frames(stream) if callable(frames) else frames) + good(stream)


def begun(frames):
    """The head of an answer, and these instead of its body."""
    return lambda stream: head(OK, stream=stream) + frames(stream)


FIELDS = {
    **{f"value with {value!r}": ("x", value) for value in [
        "a\r\nset-cookie: evil=1", "a\nb", "a\rb", "a\0b", "a\x01b", "a\x1fb", "a\x7fb", " a", "a ",
        "\ta", "a\t", "a\r\n", "\n"]},
    **{f"name {name!r}": (name, "evil") for name in [
        "x: y\r\nset-cookie", "x:y", "x y", "X", "Set-Cookie", "", "x\0", "x\xff", "x\r", "x\n", " x",
        "x ", "x\t", "x(", ":evil", ":", ":path", ":status", ":authority", ":method"]},
    **{f"of the connection: {name}": (name, value) for name, value in {
        "transfer-encoding": "chunked", "connection": "close", "keep-alive": "timeout=5",
        "proxy-connection": "close", "upgrade": "h2c"}.items()},
    **{f"length {value!r}": ("content-length", value) for value in [
        "-2", "+2", "", "x", "2, 2", "2,2", " 2", "2 ", "0x2", "2.0", "99999999999999999999",
        "18446744073709551618", "２".encode()]},
}
NO_ANSWERS = {
    **{name: saying(field) for name, field in FIELDS.items()},
    "two lengths": saying(("content-length", "2"), ("content-length", "3")),
    "one length twice": saying(("content-length", "2"), ("content-length", "2")),
    "200 fields": saying(*[("x", "y")] * 200),
    **{f"status {value!r}": of_status(value) for value in [
        "", "0", "20", "099", "600", "999", "1000", "2000", "abc", "2 0", " 200", "200 ", "200 OK",
        "+200", "-200", "0200", "20x", "\r\n", "2.0", "２00".encode()]},
    **{f"final {status}": of_status(status) for status in ("100", "101", "102", "103", "150", "199")},
    "no status": lambda s: head(("x", "y"), stream=s) + data(b"ok", s),
    "status behind a field": lambda s: head(("x", "y"), OK, stream=s) + data(b"ok", s),
    "two statuses": lambda s: head(OK, (":status", "404"), stream=s) + data(b"ok", s),
    "empty head": lambda s: head(stream=s) + data(b"ok", s),
    "101 first": before(lambda s: head((":status", "101"), stream=s)),
    "103 that ends": lambda s: head((":status", "103"), stream=s, flags=END_HEADERS | END_STREAM),
    "103 and data": lambda s: head((":status", "103"), stream=s) + data(b"ok", s),
    "103 with two lines": before(lambda s: head((":status", "103"), ("link", "a\r\nb: c"), stream=s)),
    "17 interim answers": before(lambda s: head((":status", "103"), stream=s) * 17),
    "204 with a length": lambda s: head((":status", "204"), ("content-length", "2"), stream=s,
                                        flags=END_HEADERS | END_STREAM),
    "no head": lambda s: data(b"ok", s),
    "another's stream": lambda s: good(s + 2), "stream 0": lambda s: good(0),
    "an even stream": lambda s: good(2),
    "a push": before(lambda s: frame(PUSH_PROMISE, END_HEADERS, s,
                                     struct.pack(">I", 2) + block(*get()))),
    **{f"reset with {code}": reset(code) for code in range(14)},
    "GOAWAY of nothing": lambda s: goaway(0, 0), "hung up": lambda s: None,
    "HTTP/1.1": lambda s: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "bad HPACK": lambda s: frame(HEADERS, END_HEADERS, s, b"\xff\xff\xff\xff\xff") + data(b"ok", s),
    "HPACK's index 0": lambda s: frame(HEADERS, END_HEADERS, s, b"\x80") + data(b"ok", s),
    "HPACK's index 99": lambda s: frame(HEADERS, END_HEADERS, s, b"\xe3") + data(b"ok", s),
    "half a block": lambda s: frame(HEADERS, 0, s, block(OK)) + data(b"ok", s),
    "another's continuation": lambda s: (frame(HEADERS, 0, s, block(OK))
                                         + frame(CONTINUATION, END_HEADERS, s + 2, block(("x", "y")))),
    "a continuation of nothing": before(lambda s: frame(CONTINUATION, END_HEADERS, s, block(OK))),
    "continuations without end": lambda s: (frame(HEADERS, 0, s, block(OK))
                                            + frame(CONTINUATION, 0, s, block(("x", "y"))) * 100),
    "a window of 0 more": before(lambda s: window_update(s, 0)),
    "a window too wide": before(lambda s: window_update(s, 2**31 - 1)),
    "the connection's too": before(lambda s: window_update(0, 2**31 - 1)),
    "odd settings": before(frame(SETTINGS, 0, 0, b"x")),
    "settings of a stream": before(lambda s: frame(SETTINGS, 0, s)),
    "an acknowledgement with more": before(frame(SETTINGS, ACK, 0, b"x" * 6)),
    "settings that push": before(settings((2, 1))), "a frame size of 0": before(settings((5, 0))),
    "a short ping": before(frame(PING, 0, 0, b"x")),
    "a short reset": lambda s: frame(RST_STREAM, 0, s, b"x"),
    "3,000 pings": before(frame(PING, 0, 0, bytes(8)) * 3_000),
    "3,000 settings": before(settings() * 3_000),
}
CUT = {
    "a length of more": saying(("content-length", "3")),
    "a length of less": saying(("content-length", "1")),
    "two heads": begun(lambda s: head((":status", "404"), stream=s) + data(b"evil", s)),
    "trailers without end": lambda s: behind(("x", "y"), flags=END_HEADERS)(s) + data(b"evil", s),
    "a frame too long": begun(lambda s: data(b"x" * 20_000, s)),
    "padding too long": begun(lambda s: frame(DATA, END_STREAM | 8, s, b"\x50ok")),
    "reset": begun(lambda s: data(b"o", s, 0) + reset(8)(s)),
    "reset in order": begun(lambda s: data(b"o", s, 0) + reset(0)(s)),
    "20,000 empty frames": begun(lambda s: frame(DATA, 0, s) * 20_000 + data(b"ok", s)),
    **{f"trailer {name!r}": behind((name, value)) for name, value in [
        (":status", "404"), (":path", "/"), ("transfer-encoding", "chunked"), ("connection", "close"),
        ("X", "y"), ("x", "a\r\nevil: 1"), ("x", "a\0"), ("content-length", "5"), ("host", "evil"),
        ("set-cookie", "gatehouse_session=evil"), ("location", "http://evil"), ("", "evil"),
        ("x y", "evil")]},
}
PASSED = {
    "usual": good, "a length": saying(("content-length", "2")),
    "a length of 02": saying(("content-length", "02")), "a tab": saying(("x", "a\tb")),
    "beyond ASCII": saying(("x", "\xfc")), "100 fields": saying(*[("x", "y")] * 100),
    "Host": saying(("host", "evil")), "TE": saying(("te", "trailers")),
    "HTTP2-Settings": saying(("http2-settings", "evil")), "the session's cookie": saying(
        ("set-cookie", "gatehouse_session=evil"), ("set-cookie", "=gatehouse_session=evil")),
    **{f"{status} first": before(lambda s, status=status: head((":status", status), ("x", "evil"),
                                                               stream=s))
       for status in ("100", "102", "103", "199")},
    "16 interim answers": before(lambda s: head((":status", "103"), stream=s) * 16),
    "a trailer": behind(("x", "y")), "no trailer": behind(),
    "GOAWAY first": before(lambda s: goaway(s, 0)),
    "data behind the end": lambda s: good(s) + data(b"evil", s),
    "an answer behind the end": lambda s: good(s) + head(OK, stream=s) + data(b"evil", s),
    "a reset behind the end": lambda s: good(s) + reset(0)(s),
    "padding": begun(lambda s: frame(DATA, END_STREAM | 8, s, b"\x05ok" + bytes(5))),
    "two frames": begun(lambda s: data(b"o", s, 0) + data(b"k", s)),
    "empty frames": begun(lambda s: data(b"", s, 0) * 5 + data(b"ok", s, 0) + data(b"", s)),
    "a continuation": lambda s: (frame(HEADERS, 0, s, block(OK))
                                 + frame(CONTINUATION, END_HEADERS, s, block(("x", "y")))
                                 + data(b"ok", s)),
    "a frame of no kind": before(lambda s: frame(0xee, 0, s, b"evil")),
    "a priority": before(lambda s: frame(PRIORITY, 0, s, b"\0\0\0\0\1")),
    "a window of 0": before(settings((4, 0))),
}


@pytest.fixture(scope="module")
def upstream():
    with Http2Upstream() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(upstream, tmp_path_factory):
    route = {"service": upstream.url, "protocol": "http2", "timeout": "10s"}
    with GatewayAlone(tmp_path_factory.mktemp("gateway"), [route]) as running:
        yield running


def ask_by_http1(gateway: GatewayAlone) -> tuple[int, bytes, bool]:
    """Status, body and fields together, and whether the answer is whole."""
    with Client(gateway.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") as client:
        try:
            got = client.answer()
        except Cut:
            return 0, b"", False
        return got.status, got.body + str(got.fields).encode(), True


def ask_by_http2(gateway: GatewayAlone) -> tuple[int, bytes, bool]:
    with Http2(Client(gateway.port).socket).greet() as client:
        client.send(head(*get(authority="a"), stream=1, flags=END_HEADERS | END_STREAM))
        status, content = 0, b""
        while True:
            got = client.next(HEADERS, DATA, RST_STREAM)
            if got.kind == RST_STREAM:
                return status, content, False
            content += got.payload
            status = status or status_of(got.payload)
            if got.flags & END_STREAM:
                return status, content, True


ASK = pytest.mark.parametrize("ask", [ask_by_http1, ask_by_http2], ids=["http1", "http2"])


def assert_next_is_served(gateway) -> None:
    for ask in (ask_by_http1, ask_by_http2):
        status, content, whole = ask(gateway)
        assert status == 200 and whole and b"ok" in content and b"evil" not in content


def outcome(upstream, gateway, ask, script) -> tuple[int, bytes, bool]:
    """Of a request that is answered so: never what may not pass, and nothing of it for the next."""
    upstream.script = script
    try:
        got = ask(gateway)
    finally:
        upstream.script = good
    assert b"evil" not in got[1]
    assert_next_is_served(gateway)
    return got


@ASK
@pytest.mark.parametrize("script", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_an_answer_that_is_none_is_an_error(upstream, gateway, script, ask):
    status, _, whole = outcome(upstream, gateway, ask, script)
    assert status in (502, 503) and whole


@ASK
@pytest.mark.parametrize("script", CUT.values(), ids=CUT)
def test_an_answer_that_breaks_off_never_looks_whole(upstream, gateway, script, ask):
    status, _, whole = outcome(upstream, gateway, ask, script)
    assert not whole or status == 502


@ASK
@pytest.mark.parametrize("script", PASSED.values(), ids=PASSED)
def test_an_answer_goes_on_in_one_form(upstream, gateway, script, ask):
    status, content, whole = outcome(upstream, gateway, ask, script)
    assert status == 200 and whole and b"ok" in content


@ASK
@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("content", [None, b"forged"], ids=["none", "some"])
def test_an_answer_without_content_has_none(upstream, gateway, ask, status, content):
    def script(stream: int) -> bytes:
        flags = END_HEADERS | (0 if content else END_STREAM)
        answer = head((":status", str(status)), stream=stream, flags=flags)
        return answer + (data(content, stream) if content else b"")

    got, told, whole = outcome(upstream, gateway, ask, script)
    assert got == status and whole and b"forged" not in told


@pytest.mark.parametrize("code", [2, 8, 11], ids=["INTERNAL_ERROR", "CANCEL", "ENHANCE_YOUR_CALM"])
def test_a_stream_that_the_service_breaks_off_is_not_sent_again(tmp_path, code):
    with Http2Upstream() as upstream, GatewayAlone(tmp_path, [
            {"service": upstream.url, "protocol": "http2"}]) as gateway:
        gateway.get("/")
        upstream.script, asked = reset(code), upstream.asked
        assert gateway.get("/").status_code in (502, 503)
        assert upstream.asked - asked == 1
        upstream.script = good


def test_a_stream_that_is_refused_is_sent_again_once(tmp_path):
    with Http2Upstream() as upstream, GatewayAlone(tmp_path, [
            {"service": upstream.url, "protocol": "http2"}]) as gateway:
        gateway.get("/")
        upstream.script, asked = reset(7), upstream.asked
        assert gateway.get("/").status_code == 503
        assert upstream.asked - asked == 2
