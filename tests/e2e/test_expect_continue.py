"""Expect: 100-continue (RFC 9110 §10.1.1) and a body that streams, whatever interim answers an
upstream gives meanwhile: the gateway says 100 itself, and passes theirs over."""

import queue
import socket

import h2.config
import h2.connection
import h2.events
import pytest
from gateway_alone import SECONDS, GatewayAlone
from upstreams import TcpService
from wire import DATA, END_HEADERS, END_STREAM, H2, HEADERS, Client, Wire, block, frame, get, ok, status_of

PIECES = [b"one", b"two" * 10_000, b"three"]
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"


class Upstream(TcpService):
    """Says 100 to a request's head and an interim answer to each piece of its body, which it tells
    the test of; then sends the body back."""

    def __init__(self, version: str) -> None:
        super().__init__(self.over_http1 if version == "http1" else self.over_http2)
        self.heads: list[bytes | list] = []
        self.came: queue.Queue[bytes] = queue.Queue()

    def over_http1(self, connection: socket.socket) -> None:
        wire, body = Wire(connection), b""
        self.heads.append(wire.until(b"\r\n\r\n").lower())
        connection.sendall(CONTINUE)
        while size := int(wire.until(b"\r\n")[:-2], 16):
            piece = wire.exactly(size + 2)[:-2]
            connection.sendall(HINTS + CONTINUE if not body else b"")
            self.came.put(piece)
            body += piece
        wire.until(b"\r\n")
        connection.sendall(ok(body))

    def over_http2(self, connection: socket.socket) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        connection.sendall(state.data_to_send())
        body = b""
        while received := connection.recv(65536):
            for event in state.receive_data(received):
                if isinstance(event, h2.events.RequestReceived):
                    self.heads.append(event.headers)
                    state.send_headers(event.stream_id, [(":status", "100")])
                elif isinstance(event, h2.events.DataReceived):
                    state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    if not body:
                        state.send_headers(event.stream_id, [(":status", "103"), ("link", "</x>")])
                    body += event.data
                    self.came.put(event.data)
                elif isinstance(event, h2.events.StreamEnded):
                    state.send_headers(event.stream_id, [(":status", "200")])
                    for start in range(0, len(body), 10_000):
                        last = start + 10_000 >= len(body)
                        state.send_data(event.stream_id, body[start:start + 10_000], last)
            connection.sendall(state.data_to_send())

    def expect(self, piece: bytes) -> None:
        """The piece is there before the client goes on."""
        got = b""
        while len(got) < len(piece):
            got += self.came.get(timeout=SECONDS)
        assert got == piece


@pytest.fixture(params=["http1", "http2"])
def upstream(request):
    with Upstream(request.param) as one:
        yield one, request.param


@pytest.fixture
def gateway(upstream, tmp_path):
    route = {"prefix": "/", "service": upstream[0].url, "protocol": upstream[1]}
    with GatewayAlone(tmp_path, [route]) as one:
        yield one


def test_a_body_that_streams_in_http_1_1_is_not_stalled(gateway, upstream):
    service, _ = upstream
    with Client(gateway.port, b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                              b"Expect: 100-continue\r\n\r\n") as client:
        assert client.answer().status == 100
        for piece in PIECES:
            client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            service.expect(piece)
        client.send(b"0\r\n\r\n")
        answer = client.answer()
    assert (answer.status, answer.body) == (200, b"".join(PIECES))
    assert "link" not in [name for name, _ in answer.fields]
    assert len(service.heads) == 1 and b"expect" not in str(service.heads[0]).encode()


def next_of(client: H2, kind: int) -> tuple[int, bytes]:
    """Flags and payload of the next frame of that kind."""
    while True:
        got = client.read()
        assert got, "the connection ended"
        if got[0] == kind:
            return got[1], got[3]


def test_a_body_that_streams_in_http_2_is_not_stalled(gateway, upstream):
    service, _ = upstream
    with H2(gateway.port) as client:
        fields = [*get("/x", method="POST"), ("expect", "100-continue")]
        client.send(frame(HEADERS, END_HEADERS, 1, block(*fields)))
        assert status_of(next_of(client, HEADERS)[1]) == 100
        for piece in PIECES:
            for start in range(0, len(piece), 16_384):
                client.send(frame(DATA, 0, 1, piece[start:start + 16_384]))
            service.expect(piece)
        client.send(frame(DATA, END_STREAM, 1))
        assert status_of(next_of(client, HEADERS)[1]) == 200
        body, flags = b"", 0
        while not flags & END_STREAM:
            flags, payload = next_of(client, DATA)
            body += payload
    assert body == b"".join(PIECES)
    assert len(service.heads) == 1 and b"expect" not in str(service.heads[0]).encode()
