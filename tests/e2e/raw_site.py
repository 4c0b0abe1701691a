"""A front door with its gatekeeper in the same process, open and guarded paths, and an upstream that
keeps what it gets and answers with prepared bytes; for tests that send raw bytes to it."""

import base64
import contextlib
import dataclasses
import hashlib
import itertools

import pytest
from deployment import PASSWORD, USER, Deployment
from person import SESSION_COOKIE, Person
from wire import Client, Recorder

MANAGED = ["kubeflow-userid", "kubeflow-groups", "gatehouse-session-expires", "x-auth-user"]


@dataclasses.dataclass
class Site:
    door: Deployment
    upstream: Recorder
    cookie: bytes
    visits: itertools.count = dataclasses.field(default_factory=itertools.count)

    def client(self, raw: bytes = b"") -> Client:
        return Client(self.door.port, raw.replace(b"COOKIE", self.cookie))

    def mark(self) -> int:
        return len(self.upstream.seen)

    def visit(self) -> None:
        """Somebody else's request, which must get its own answer."""
        path = b"/open/visit-%d" % next(self.visits)
        with self.client(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path) as client:
            answer = client.answer()
        assert (answer.status, answer.body) == (200, b"GET " + path)


@contextlib.contextmanager
def front_door():
    """The site, with a session of Alice's."""
    with Recorder() as upstream:
        route = {"service": upstream.url, "timeout": "10s"}
        door = Deployment("one", routes=[
            {"name": "open", "prefix": "/open", "authenticate": False, **route},
            {"name": "guarded", "prefix": "/guarded", **route},
            {"name": "site", "prefix": "/site", "authenticate": False, **route},
            {"name": "admin", "prefix": "/site/admin", **route},
        ], all={"threads": 1, "gateway": {"managed_headers": MANAGED}}).start()
        alice = Person(door.url)
        alice.log_in(USER, PASSWORD)
        try:
            yield Site(door, upstream, f"{SESSION_COOKIE}={alice.cookie()}".encode())
        finally:
            door.close()


def table(cases: dict):
    """One test for each; the value of a case is the test's argument `case`."""
    names = [name.encode("unicode_escape").decode() for name in cases]
    return pytest.mark.parametrize("case", cases.values(), ids=names)


def named(family: str, texts: list[bytes], make) -> dict:
    """A family of cases: each text, under a name that shows it, as what `make` makes of it."""
    return {f"{family} {text.decode('latin-1')[:60]!r}": make(text) for text in texts}


GET = b"GET /open/x HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /open/x HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
BEHIND = b"GET /open/behind HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /open/last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
GUARDED = b"GET /guarded/x HTTP/1.1\r\nHost: localhost\r\nCookie: COOKIE\r\n"

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = base64.b64encode(hashlib.sha1(KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
WEBSOCKET = (b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             b"Sec-WebSocket-Key: " + KEY + b"\r\n\r\n")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n"
UPGRADED = SWITCHED + (b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + ACCEPT
                       + b"\r\n\r\n")


def saying(name: str, head: bytes = GET) -> bytes:
    """The head, for an answer by that script of the upstream's."""
    return head.replace(b"/x ", b"/say/%s " % name.encode(), 1)
