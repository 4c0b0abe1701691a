"""What stands before the gateway: an authority for certificates, TLS clients, HTTP/2 frame by frame."""

import dataclasses
import pathlib
import socket
import ssl
import struct
import subprocess

from certificates import Certificate
from wire import ACK, GOAWAY, HEADERS, PREFACE, RST_STREAM, SECONDS, SETTINGS, Cut, Wire, frame

PRIORITY, PUSH_PROMISE, WINDOW_UPDATE = 2, 5, 8
PADDED, PRIORITY_FLAG = 8, 0x20
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_STREAMS, INITIAL_WINDOW, MAX_FRAME = 1, 2, 3, 4, 5
CODES = ["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
         "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
         "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"]


# --- certificates ---

class Authority:
    """Certifies servers and clients, and revokes; by the openssl command."""

    def __init__(self, folder: pathlib.Path, name: str = "authority") -> None:
        self.folder, self.name = folder, name
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        (folder / f"{name}.index").touch()
        self.config = folder / f"{name}.cnf"
        self.config.write_text(f"[ca]\ndefault_ca=own\n[own]\ndatabase={folder / name}.index\n"
                               "default_md=sha256\ndefault_crl_days=2\n")
        self._openssl("req", "-x509", *NEW_KEY, "-keyout", self.key, "-out", self.certificate,
                      "-days", "2", "-subj", f"/CN={name}",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    @staticmethod
    def _openssl(*words) -> None:
        done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def issue(self, name: str, *names: str) -> Certificate:
        """For `CN=name`; `names` are its alternative names, as "DNS:a.test"."""
        made = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={','.join(names or [f'DNS:{name}'])}\n"
                              "extendedKeyUsage=serverAuth,clientAuth\n")
        self._openssl("req", *NEW_KEY, "-keyout", made.key, "-out", request, "-subj", f"/CN={name}")
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                      "-CAcreateserial", "-days", "2", "-extfile", extensions,
                      "-out", made.certificate)
        return made

    def revocations(self, *revoked: Certificate) -> pathlib.Path:
        """The list that names these."""
        out = self.folder / f"{self.name}.crl"
        words = ["ca", "-config", self.config, "-cert", self.certificate, "-keyfile", self.key]
        for certificate in revoked:
            self._openssl(*words, "-revoke", certificate.certificate)
        self._openssl(*words, "-gencrl", "-out", out)
        return out


NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def tls_client(port: int, name: str | None = None, authority: pathlib.Path | None = None,
               own: Certificate | None = None, alpn: tuple[str, ...] = (),
               versions: tuple | None = None, connection: socket.socket | None = None) -> ssl.SSLSocket:
    """A connection that asks for `name` (None: for none) and shows `own`, if it is asked to.

    With an `authority` the server has to be the one of that name.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = authority is not None and name is not None
    context.verify_mode = ssl.CERT_REQUIRED if authority else ssl.CERT_NONE
    if authority:
        context.load_verify_locations(authority)
    if own:
        context.load_cert_chain(own.certificate, own.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if versions:
        context.set_ciphers("ALL:@SECLEVEL=0")  # of old versions too
        context.minimum_version, context.maximum_version = versions
    plain = connection or socket.create_connection(("127.0.0.1", port), SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        return context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False)
    except BaseException:
        plain.close()
        raise


# --- counters ---

def limit_struck(gateway, limit: str) -> float:
    return gateway.metric("gatehouse_limit_reached_total", limit=limit)


# --- HTTP/2 ---

@dataclasses.dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self) -> str:
        """The error code of a RST_STREAM or GOAWAY."""
        at = 4 if self.kind == GOAWAY else 0
        return CODES[struct.unpack(">I", self.payload[at:at + 4])[0]]


def settings(*pairs: tuple[int, int], flags: int = 0, stream: int = 0) -> bytes:
    return frame(SETTINGS, flags, stream, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def window_update(stream: int, by: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", by))


def reset(stream: int, code: int = 8) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


class Http2(Wire):
    """A client that sends what it is told and is shown each frame that comes.

    The end of the connection has to be an orderly one, between two frames.
    """

    told: dict[int, int] | None = None  # the server's settings

    def greet(self, *pairs: tuple[int, int]) -> "Http2":
        """The preface; until both sides have acknowledged the other's settings."""
        self.send(PREFACE + settings(*(pairs or [(INITIAL_WINDOW, 65535)])))
        acknowledged = False
        while not (acknowledged and self.told):
            got = self.next(SETTINGS)
            if got.flags & ACK:
                acknowledged = True
            else:
                self.told = dict(struct.iter_unpack(">HI", got.payload))
                self.send(settings(flags=ACK))
        return self

    def __enter__(self) -> "Http2":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def more(self) -> bool:
        try:
            piece = self.socket.recv(65536)
        except TimeoutError:
            raise AssertionError(f"nothing more comes, and no end, after {self.buffer!r}") from None
        self.buffer += piece
        return piece != b""

    def send(self, frames: bytes) -> None:
        self.socket.sendall(frames)

    def frame(self) -> Frame | None:
        """The next one; None at the connection's end."""
        if not self.buffer and not self.more():
            return None
        try:
            head = self.exactly(9)
            payload = self.exactly(struct.unpack(">I", b"\0" + head[:3])[0])
        except Cut:
            raise AssertionError(f"the connection ended within a frame: {self.buffer[:300]!r}") from None
        return Frame(*struct.unpack(">BBI", head[3:]), payload)

    def next(self, *kinds: int, stream: int | None = None) -> Frame:
        """The next of these kinds, of that stream if it is named; the connection has to last."""
        passed = []
        try:
            while got := self.frame():
                if got.kind in kinds and stream in (None, got.stream):
                    return got
                passed.append(got)
        except AssertionError as error:
            raise AssertionError(f"{error}; it was passed over {passed}") from None
        raise AssertionError(f"the connection ended after {passed}")

    def answer_of(self, stream: int) -> tuple[bytes, bytes]:
        """Header block and body of an answer, when it has ended."""
        head, body = b"", b""
        while True:
            got = self.next(HEADERS, 0, stream=stream)
            if got.kind == HEADERS and not head:
                head = got.payload
            elif got.kind == 0:
                body += got.payload
            if got.flags & 1:
                return head, body
