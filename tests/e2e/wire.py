"""Raw bytes on both sides of the gateway: a client, an upstream that keeps what it gets, HTTP/2."""

import dataclasses
import select
import socket
import struct
import threading

from upstreams import RawUpstream

SECONDS = 20
# setsockopt()'s arguments by which close() breaks a connection off.
RESET = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# --- HTTP/1.1: the client ---

class Cut(Exception):
    """The connection ended within an answer."""


@dataclasses.dataclass
class Answer:
    """One answer; `fields` has names in lower case, in order, as they came."""
    status: int
    fields: list[tuple[str, str]]
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    @property
    def closes(self) -> bool:
        return "close" in self.all("connection")


def fields_of(head: bytes) -> list[tuple[str, str]]:
    """The field lines of a head; one that is none fails the test."""
    fields = []
    for line in head.rstrip(b"\r\n").split(b"\r\n")[1:]:
        name, colon, value = line.decode("latin-1").partition(":")
        assert colon and name == name.strip() and name, line
        assert not any(c in value for c in "\r\n\0"), line
        fields.append((name.lower(), value.strip(" \t")))
    return fields


class Wire:
    """A socket and what came of it; reads messages as strictly as RFC 9112 lets a reader be."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.buffer = b""
        self.trailers = b""  # of the last chunked body

    def more(self) -> bool:
        try:
            piece = self.socket.recv(65536)
        except TimeoutError:
            raise AssertionError(f"nothing more comes, and no end: {self.buffer[-300:]!r}") from None
        except ConnectionError:
            piece = b""
        self.buffer += piece
        return piece != b""

    def until(self, mark: bytes) -> bytes:
        """All up to and with `mark`."""
        while mark not in self.buffer:
            if not self.more():
                raise Cut
        end = self.buffer.index(mark) + len(mark)
        return self._take(end)

    def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            if not self.more():
                raise Cut
        return self._take(count)

    def _take(self, count: int) -> bytes:
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def chunks(self) -> bytes:
        """A chunked body, with its end."""
        body = b""
        while size := int(self.until(b"\r\n")[:-2], 16):
            body += self.exactly(size)
            assert self.exactly(2) == b"\r\n"
        self.trailers = b""
        while (line := self.until(b"\r\n")) != b"\r\n":
            self.trailers += line
        return body

    def body_of(self, fields: list[tuple[str, str]]) -> bytes | None:
        """The body that the fields announce; None if they announce none."""
        codings = [value for name, value in fields if name == "transfer-encoding"]
        lengths = [value for name, value in fields if name == "content-length"]
        assert len(codings) + len(lengths) <= 1, fields
        if codings:
            assert codings == ["chunked"]
            return self.chunks()
        if lengths:
            assert lengths[0].isascii() and lengths[0].isdigit(), lengths
            return self.exactly(int(lengths[0]))
        return None


class Client(Wire):
    """A client of the gateway that sends exactly the bytes it is given."""

    def __init__(self, port: int, request: bytes = b"") -> None:
        super().__init__(socket.create_connection(("127.0.0.1", port), SECONDS))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if request:
            self.send(request)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, request: bytes) -> None:
        self.socket.sendall(request)

    def answer(self, method: str = "GET") -> Answer:
        head = self.until(b"\r\n\r\n")
        version, status, _ = head.split(b"\r\n")[0].split(b" ", 2)
        assert version == b"HTTP/1.1" and len(status) == 3, head
        answer = Answer(int(status), fields_of(head))
        if method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return answer
        body = self.body_of(answer.fields)
        if body is None:
            assert answer.closes, head
            body = self.rest()
        answer.body = body
        return answer

    def rest(self) -> bytes:
        """All that still comes; fails if the connection stays open, or ends by a reset."""
        while True:
            try:
                piece = self.socket.recv(65536)
            except TimeoutError:
                raise AssertionError(f"the connection stays open after {self.buffer[:300]!r}") from None
            except ConnectionError:
                raise Cut from None
            if not piece:
                return self._take(len(self.buffer))
            self.buffer += piece


# --- HTTP/1.1: the upstream ---

@dataclasses.dataclass
class Seen:
    """What an upstream was sent of one request. `whole`: its end came, by its own head's framing."""
    head: bytes = b""
    body: bytes = b""
    trailers: bytes = b""
    whole: bool = False
    over: bool = False

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n")[0].decode("latin-1")

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    @property
    def fields(self) -> list[tuple[str, str]]:
        return fields_of(self.head)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    def names(self) -> list[str]:
        return [name for name, _ in self.fields]


class Recorder(RawUpstream):
    """An upstream that keeps every request.

    One whose target ends with "/say/NAME" is answered by `scripts[NAME]`: bytes, or a function of
    the connection and what was seen; if NAME begins with "early", as soon as the head has come.
    Others are told their method and target. The connection stays open for the next.
    """

    def __init__(self, scripts: dict | None = None) -> None:
        super().__init__()
        self.scripts = scripts or {}
        self.seen: list[Seen] = []
        self.changed = threading.Condition()

    def since(self, count: int) -> list[Seen]:
        """The requests behind the first `count`, when nothing more of them can come."""
        with self.changed:
            assert self.changed.wait_for(lambda: all(s.over for s in self.seen[count:]), SECONDS)
            return self.seen[count:]

    def forget(self) -> None:
        self.since(0)
        self.seen.clear()

    def wait_for(self, condition) -> None:
        """Until `condition`, a function of all that was seen, holds."""
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self.seen), SECONDS)

    def _keep(self, seen: Seen, **changes) -> None:
        with self.changed:
            for name, value in changes.items():
                setattr(seen, name, value)
            self.changed.notify_all()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(60)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wire = Wire(connection)
            try:
                while wire.buffer or wire.more():
                    self._request(wire)
            except (Cut, OSError, AssertionError):  # a head that is none: the test sees it too
                pass

    def _request(self, wire: Wire) -> None:
        seen = Seen()
        with self.changed:
            self.seen.append(seen)
        try:
            self._keep(seen, head=wire.until(b"\r\n\r\n"))
            script = self.scripts.get(seen.target.rpartition("/say/")[2], echo(seen))
            early = "/say/early" in seen.target
            if early:
                say(wire.socket, script, seen)
            body = wire.body_of(seen.fields) or b""
            self._keep(seen, body=body, trailers=wire.trailers, whole=True)
            if not early:
                say(wire.socket, script, seen)
        finally:
            if not seen.whole:
                self._keep(seen, body=wire.buffer)
            self._keep(seen, over=True)


def ok(body: bytes, fields: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (fields, len(body), body)


def echo(seen: Seen) -> bytes:
    body = f"{seen.method} {seen.target}".encode()
    return ok(b"" if seen.method == "HEAD" else body)


def say(connection: socket.socket, script, seen: Seen) -> None:
    if callable(script):
        script(connection, seen)
    else:
        connection.sendall(script)


def at_hand(connection: socket.socket) -> bytes:
    """What has come and was not read."""
    ready, _, _ = select.select([connection], [], [], 0)
    return connection.recv(65536) if ready else b""


def then_close(answer: bytes):
    """A script that ends the connection behind its answer."""
    def script(connection: socket.socket, _: Seen) -> None:
        connection.sendall(answer)
        raise ConnectionAbortedError
    return script


# --- HTTP/2 ---

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
NO_DYNAMIC_TABLE = struct.pack(">HI", 1, 0)  # so that each answer can be read by itself
STATIC_STATUSES = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def block(*fields: tuple) -> bytes:
    """A header block (RFC 7541) of literals, names and values as they are."""
    def text(value) -> bytes:
        raw = value.encode("latin-1") if isinstance(value, str) else value
        if len(raw) < 127:
            return bytes([len(raw)]) + raw
        rest, out = len(raw) - 127, b"\x7f"
        while rest >= 128:
            out += bytes([rest % 128 + 128])
            rest //= 128
        return out + bytes([rest]) + raw
    return b"".join(b"\0" + text(name) + text(value) for name, value in fields)


def status_of(header_block: bytes) -> int:
    """The status at the beginning of an answer's header block."""
    at = 0
    while header_block[at] & 0xe0 == 0x20:  # the size of the dynamic table
        at += 1
    if header_block[at] & 0x80:
        return STATIC_STATUSES[header_block[at] & 0x7f]
    at += 1  # a literal whose name is one of the table's
    size, huffman = header_block[at] & 0x7f, header_block[at] & 0x80
    raw = header_block[at + 1:at + 1 + size]
    if not huffman:
        return int(raw)
    bits, digits = "".join(f"{byte:08b}" for byte in raw), ""
    while len(digits) < 3:  # "0" to "2" have five bits, the others six (RFC 7541, appendix B)
        length = 5 if bits[:5] in ("00000", "00001", "00010") else 6
        digits += str(int(bits[:length], 2) - (0 if length == 5 else 22))
        bits = bits[length:]
    return int(digits)


class H2(Wire):
    """An HTTP/2 client that sends frames as it is told, by prior knowledge or over `connection`."""

    def __init__(self, port: int, connection: socket.socket | None = None) -> None:
        super().__init__(connection or socket.create_connection(("127.0.0.1", port), SECONDS))
        self.send(PREFACE + frame(SETTINGS, 0, 0, NO_DYNAMIC_TABLE))

    def __enter__(self) -> "H2":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, frames: bytes) -> None:
        self.socket.sendall(frames)

    def read(self) -> tuple[int, int, int, bytes] | None:
        """The next frame: kind, flags, stream, payload. None at the end of the connection."""
        try:
            head = self.exactly(9)
            size = struct.unpack(">I", b"\0" + head[:3])[0]
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            return kind, flags, stream, self.exactly(size)
        except Cut:
            return None

    def outcome(self, stream: int) -> int | str:
        """How it ends with the stream: its status, "reset", or "closed" with the connection."""
        while got := self.read():
            kind, flags, of, payload = got
            if kind == SETTINGS and not flags & ACK:
                self.send(frame(SETTINGS, ACK, 0))
            elif kind == HEADERS and of == stream and status_of(payload) >= 200:
                return status_of(payload)
            elif kind == RST_STREAM and of == stream:
                return "reset"
        return "closed"

    def ask(self, *fields: tuple, stream: int = 1, flags: int = END_HEADERS | END_STREAM) -> int | str:
        self.send(frame(HEADERS, flags, stream, block(*fields)))
        return self.outcome(stream)


def get(path: str = "/", authority: str = "localhost", method: str = "GET") -> list[tuple]:
    """The pseudo-fields of a request."""
    return [(":method", method), (":scheme", "http"), (":authority", authority), (":path", path)]
