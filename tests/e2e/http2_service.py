"""An HTTP/2 service for the gateway to forward to."""

import contextlib
import socket
import ssl

import h2.config
import h2.connection
import h2.events
import h2.settings
from upstreams import RawUpstream


class Http2Service(RawUpstream):
    """A service over HTTP/2. `reply` is given (h2's connection, stream, request) when a request is
    there; what comes behind a CONNECT is sent back."""

    def __init__(self, context: ssl.SSLContext | None = None, reply=None) -> None:
        super().__init__()
        self.context, self.reply = context, reply or say_ok
        self.seen: list[Http2Request] = []
        self.settings = {}

    def _one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            self._serve_connection(connection)

    def _serve_connection(self, connection: socket.socket) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8"))
        state.local_settings = h2.settings.Settings(client=False, initial_values=self.settings)
        state.initiate_connection()
        streams: dict[int, Http2Request] = {}
        connection.sendall(state.data_to_send())
        while received := connection.recv(65536):
            for event in state.receive_data(received):
                if isinstance(event, h2.events.RequestReceived):
                    streams[event.stream_id] = request = Http2Request(event.headers)
                    self.seen.append(request)
                    if request.is_tunnel:
                        self.reply(state, event.stream_id, request)
                elif isinstance(event, h2.events.DataReceived):
                    state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    request = streams[event.stream_id]
                    request.body += event.data
                    if request.is_tunnel:
                        state.send_data(event.stream_id, event.data)
                elif isinstance(event, h2.events.StreamEnded):
                    request = streams[event.stream_id]
                    if request.is_tunnel:
                        state.end_stream(event.stream_id)
                    else:
                        self.reply(state, event.stream_id, request)
            connection.sendall(state.data_to_send())


class Http2Request:
    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self.fields = dict(fields)
        self.body = b""
        self.is_tunnel = self.fields[":method"] == "CONNECT"


def say_ok(state, stream, request) -> None:
    state.send_headers(stream, [(":status", "200"), ("x-stream", str(stream))])
    state.send_data(stream, b"ok", end_stream=True)
