"""WebSocket frames over raw sockets: an echo server, and a client that counts round trips.

    websocket.py serve PORT
    websocket.py load PORT CONNECTIONS SECONDS     prints how many messages came back
"""

import base64
import os
import selectors
import socket
import sys
import time

MESSAGE = bytes([0x82, 0x80 | 64]) + bytes(4) + b"m" * 64  # binary, masked with zeros
ECHO = bytes([0x82, 64]) + b"m" * 64


def read_head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError("closed during the handshake")
        head += piece
    return head


def accept_value(key: str) -> str:
    import hashlib
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    return base64.b64encode(digest).decode()


def greet(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = read_head(connection).decode("latin-1")
    sent = next(line.split(":", 1)[1].strip() for line in head.split("\r\n")
                if line.lower().startswith("sec-websocket-key:"))
    connection.sendall((
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Accept: {accept_value(sent)}\r\n\r\n").encode())


def echo(connection: socket.socket) -> bool:
    """False at the end."""
    data = connection.recv(65536)
    connection.sendall(ECHO * (len(data) // len(MESSAGE)))
    return bool(data)


def serve(port: int) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            connection = key.fileobj
            try:
                if connection is listener:
                    connection, _ = listener.accept()
                    greet(connection)
                    selector.register(connection, selectors.EVENT_READ)
                elif not echo(connection):
                    selector.unregister(connection)
                    connection.close()
            except OSError:  # one that only looked whether somebody listens, or has gone
                if connection in selector.get_map():
                    selector.unregister(connection)
                connection.close()


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall((
        f"GET /echo HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode())
    head = read_head(connection)
    if not head.startswith(b"HTTP/1.1 101"):
        raise SystemExit(f"bench: no WebSocket: {head[:80]!r}")
    return connection


def load(port: int, connections: int, seconds: float) -> int:
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        connection = connect(port)
        selector.register(connection, selectors.EVENT_READ)
        connection.sendall(MESSAGE)
    count = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in selector.select(1):
            got = key.fileobj.recv(65536)
            if not got:
                raise SystemExit("bench: a WebSocket was closed")
            count += 1
            key.fileobj.sendall(MESSAGE)
    return count


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        print(load(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
