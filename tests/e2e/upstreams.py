"""Upstreams that misbehave on request."""

import contextlib
import socket
import threading


class RawUpstream:
    """Accepts connections, keeps what it was sent, and answers with prepared bytes.

    `answer` is bytes, or a function that is given (connection, request bytes) and does as it likes.
    """

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.requests: list[bytes] = []
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "RawUpstream":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            try:
                while True:
                    head = b""
                    while b"\r\n\r\n" not in head:
                        piece = connection.recv(65536)
                        if not piece:
                            return
                        head += piece
                    self.requests.append(head)
                    if callable(self.answer):
                        self.answer(connection, head)
                        return
                    connection.sendall(self.answer)
            except OSError:
                return


class TcpService(RawUpstream):
    """Serves each connection by a function of it."""

    def __init__(self, serve) -> None:
        super().__init__()
        self.serve = serve

    def _one(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        with contextlib.suppress(OSError), connection:
            self.serve(connection)
