"""What a soak run's clients say and what they must be answered; and the upstream that answers them.

    soak_clients.py upstream PORT
"""

import asyncio
import contextlib
import hashlib
import random
import socket
import ssl
import sys

import h2.config
import h2.connection
import h2.events

from peers import KILOBYTE
from websocket import ECHO, MESSAGE

NOISE = random.Random(1).randbytes(8 << 20)
BLOCK = 1 << 16  # the unit of the upstream's answers
FILE = NOISE[:4 << 20]  # what nginx has to download


class Wrong(Exception):
    """An answer that is not the right one."""


class Cut(Exception):
    """An answer whose body ends too soon."""


class Killed(Exception):
    """What the kill of its upstream may do to a request."""


def expect(got, wanted) -> None:
    if got != wanted:
        raise Wrong(f"{str(got)[:60]} instead of {str(wanted)[:60]}")


async def read_body(reader: asyncio.StreamReader, fields: dict[str, str], pause: float = 0) -> bytes:
    body = bytearray()
    if fields.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
            await asyncio.sleep(pause)
        await reader.readexactly(2)
    else:
        left = int(fields.get("content-length", "0"))
        while left:
            body += await reader.readexactly(min(left, BLOCK))
            left -= min(left, BLOCK)
            await asyncio.sleep(pause)
    return bytes(body)


async def read_head(reader: asyncio.StreamReader) -> tuple[list[str], dict[str, str]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    return first.split(" "), {name.lower(): value.strip()
                              for name, _, value in (line.partition(":") for line in lines)}


async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A POST is answered its body's SHA-256; GET /N with N blocks, one by one."""
    with contextlib.suppress(OSError, EOFError), contextlib.closing(writer):
        while True:
            (method, target, _), fields = await read_head(reader)
            body = await read_body(reader, fields)
            if method == "POST":
                digest = hashlib.sha256(body).hexdigest()
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\n{digest}".encode())
                continue
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for i in range(int(target.rpartition("/")[2])):
                writer.write(b"%x\r\n%b\r\n" % (BLOCK, NOISE[i * BLOCK:(i + 1) * BLOCK]))
                await writer.drain()
                await asyncio.sleep(0.005)
            writer.write(b"0\r\n\r\n")


async def serve_upstream(port: int) -> None:
    server = await asyncio.start_server(serve_one, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


class Client:
    """A connection to the gateway."""

    @classmethod
    async def open(cls, port: int, tls: ssl.SSLContext | None = None,
                   slow: bool = False) -> "Client":
        raw = socket.socket()
        raw.setblocking(False)
        if slow:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
        client = cls()
        client.raw = raw
        client.reader, client.writer = await asyncio.open_connection(
            sock=raw, ssl=tls, server_hostname="localhost" if tls else None,
            limit=4096 if slow else BLOCK)
        return client

    def close(self) -> None:
        self.writer.close()

    async def answer(self, pause: float = 0) -> tuple[int, bytes]:
        (_, status, *_), self.fields = await read_head(self.reader)
        try:
            return int(status), await read_body(self.reader, self.fields, pause)
        except (OSError, EOFError) as end:
            raise Cut(f"{status}, then {type(end).__name__}") from None

    async def get(self, path: str, pause: float = 0, fields: str = "") -> tuple[int, bytes]:
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode())
        return await self.answer(pause)

    async def kilobyte(self, fields: str = "") -> None:
        expect(await self.get("/plain/", fields=fields), (200, KILOBYTE.encode()))

    async def drip_head(self, seconds: float) -> None:
        head = b"GET /plain/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for i in range(0, len(head), 4):
            self.writer.write(head[i:i + 4])
            await self.writer.drain()
            await asyncio.sleep(seconds * 4 / len(head))
        expect(await self.answer(), (200, KILOBYTE.encode()))

    async def download(self, blocks: int, pause: float = 0) -> None:
        expect(await self.get(f"/data/{blocks}", pause), (200, NOISE[:blocks * BLOCK]))

    async def download_file(self) -> None:
        expect(await self.get("/plain/file"), (200, FILE))

    async def upload(self, path: str, body: bytes, pause: float = 0) -> None:
        chunked = random.random() < 0.5
        framing = "transfer-encoding: chunked" if chunked else f"content-length: {len(body)}"
        self.writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode())
        step = 2048 if pause else BLOCK
        for piece in (body[i:i + step] for i in range(0, len(body), step)):
            self.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await self.writer.drain()
            await asyncio.sleep(pause)
        self.writer.write(b"0\r\n\r\n" if chunked else b"")
        expect(await self.answer(), (200, hashlib.sha256(body).hexdigest().encode()))

    async def ask_killed(self) -> None:
        try:
            if random.random() < 0.5:
                await self.upload("/killed/", NOISE[:3 * BLOCK], pause=0.001)
            else:
                expect(await self.get("/killed/8"), (200, NOISE[:8 * BLOCK]))
        except Cut as cut:
            raise Killed(str(cut)) from None
        except Wrong as wrong:
            if str(wrong)[:4] in ("(502", "(503", "(504"):
                raise Killed(str(wrong)[1:4]) from None
            raise

    async def greet(self) -> None:
        status, _ = await self.get(
            "/echo/", fields="Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
            "13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n")
        expect(status, 101)

    async def echo(self) -> None:
        self.writer.write(MESSAGE)
        expect(await self.reader.readexactly(len(ECHO)), ECHO)


class Http2:
    """HTTP/2 on a client's connection."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.state.initiate_connection()

    def data(self) -> bytes:
        """What is to be sent."""
        return self.state.data_to_send()

    async def flush(self) -> None:
        self.client.writer.write(self.data())
        await self.client.writer.drain()

    def ask(self, path: str, body: bytes = b"") -> int:
        stream = self.state.get_next_available_stream_id()
        self.state.send_headers(stream, [
            (":method", "POST" if body else "GET"), (":scheme", "http"), (":authority", "localhost"),
            (":path", path)], end_stream=not body)
        if body:
            self.state.send_data(stream, body, end_stream=True)
        return stream

    async def burst(self) -> None:
        """Many streams at once: short answers, some long ones, some with a body."""
        body = NOISE[:4096]
        digest = hashlib.sha256(body).hexdigest().encode()
        wanted = {self.ask("/plain/"): KILOBYTE.encode() for _ in range(12)}
        wanted |= {self.ask("/data/3"): NOISE[:3 * BLOCK] for _ in range(2)}
        wanted |= {self.ask("/data/", body): digest for _ in range(2)}
        await self.flush()
        got = {stream: bytearray() for stream in wanted}
        while got:
            data = await self.client.reader.read(BLOCK)
            if not data:
                raise EOFError
            for event in self.state.receive_data(data):
                match event:
                    case h2.events.ResponseReceived():
                        expect(dict(event.headers)[":status"], "200")
                    case h2.events.DataReceived():
                        got[event.stream_id] += event.data
                        self.state.acknowledge_received_data(event.flow_controlled_length,
                                                             event.stream_id)
                    case h2.events.StreamEnded():
                        expect(bytes(got.pop(event.stream_id)), wanted[event.stream_id])
                    case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                        raise Wrong(f"{type(event).__name__} {event.error_code}")
            await self.flush()


if __name__ == "__main__":
    asyncio.run(serve_upstream(int(sys.argv[2])))
