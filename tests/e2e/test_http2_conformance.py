"""HTTP/2 at the front, as h2spec 2.6 checks it (https://github.com/summerwind/h2spec).

Every case of h2spec, the strict one too, by its number: in cleartext by prior knowledge and over TLS
by ALPN. As h2spec does, each frame is sent by itself once both sides' settings are acknowledged. What
is asked of the gateway is at times more: the connection ends in order, the upstream saw what was sent,
and nothing of what is malformed.
"""

import dataclasses
import itertools
import struct
from collections.abc import Callable, Iterable

import pytest
from certificates import make_certificate
from edge import (ENABLE_PUSH, HEADER_TABLE_SIZE, INITIAL_WINDOW, MAX_FRAME, MAX_STREAMS, PADDED,
                  PRIORITY, PRIORITY_FLAG, PUSH_PROMISE, WINDOW_UPDATE, Http2, reset, settings,
                  tls_client, window_update)
from gateway_alone import GatewayAlone
from wire import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE,
                  RST_STREAM, SETTINGS, Client, Recorder, Seen, block, frame, ok, status_of)

BODY = b"an answer of some length"
EARLY = "early"  # what the upstream answers before the request is whole
HELLO = b"h2spec\0\0"
ZEROS = bytes(8)
MOST = 2**31 - 1
LONG = ("x-dummy0", "x" * 4000)
WHOLE = END_STREAM | END_HEADERS
UNKNOWN_TYPE, UNKNOWN_SETTING, UNKNOWN_CODE, UNDEFINED_FLAGS = 0x16, 0xff, 0xff, 0x16
# Name and text, as they are and with Huffman's code (RFC 7541, appendix B).
USER_AGENT = (b"\x0auser-agent", b"\x87" + bytes.fromhex("b505b161cc5a93"))
X_TEST = (b"\x06x-test", b"\x85" + bytes.fromhex("f2b24a84ff"))
H2SPEC = (b"\x06h2spec", b"\x84" + bytes.fromhex("9c48aca4"))
INDEXED, NOT_INDEXED, NEVER_INDEXED = b"\x40", b"\x00", b"\x10"


class Conversation(Http2):
    """A client that has one request to make, of which it may send only a part."""

    def __init__(self, connection, scheme: str, authority: str, path: str) -> None:
        super().__init__(connection)
        self.pseudo = {":method": "GET", ":scheme": scheme, ":path": path, ":authority": authority}

    def fields(self, *more: tuple[str, str], without: str = "", **changed: str) -> bytes:
        """The header block of a GET; `method="POST"` changes its :method."""
        pseudo = self.pseudo | {f":{name}": value for name, value in changed.items()}
        return block(*[field for field in pseudo.items() if field[0] != without], *more)

    def get(self, *more: tuple[str, str], stream: int = 1, flags: int = WHOLE, **changed) -> bytes:
        return frame(HEADERS, flags, stream, self.fields(*more, **changed))

    def post(self, *more: tuple[str, str], flags: int = END_HEADERS) -> bytes:
        return self.get(*more, flags=flags, method="POST")

    def get_with(self, behind: bytes = b"", before: bytes = b"") -> bytes:
        """A GET whose header block has these bytes too."""
        return frame(HEADERS, WHOLE, 1, before + self.fields() + behind)

    def wait_for_end(self) -> None:
        """Until the answer is whole."""
        self.answer_of(1)

    def wait_for_acknowledgement(self) -> None:
        got = self.next(SETTINGS)
        assert got.flags & ACK


def data(content: bytes = b"test", stream: int = 1, flags: int = END_STREAM) -> bytes:
    return frame(DATA, flags, stream, content)


def more_data() -> bytes:
    return data(flags=0)


def trailers(*fields: tuple[str, str], flags: int = WHOLE) -> bytes:
    return frame(HEADERS, flags, 1, block(*fields))


def continuation(content: bytes = block(LONG), stream: int = 1, flags: int = END_HEADERS) -> bytes:
    return frame(CONTINUATION, flags, stream, content)


def priority(stream: int = 1, on: int = 0, weight: int = 255, exclusive: bool = False) -> bytes:
    return frame(PRIORITY, 0, stream, struct.pack(">IB", on | exclusive << 31, weight))


def ping(content: bytes = ZEROS, flags: int = 0, stream: int = 0) -> bytes:
    return frame(PING, flags, stream, content)


def goaway(code: int = 0, text: bytes = b"") -> bytes:
    return frame(GOAWAY, 0, 0, struct.pack(">II", 0, code) + text)


# --- verdicts: each is given the conversation and what the upstream has seen since ---

Verdict = Callable[[Conversation, Callable[[], list[Seen]]], None]


def answered(body: bytes | None = None, **fields: str) -> Verdict:
    """The request is served; the upstream got this body, and a field `x_test` as "x-test"."""
    def verdict(c: Conversation, seen) -> None:
        assert status_of(c.next(HEADERS).payload) == 200
        request, = seen()
        assert request.whole and body in (None, request.body)
        for name, value in fields.items():
            assert request.all(name.replace("_", "-")) == [value]
    return verdict


def pinged(content: bytes = ZEROS) -> Verdict:
    """The connection goes on: its next PING is the answer to ours."""
    def verdict(c: Conversation, _) -> None:
        got = c.next(PING)
        assert (got.flags, got.payload) == (ACK, content)
    return verdict


def pinged_or_ended(content: bytes) -> Verdict:
    def verdict(c: Conversation, _) -> None:
        while (got := c.frame()) and got.kind != PING:
            pass
        assert got is None or (got.flags, got.payload) == (ACK, content)
    return verdict


def acknowledged(c: Conversation, _) -> None:
    c.wait_for_acknowledgement()


def first_is_settings(c: Conversation, _) -> None:
    got = c.frame()
    assert got and (got.kind, got.flags) == (SETTINGS, 0)


def some_data(size: int | None = None) -> Verdict:
    """DATA comes, of that size."""
    def verdict(c: Conversation, _) -> None:
        assert size in (None, len(c.next(DATA, stream=1).payload))
    return verdict


def connection_error(*codes: str) -> Verdict:
    """GOAWAY with one of the codes, and the connection ends."""
    def verdict(c: Conversation, _) -> None:
        got = c.next(GOAWAY, RST_STREAM)
        assert got.kind == GOAWAY and got.code in codes, got
        assert c.frame() is None
    return verdict


def stream_error(*codes: str, stream: int = 1) -> Verdict:
    """One of the codes, in a RST_STREAM of that stream or in GOAWAY."""
    def verdict(c: Conversation, _) -> None:
        got = c.next(GOAWAY, RST_STREAM)
        assert got.code in codes, got
        assert got.kind == GOAWAY or got.stream == stream
    return verdict


def stream_reset(code: str) -> Verdict:
    def verdict(c: Conversation, _) -> None:
        got = c.next(GOAWAY, RST_STREAM)
        assert (got.kind, got.stream, got.code) == (RST_STREAM, 1, code)
    return verdict


def malformed(c: Conversation, seen) -> None:
    """A fault of the stream or the connection, and the upstream got no such request whole."""
    stream_error("PROTOCOL_ERROR")(c, seen)
    assert not any(request.whole for request in seen())


def hung_up(c: Conversation, _) -> None:
    """GOAWAY may be left out (RFC 9113, section 3.4), but nothing else may come than frames."""
    while (got := c.frame()) and got.kind != GOAWAY:
        assert got.kind in (SETTINGS, WINDOW_UPDATE)
    assert got is None or got.code == "PROTOCOL_ERROR"


# --- the cases ---

@dataclasses.dataclass
class Case:
    number: str
    name: str
    frames: Callable[[Conversation], Iterable[bytes]]  # sent one by one
    verdict: Verdict
    greets: bool = True

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


def literal(kind: bytes, name: bytes, value: bytes) -> Callable[[Conversation], list[bytes]]:
    return lambda c: [c.get_with(kind + name + value)]


def behind_the_end(*late: Callable[[Conversation], bytes]):
    """Frames on a stream whose answer is whole."""
    def frames(c: Conversation) -> Iterable[bytes]:
        yield c.get()
        c.wait_for_end()
        yield from (make(c) for make in late)
    return frames


def with_window(*sizes: int):
    """A GET once this initial window, the last of several, is acknowledged."""
    def frames(c: Conversation) -> Iterable[bytes]:
        yield settings(*((INITIAL_WINDOW, size) for size in sizes))
        c.wait_for_acknowledgement()
        yield c.get()
    return frames


def window_opened_later(c: Conversation) -> Iterable[bytes]:
    yield from with_window(0)(c)
    yield settings((INITIAL_WINDOW, 1))


def window_made_negative(c: Conversation) -> Iterable[bytes]:
    yield from with_window(3)(c)
    c.next(DATA)
    yield settings((INITIAL_WINDOW, 2))
    c.wait_for_acknowledgement()
    yield window_update(1, 2)


def one_stream_too_many(c: Conversation) -> Iterable[bytes]:
    yield settings((INITIAL_WINDOW, 0))
    yield from (c.get(stream=2 * i + 1) for i in range(101))


def headers_with_too_much_padding(c: Conversation) -> list[bytes]:
    fields = c.fields()
    assert len(fields) < 254
    return [frame(HEADERS, PADDED | WHOLE, 1, bytes([len(fields) + 2]) + fields)]


def greeting(_: Conversation) -> list[bytes]:
    return [PREFACE, settings((INITIAL_WINDOW, 65535))]


PROTOCOL_ERROR = connection_error("PROTOCOL_ERROR")
FRAME_SIZE_ERROR = connection_error("FRAME_SIZE_ERROR")
COMPRESSION_ERROR = connection_error("COMPRESSION_ERROR")
FLOW_CONTROL_ERROR = connection_error("FLOW_CONTROL_ERROR")
STREAM_CLOSED = stream_error("STREAM_CLOSED")
STREAM_CLOSED_OR_PROTOCOL_ERROR = stream_error("STREAM_CLOSED", "PROTOCOL_ERROR")

GENERIC = [
    Case("generic/1/1", "preface", greeting, first_is_settings, greets=False),
    Case("generic/2/1", "PRIORITY of an idle stream", lambda c: [priority(), ping()], pinged()),
    Case("generic/2/2", "WINDOW_UPDATE of a half-closed stream",
         lambda c: [settings((INITIAL_WINDOW, 0)), c.get(), window_update(1, 1)], some_data(1)),
    Case("generic/2/3", "PRIORITY of a half-closed stream",
         lambda c: [settings((INITIAL_WINDOW, 0)), c.get(), priority(), window_update(1, 1)],
         some_data(1)),
    Case("generic/2/4", "RST_STREAM of a half-closed stream",
         lambda c: [c.get(), reset(1), ping()], pinged()),
    Case("generic/2/5", "PRIORITY of a closed stream",
         behind_the_end(lambda c: priority(), lambda c: ping()), pinged()),
    Case("generic/3.1/1", "DATA", lambda c: [c.post(), data()], answered(b"test")),
    Case("generic/3.1/2", "two DATA", lambda c: [c.post(), more_data(), data()],
         answered(b"testtest")),
    Case("generic/3.1/3", "DATA with padding",
         lambda c: [c.post(), data(b"\x05test" + bytes(5), flags=PADDED | END_STREAM)],
         answered(b"test")),
    Case("generic/3.2/1", "HEADERS", lambda c: [c.get()], answered()),
    Case("generic/3.2/2", "HEADERS with padding",
         lambda c: [frame(HEADERS, PADDED | WHOLE, 1, b"\x08" + c.fields() + ZEROS)], answered()),
    Case("generic/3.2/3", "HEADERS with priority",
         lambda c: [frame(HEADERS, PRIORITY_FLAG | WHOLE, 1, b"\0\0\0\0\xff" + c.fields())],
         answered()),
    Case("generic/3.3/1", "PRIORITY, 1", lambda c: [priority(weight=0), c.get()], answered()),
    Case("generic/3.3/2", "PRIORITY, 256", lambda c: [priority(weight=255), c.get()], answered()),
    Case("generic/3.3/3", "PRIORITY with a dependency",
         lambda c: [priority(3, on=1, weight=0), c.get()], answered()),
    Case("generic/3.3/4", "PRIORITY, exclusive",
         lambda c: [priority(weight=0, exclusive=True), c.get()], answered()),
    Case("generic/3.3/5", "PRIORITY of a higher stream, then HEADERS",
         lambda c: [priority(3), c.get()], answered()),
    Case("generic/3.4/1", "RST_STREAM",
         lambda c: [c.get(flags=END_HEADERS), reset(1), ping()], pinged()),
    Case("generic/3.5/1", "SETTINGS",
         lambda c: [settings((HEADER_TABLE_SIZE, 4096), (ENABLE_PUSH, 1), (MAX_STREAMS, 100),
                             (INITIAL_WINDOW, 65535), (MAX_FRAME, 16384), (6, 100))], acknowledged),
    Case("generic/3.7/1", "PING", lambda c: [ping(HELLO)], pinged(HELLO)),
    Case("generic/3.8/1", "GOAWAY", lambda c: [goaway(0, b"h2spec"), ping(HELLO)],
         pinged_or_ended(HELLO)),
    Case("generic/3.9/1", "WINDOW_UPDATE of the connection",
         lambda c: [window_update(0, 1), ping()], pinged()),
    Case("generic/3.9/2", "WINDOW_UPDATE of a stream",
         lambda c: [c.get(), window_update(1, 1)], answered()),
    Case("generic/3.10/1", "CONTINUATION",
         lambda c: [frame(HEADERS, END_STREAM, 1, c.fields()[:5]), continuation(c.fields()[5:])],
         answered()),
    Case("generic/3.10/2", "two CONTINUATION",
         lambda c: [frame(HEADERS, END_STREAM, 1, c.fields()[:5]),
                    continuation(c.fields()[5:10], flags=0), continuation(c.fields()[10:])],
         answered()),
    Case("generic/4/1", "GET", lambda c: [c.get()], answered()),
    Case("generic/4/2", "HEAD", lambda c: [c.get(method="HEAD")], answered()),
    Case("generic/4/3", "POST", lambda c: [c.post(), data()], answered(b"test")),
    Case("generic/4/4", "POST with trailers",
         lambda c: [c.post(("trailer", "x-test")), more_data(), trailers(("x-test", "ok"))],
         answered(b"test")),
    Case("generic/5/1", "an indexed field", lambda c: [c.get_with(b"\xba")], answered(user_agent="")),
    Case("generic/5/2", "a literal to be indexed, known name",
         literal(INDEXED, USER_AGENT[1], H2SPEC[1]), answered(user_agent="h2spec")),
    Case("generic/5/3", "the same without Huffman's code",
         literal(INDEXED, USER_AGENT[0], H2SPEC[0]), answered(user_agent="h2spec")),
    Case("generic/5/4", "a literal to be indexed, new name",
         literal(INDEXED, X_TEST[0], H2SPEC[0]), answered(x_test="h2spec")),
    Case("generic/5/5", "the same in Huffman's code",
         literal(INDEXED, X_TEST[1], H2SPEC[1]), answered(x_test="h2spec")),
    Case("generic/5/6", "a literal not to be indexed, known name",
         literal(NOT_INDEXED, USER_AGENT[0], H2SPEC[0]), answered(user_agent="h2spec")),
    Case("generic/5/7", "the same in Huffman's code",
         literal(NOT_INDEXED, USER_AGENT[1], H2SPEC[1]), answered(user_agent="h2spec")),
    Case("generic/5/8", "a literal not to be indexed, new name",
         literal(NOT_INDEXED, X_TEST[0], H2SPEC[0]), answered(x_test="h2spec")),
    Case("generic/5/9", "the same in Huffman's code",
         literal(NOT_INDEXED, X_TEST[1], H2SPEC[1]), answered(x_test="h2spec")),
    Case("generic/5/10", "a literal never to be indexed, known name",
         literal(NEVER_INDEXED, USER_AGENT[0], H2SPEC[0]), answered(user_agent="h2spec")),
    Case("generic/5/11", "the same in Huffman's code",
         literal(NEVER_INDEXED, USER_AGENT[1], H2SPEC[1]), answered(user_agent="h2spec")),
    Case("generic/5/12", "a literal never to be indexed, new name",
         literal(NEVER_INDEXED, X_TEST[0], H2SPEC[0]), answered(x_test="h2spec")),
    Case("generic/5/13", "the same in Huffman's code",
         literal(NEVER_INDEXED, X_TEST[1], H2SPEC[1]), answered(x_test="h2spec")),
    Case("generic/5/14", "a table size, 128", lambda c: [c.get_with(before=b"\x3f\x61")],
         answered()),
    Case("generic/5/15", "two table sizes, 128 and 4096",
         lambda c: [c.get_with(before=b"\x3f\x61\x3f\xe1\x1f")], answered()),
]

FRAMES = [
    Case("http2/3.5/1", "preface", greeting, first_is_settings, greets=False),
    Case("http2/3.5/2", "what is no preface",
         lambda c: [b"INVALID CONNECTION PREFACE\r\n\r\n"], hung_up, greets=False),
    Case("http2/4.1/1", "an unknown type",
         lambda c: [frame(UNKNOWN_TYPE, 0, 0, ZEROS), ping()], pinged()),
    Case("http2/4.1/2", "undefined flags", lambda c: [ping(flags=UNDEFINED_FLAGS)], pinged()),
    Case("http2/4.1/3", "the reserved bit",
         lambda c: [ping(flags=UNDEFINED_FLAGS, stream=1 << 31)], pinged()),
    Case("http2/4.2/1", "the largest DATA", lambda c: [c.post(), data(b"x" * 16384)],
         answered(b"x" * 16384)),
    Case("http2/4.2/2", "larger DATA", lambda c: [c.post(), data(b"x" * 16385)],
         stream_error("FRAME_SIZE_ERROR")),
    Case("http2/4.2/3", "larger HEADERS",
         lambda c: [c.get(*((f"x-dummy{i}", LONG[1]) for i in range(5)))], FRAME_SIZE_ERROR),
    Case("http2/4.3/1", "half a field", lambda c: [frame(HEADERS, WHOLE, 1, b"\x40")],
         COMPRESSION_ERROR),
    Case("http2/4.3/2", "PRIORITY within a header block",
         lambda c: [c.get(flags=0), priority(), continuation()], PROTOCOL_ERROR),
    Case("http2/4.3/3", "HEADERS of another stream within a header block",
         lambda c: [c.get(flags=0), c.get(stream=3), continuation()], PROTOCOL_ERROR),
    Case("http2/5.1/1", "DATA, idle", lambda c: [data()], PROTOCOL_ERROR),
    Case("http2/5.1/2", "RST_STREAM, idle", lambda c: [reset(1)], PROTOCOL_ERROR),
    Case("http2/5.1/3", "WINDOW_UPDATE, idle", lambda c: [window_update(1, 100)], PROTOCOL_ERROR),
    Case("http2/5.1/4", "CONTINUATION, idle", lambda c: [continuation(c.fields())],
         PROTOCOL_ERROR),
    Case("http2/5.1/5", "DATA, half-closed", lambda c: [c.get(), data()], STREAM_CLOSED),
    Case("http2/5.1/6", "HEADERS, half-closed", lambda c: [c.get(), c.get()], STREAM_CLOSED),
    Case("http2/5.1/7", "CONTINUATION, half-closed",
         lambda c: [c.get(), continuation(c.fields())], STREAM_CLOSED_OR_PROTOCOL_ERROR),
    Case("http2/5.1/8", "DATA, reset", lambda c: [c.get(flags=END_HEADERS), reset(1), data()],
         STREAM_CLOSED),
    Case("http2/5.1/9", "HEADERS, reset", lambda c: [c.get(flags=END_HEADERS), reset(1), c.get()],
         STREAM_CLOSED),
    Case("http2/5.1/10", "CONTINUATION, reset",
         lambda c: [c.get(flags=END_HEADERS), reset(1), continuation()],
         STREAM_CLOSED_OR_PROTOCOL_ERROR),
    Case("http2/5.1/11", "DATA, closed", behind_the_end(lambda c: data()), STREAM_CLOSED),
    Case("http2/5.1/12", "HEADERS, closed", behind_the_end(lambda c: c.get()),
         connection_error("STREAM_CLOSED")),
    Case("http2/5.1/13", "CONTINUATION, closed", behind_the_end(lambda c: continuation()),
         connection_error("STREAM_CLOSED", "PROTOCOL_ERROR")),
    Case("http2/5.1.1/1", "an even stream", lambda c: [c.get(stream=2)], PROTOCOL_ERROR),
    Case("http2/5.1.1/2", "a lower stream", lambda c: [c.get(stream=5), c.get(stream=3)],
         PROTOCOL_ERROR),
    Case("http2/5.1.2/1", "a stream too many", one_stream_too_many,
         stream_error("PROTOCOL_ERROR", "REFUSED_STREAM", stream=201)),
    Case("http2/5.3.1/1", "HEADERS that depend on themselves",
         lambda c: [frame(HEADERS, PRIORITY_FLAG | WHOLE, 1, b"\0\0\0\x01\xff" + c.fields())],
         stream_error("PROTOCOL_ERROR")),
    Case("http2/5.3.1/2", "PRIORITY that depends on itself", lambda c: [priority(1, on=1)],
         stream_error("PROTOCOL_ERROR")),
    Case("http2/5.4.1/1", "the end behind GOAWAY", lambda c: [ping(stream=3)], PROTOCOL_ERROR),
    Case("http2/5.4.1/2", "GOAWAY before the end (strict)", lambda c: [ping(stream=3)],
         PROTOCOL_ERROR),
    Case("http2/5.5/1", "an unknown type", lambda c: [frame(UNKNOWN_TYPE, 0, 0, ZEROS), ping()],
         pinged()),
    Case("http2/5.5/2", "an unknown type within a header block",
         lambda c: [c.get(flags=END_STREAM), frame(UNKNOWN_TYPE, 0, 0, ZEROS)], PROTOCOL_ERROR),
    Case("http2/6.1/1", "DATA of no stream", lambda c: [data(stream=0)], PROTOCOL_ERROR),
    Case("http2/6.1/2", "DATA, half-closed", lambda c: [c.post(flags=WHOLE), data()],
         STREAM_CLOSED),
    Case("http2/6.1/3", "DATA with too much padding",
         lambda c: [c.post(("content-length", "4")), data(b"\x06test", flags=PADDED | END_STREAM)],
         PROTOCOL_ERROR),
    Case("http2/6.2/1", "HEADERS, then PRIORITY",
         lambda c: [c.get(flags=0), priority(), continuation()], PROTOCOL_ERROR),
    Case("http2/6.2/2", "HEADERS, then HEADERS of another stream",
         lambda c: [c.get(flags=0), c.get(stream=3), continuation()], PROTOCOL_ERROR),
    Case("http2/6.2/3", "HEADERS of no stream", lambda c: [c.get(stream=0)], PROTOCOL_ERROR),
    Case("http2/6.2/4", "HEADERS with too much padding", headers_with_too_much_padding,
         stream_error("PROTOCOL_ERROR")),
    Case("http2/6.3/1", "PRIORITY of no stream", lambda c: [priority(0)], PROTOCOL_ERROR),
    Case("http2/6.3/2", "PRIORITY of four bytes",
         lambda c: [c.get(), frame(PRIORITY, 0, 1, b"\x80\0\0\x01")],
         stream_error("FRAME_SIZE_ERROR")),
    Case("http2/6.4/1", "RST_STREAM of no stream", lambda c: [reset(0)], PROTOCOL_ERROR),
    Case("http2/6.4/2", "RST_STREAM of an idle stream", lambda c: [reset(1)], PROTOCOL_ERROR),
    Case("http2/6.4/3", "RST_STREAM of three bytes",
         lambda c: [c.get(), frame(RST_STREAM, 0, 1, bytes(3))], stream_error("FRAME_SIZE_ERROR")),
    Case("http2/6.5/1", "SETTINGS with ACK and content",
         lambda c: [frame(SETTINGS, ACK, 0, b"\0")], FRAME_SIZE_ERROR),
    Case("http2/6.5/2", "SETTINGS of a stream",
         lambda c: [settings((MAX_STREAMS, 100), stream=1)], PROTOCOL_ERROR),
    Case("http2/6.5/3", "SETTINGS of three bytes",
         lambda c: [frame(SETTINGS, 0, 0, b"\0\x03\0")],
         connection_error("PROTOCOL_ERROR", "FRAME_SIZE_ERROR")),
    Case("http2/6.5.2/1", "ENABLE_PUSH, 2", lambda c: [settings((ENABLE_PUSH, 2))],
         PROTOCOL_ERROR),
    Case("http2/6.5.2/2", "INITIAL_WINDOW_SIZE too large",
         lambda c: [settings((INITIAL_WINDOW, MOST + 1))], FLOW_CONTROL_ERROR),
    Case("http2/6.5.2/3", "MAX_FRAME_SIZE too small", lambda c: [settings((MAX_FRAME, 16383))],
         PROTOCOL_ERROR),
    Case("http2/6.5.2/4", "MAX_FRAME_SIZE too large", lambda c: [settings((MAX_FRAME, 1 << 24))],
         PROTOCOL_ERROR),
    Case("http2/6.5.2/5", "an unknown setting",
         lambda c: [settings((UNKNOWN_SETTING, 1)), ping()], pinged()),
    Case("http2/6.5.3/1", "the last of two values holds", with_window(100, 1), some_data(1)),
    Case("http2/6.5.3/2", "ACK", lambda c: [settings((ENABLE_PUSH, 0))], acknowledged),
    Case("http2/6.7/1", "PING", lambda c: [ping(HELLO)], pinged(HELLO)),
    Case("http2/6.7/2", "PING with ACK", lambda c: [ping(b"invalid\0", flags=ACK), ping(HELLO)],
         pinged(HELLO)),
    Case("http2/6.7/3", "PING of a stream", lambda c: [ping(stream=1)], PROTOCOL_ERROR),
    Case("http2/6.7/4", "PING of six bytes", lambda c: [ping(bytes(6))], FRAME_SIZE_ERROR),
    Case("http2/6.8/1", "GOAWAY of a stream", lambda c: [frame(GOAWAY, 0, 1, ZEROS)],
         PROTOCOL_ERROR),
    Case("http2/6.9/1", "WINDOW_UPDATE by 0", lambda c: [window_update(0, 0)], PROTOCOL_ERROR),
    Case("http2/6.9/2", "WINDOW_UPDATE by 0 of a stream",
         lambda c: [c.get(flags=END_HEADERS), window_update(1, 0)],
         stream_error("PROTOCOL_ERROR")),
    Case("http2/6.9/3", "WINDOW_UPDATE of three bytes",
         lambda c: [frame(WINDOW_UPDATE, 0, 0, b"\0\0\x01")], FRAME_SIZE_ERROR),
    Case("http2/6.9.1/1", "no more than a window of 1", with_window(1), some_data(1)),
    Case("http2/6.9.1/2", "a window too large",
         lambda c: [window_update(0, MOST), window_update(0, MOST)], FLOW_CONTROL_ERROR),
    Case("http2/6.9.1/3", "a stream's window too large",
         lambda c: [c.get(flags=END_HEADERS), window_update(1, MOST), window_update(1, MOST)],
         stream_reset("FLOW_CONTROL_ERROR")),
    Case("http2/6.9.2/1", "the initial window changes", window_opened_later, some_data(1)),
    Case("http2/6.9.2/2", "a window becomes negative", window_made_negative, some_data(1)),
    Case("http2/6.9.2/3", "INITIAL_WINDOW_SIZE too large",
         lambda c: [settings((INITIAL_WINDOW, MOST + 1))], FLOW_CONTROL_ERROR),
    Case("http2/6.10/1", "two CONTINUATION",
         lambda c: [c.get(flags=END_STREAM), continuation(flags=0), continuation(block(("x-last", "1")))],
         answered(x_dummy0=LONG[1], x_last="1")),
    Case("http2/6.10/2", "CONTINUATION, then DATA",
         lambda c: [c.post(flags=0), continuation(flags=0), data()], PROTOCOL_ERROR),
    Case("http2/6.10/3", "CONTINUATION of no stream",
         lambda c: [c.get(flags=END_STREAM), continuation(stream=0)], PROTOCOL_ERROR),
    Case("http2/6.10/4", "CONTINUATION behind the last HEADERS",
         lambda c: [c.get(), continuation()], PROTOCOL_ERROR),
    Case("http2/6.10/5", "CONTINUATION behind the last CONTINUATION",
         lambda c: [c.get(flags=END_STREAM), continuation(), continuation()], PROTOCOL_ERROR),
    Case("http2/6.10/6", "CONTINUATION behind DATA",
         lambda c: [c.post(flags=0), data(), continuation(flags=0), continuation(stream=0)],
         PROTOCOL_ERROR),
    Case("http2/7/1", "GOAWAY with an unknown code",
         lambda c: [goaway(UNKNOWN_CODE), ping(HELLO)], pinged_or_ended(HELLO)),
    Case("http2/7/2", "RST_STREAM with an unknown code",
         lambda c: [c.post(), reset(1, UNKNOWN_CODE), ping()], pinged()),
]

MESSAGES = [
    Case("http2/8.1/1", "trailers without END_STREAM",
         lambda c: [c.post(), more_data(), trailers(("x-test", "ok"), flags=END_HEADERS)],
         malformed),
    Case("http2/8.1.2/1", "a name in upper case", lambda c: [c.get(("X-TEST", "ok"))], malformed),
    Case("http2/8.1.2.1/1", "an unknown pseudo-field", lambda c: [c.get((":test", "ok"))],
         malformed),
    Case("http2/8.1.2.1/2", "an answer's pseudo-field", lambda c: [c.get((":status", "200"))],
         malformed),
    Case("http2/8.1.2.1/3", "a pseudo-field in trailers",
         lambda c: [c.post(), more_data(), trailers((":method", "POST"), flags=END_HEADERS)],
         malformed),
    Case("http2/8.1.2.1/4", "pseudo-fields behind others",
         lambda c: [frame(HEADERS, WHOLE, 1, block(("x-test", "ok")) + c.fields())], malformed),
    Case("http2/8.1.2.2/1", "Connection", lambda c: [c.get(("connection", "keep-alive"))],
         malformed),
    Case("http2/8.1.2.2/2", "TE other than trailers",
         lambda c: [c.get(("trailers", "test"), ("te", "trailers, deflate"))], malformed),
    Case("http2/8.1.2.3/1", "an empty :path", lambda c: [c.get(path="")], malformed),
    Case("http2/8.1.2.3/2", "no :method", lambda c: [c.get(without=":method")], malformed),
    Case("http2/8.1.2.3/3", "no :scheme", lambda c: [c.get(without=":scheme")], malformed),
    Case("http2/8.1.2.3/4", "no :path", lambda c: [c.get(without=":path")], malformed),
    Case("http2/8.1.2.3/5", "two :method", lambda c: [c.get((":method", "GET"))], malformed),
    Case("http2/8.1.2.3/6", "two :scheme",
         lambda c: [c.get((":scheme", c.pseudo[":scheme"]))], malformed),
    Case("http2/8.1.2.3/7", "two :path", lambda c: [c.get((":path", c.pseudo[":path"]))],
         malformed),
    Case("http2/8.1.2.6/1", "a Content-Length that DATA does not keep",
         lambda c: [c.post(("content-length", "1")), data()], malformed),
    Case("http2/8.1.2.6/2", "a Content-Length that several DATA do not keep",
         lambda c: [c.post(("content-length", "1")), more_data(), data()], malformed),
    Case("http2/8.2/1", "PUSH_PROMISE",
         lambda c: [frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\x03" + c.fields())],
         PROTOCOL_ERROR),
]


def bad_fields(behind: bytes = b"", before: bytes = b"") -> Callable[[Conversation], list[bytes]]:
    return lambda c: [c.get_with(behind, before)]


def bad_text(hexadecimal: str) -> Callable[[Conversation], list[bytes]]:
    """A value in Huffman's code that is none."""
    text = bytes.fromhex(hexadecimal)
    return bad_fields(NOT_INDEXED + X_TEST[1] + bytes([0x80 | len(text)]) + text)


COMPRESSION = [
    Case("hpack/2.3.3/1", "an index beyond the tables", bad_fields(b"\xc6"), COMPRESSION_ERROR),
    Case("hpack/2.3.3/2", "a name's index beyond the tables", bad_fields(b"\x7f\x07\x00"),
         COMPRESSION_ERROR),
    Case("hpack/4.2/1", "a table size at the end", bad_fields(b"\x21"), COMPRESSION_ERROR),
    Case("hpack/5.2/1", "padding of more than 7 bits", bad_text("49509fff"), COMPRESSION_ERROR),
    Case("hpack/5.2/2", "padding of zeros", bad_text("495090"), COMPRESSION_ERROR),
    Case("hpack/5.2/3", "the end of the string within it", bad_text("4951fffffffa7f"),
         COMPRESSION_ERROR),
    Case("hpack/6.1/1", "the index 0", bad_fields(b"\x80"), COMPRESSION_ERROR),
    Case("hpack/6.3/1", "a table size above the limit", bad_fields(before=b"\x3f\xe2\x1f"),
         COMPRESSION_ERROR),
]

CASES = GENERIC + FRAMES + MESSAGES + COMPRESSION


# --- the gateway ---

class Front:
    """A gateway, over TLS or not, and the upstream behind it."""

    def __init__(self, gateway: GatewayAlone, upstream: Recorder, certificate) -> None:
        self.gateway, self.upstream, self.certificate = gateway, upstream, certificate
        self.paths = itertools.count()

    def connect(self, script: str = "body") -> Conversation:
        """With a path of its own, that the upstream answers with this script."""
        port = self.gateway.port
        scheme, authority = self.gateway.url.split("://")
        path = f"/{next(self.paths)}/say/{script}"
        if not self.certificate:
            return Conversation(Client(port).socket, scheme, authority, path)
        connection = tls_client(port, authority=self.certificate.certificate,
                                alpn=("h2", "http/1.1"))
        assert connection.selected_alpn_protocol() == "h2"
        return Conversation(connection, scheme, authority, path)

    def seen_of(self, c: Conversation) -> list[Seen]:
        """What the upstream has seen of a conversation, when nothing more of it can come."""
        line = f" {c.pseudo[':path']} ".encode()
        return [request for request in self.upstream.since(0) if line in request.head]

    def judge(self, case: Case, script: str = "body", after_the_answer: bool = False) -> None:
        with self.connect(script) as c:
            if case.greets:
                c.greet()
            for i, each in enumerate(case.frames(c)):
                if i == 1 and after_the_answer:
                    c.wait_for_end()
                c.send(each)
            case.verdict(c, lambda: self.seen_of(c))


def answer(connection, seen: Seen) -> None:
    connection.sendall(ok(b"" if seen.method == "HEAD" else BODY))


@pytest.fixture(scope="module", params=["cleartext", "tls"])
def front(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    certificate = make_certificate(folder, "localhost") if request.param == "tls" else None
    with (Recorder({"body": answer, EARLY: answer}) as upstream,
          GatewayAlone(folder, [{"prefix": "/", "service": upstream.url}],
                       tls=certificate) as gateway):
        yield Front(gateway, upstream, certificate)


def test_the_cases_are_all_there():
    numbers = [case.number for case in CASES]
    assert len(numbers) == len(set(numbers)) == 147


@pytest.mark.parametrize("case", CASES, ids=str)
def test_h2spec(front, case):
    front.judge(case)


# --- an upstream that does not wait for the request's end ---

UNFINISHED = ["generic/3.4/1", "http2/4.2/2", "http2/5.1/8", "http2/5.1/9", "http2/5.1/10",
              "http2/6.1/3", "http2/6.9/2", "http2/6.9.1/3", "http2/7/2", "http2/8.1/1",
              "http2/8.1.2.1/3", "http2/8.1.2.6/1", "http2/8.1.2.6/2"]


def in_time(attempt: Callable[[], None]) -> None:
    """Some time after an answer the rest of its request is refused: a test that is slow tries anew."""
    for _ in range(5):
        try:
            return attempt()
        except AssertionError as error:
            late = error
    raise late


@pytest.mark.parametrize("number", UNFINISHED)
def test_what_is_wrong_is_told_behind_an_early_answer_too(front, number):
    case, = (case for case in CASES if case.number == number)
    in_time(lambda: front.judge(case, EARLY, after_the_answer=True))


def test_a_request_may_end_behind_its_answer(front):
    def attempt():
        with front.connect(EARLY).greet() as c:
            c.send(c.post())
            assert c.answer_of(1)[1] == BODY
            c.send(more_data())
            c.send(data())
            c.send(ping())
            got = c.next(PING, RST_STREAM, GOAWAY)
            assert (got.kind, got.payload) == (PING, ZEROS)
    in_time(attempt)


def test_a_request_that_goes_on_behind_its_answer_is_stopped(front):
    with front.connect(EARLY).greet() as c:
        c.send(c.post())
        assert c.answer_of(1)[1] == BODY
        got = c.next(RST_STREAM, GOAWAY)
        assert (got.kind, got.code) == (RST_STREAM, "NO_ERROR")
        c.send(data() + ping())
        pinged()(c, None)
        request, = front.seen_of(c)
        assert not request.whole
