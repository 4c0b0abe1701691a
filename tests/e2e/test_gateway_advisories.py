"""Published faults of other gateways, each as a test that would see it here.

A test or its parameter bears the advisory's number. Mostly the gateway stands alone, before an
upstream that keeps every byte, with an authorizer that denies: a fault is a request that gets by.
"""

import base64
import contextlib
import hashlib
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse

import pytest
import requests
from certificates import Certificate, make_certificate
from gateway_alone import GatewayAlone
from grpc_authorizer import GrpcAuthorizer, allow, deny
from upstreams import RawUpstream
from wire import (CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, H2, HEADERS, PING, PREFACE,
                  RST_STREAM, SETTINGS, Answer, Client, Recorder, at_hand, block, frame, get, ok,
                  then_close)

NOBODY = {"kind": "none"}
IDENTITY = "kubeflow-userid"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


class Gateway(GatewayAlone):
    def __init__(self, folder: pathlib.Path, routes: list[dict], listen: dict | None = None,
                 **settings) -> None:
        super().__init__(folder, routes, **settings)
        self.settings["listen"][0].update(listen or {})
        self.write()

    def ask(self, request: bytes) -> Answer:
        """The first answer to these bytes, on a connection of their own."""
        with Client(self.port, request) as client:
            return client.answer()


@pytest.fixture(scope="module")
def servers():
    with Recorder() as upstream, GrpcAuthorizer() as authorizer:
        yield upstream, authorizer


@pytest.fixture
def upstream(servers):
    servers[0].forget()
    return servers[0]


@pytest.fixture
def authorizer(servers):
    """Denies whatever it is asked, until a test says otherwise."""
    servers[1].answer = lambda *_: deny()
    servers[1].requests.clear()
    return servers[1]


def judged_by(authorizer: GrpcAuthorizer, **more) -> dict:
    return {"kind": "grpc", "url": authorizer.url, "timeout": "10s", **more}


def route(upstream: Recorder, prefix: str = "/", **more) -> dict:
    return {"name": prefix, "prefix": prefix, "service": upstream.url, **more}


@pytest.fixture(scope="module")
def shared_gateway(servers, tmp_path_factory):
    upstream, authorizer = servers
    routes = [route(upstream, "/open", authenticate=False), route(upstream)]
    with Gateway(tmp_path_factory.mktemp("gateway"), routes, authorizer=judged_by(authorizer)) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared_gateway, upstream, authorizer):
    """/open passes unasked, the rest is judged."""
    return shared_gateway


@pytest.fixture(scope="module")
def shared_lenient_gateway(servers, tmp_path_factory):
    upstream, authorizer = servers
    with Gateway(tmp_path_factory.mktemp("lenient"), [route(upstream)],
                 authorizer=judged_by(authorizer, failure_mode_allow=True)) as gateway:
        yield gateway


@pytest.fixture
def lenient_gateway(shared_lenient_gateway, upstream, authorizer):
    """Lets pass what it cannot ask about; the authorizer denies."""
    return shared_lenient_gateway


@pytest.fixture
def gate():
    """Lets a script of the upstream's go on."""
    event = threading.Event()
    yield event
    event.set()


def http1(target: str = "/", *fields: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    lines = [f"{method} {target} {version}", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


SMUGGLED = http1("/open/smuggled")


def is_refusal(outcome: int | str) -> bool:
    """Of a stream: an error, a reset, or the end of its connection."""
    return outcome in ("reset", "closed") or 400 <= outcome < 600


# --- 1 to 3: what the authorizer is asked ---

def test_cve_2021_32777_all_of_a_repeated_header_is_judged_by_grpc(gateway, authorizer, upstream):
    authorizer.answer = lambda request, _: (
        deny() if "admin" in request.attributes.request.http.headers["x-role"] else allow())
    for first, second in (("admin", "user"), ("user", "admin")):
        assert gateway.ask(http1("/", f"X-Role: {first}", "A: b", f"x-role: {second}")).status == 403
        assert authorizer.told.headers["x-role"] == f"{first},{second}"
    assert upstream.seen == []


def test_cve_2021_32777_all_of_a_repeated_header_is_judged_by_http(tmp_path, upstream):
    with Recorder() as judge, Gateway(tmp_path, [route(upstream)], authorizer={
            "kind": "http", "url": judge.url, "allowed_request_headers": ["x-role"]}) as gateway:
        assert gateway.ask(http1("/", "X-Role: admin", "A: b", "x-role: user")).status == 200
        assert judge.seen[0].all("x-role") == ["admin", "user"]


@pytest.mark.parametrize("value", [
    b"\xff", b"\xff\xfe", b"\xc3\x28", b"\xc0\xae", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"],
    ids=repr)
def test_cve_2023_27488_no_header_breaks_the_question(lenient_gateway, upstream, value):
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Odd: %s\r\n\r\n" % value
    assert lenient_gateway.ask(head).status in (400, 403)
    for field in (("x-odd", value), (b"x-odd" + value, "x")):
        with H2(lenient_gateway.port) as client:
            assert is_refusal(client.ask(*get(), field))
    assert upstream.seen == []


@pytest.mark.parametrize("kind", [0x01, 0x02, 0x05, 0x20, 0xE0])
def test_cve_2024_23324_no_proxy_header_breaks_the_question(tmp_path, authorizer, upstream, kind):
    address = struct.pack(">4s4sHH", b"\x7f\0\0\1", b"\x7f\0\0\1", 1234, 80)
    told = address + struct.pack(">BH", kind, 4) + b"\xff\xfe\xc3\x28"
    header = b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(">BBH", 0x21, 0x11, len(told)) + told
    with Gateway(tmp_path, [route(upstream)], listen={"proxy_protocol": True},
                 authorizer=judged_by(authorizer, failure_mode_allow=True)) as gateway:
        assert gateway.ask(header + http1()).status == 403
    assert upstream.seen == []


@pytest.mark.parametrize("target", ["/" + "a" * 16_383, "/?" + "a" * 16_382, "/" + "a/" * 8_191],
                         ids=["path", "query", "segments"])
def test_cve_2024_23324_no_target_makes_the_question_impossible(tmp_path, upstream, target):
    """It is short enough for the gateway, and too long with the authorizer's prefix before it."""
    with RawUpstream() as judge, Gateway(tmp_path, [route(upstream)], authorizer={
            "kind": "http", "url": judge.url, "path_prefix": "/check",
            "failure_mode_allow": True}) as gateway:
        judge.answer = FORBIDDEN
        assert 400 <= gateway.ask(http1(target)).status < 600
    assert upstream.seen == []


ANSWERS = {
    "another 2xx": b"HTTP/1.1 204 No Content\r\n\r\n", "a 3xx": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "a 5xx": FORBIDDEN.replace(b"403", b"500"), "a 0": FORBIDDEN.replace(b"403", b"000"),
    "a switch": b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "garbage": b"garbage\r\n\r\n",
    "interim ones": b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
    "two lengths": ok(b"ok", b"Content-Length: 3\r\n"), "a bad length": ok(b"").replace(b": 0", b": -1"),
    "a bad field": ok(b"", b"X: a\0b\r\n"), "a folded line": ok(b"", b"X: a\r\n b\r\n"),
    "a user that is none": ok(b"", f"{IDENTITY}: \xe4\r\n".encode("latin-1")),
    "half a body": then_close(ok(b"ok")[:-1]), "half a head": then_close(ok(b"")[:-2]),
    "nothing": then_close(b"")}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_cve_2024_23324_no_answer_but_a_whole_200_allows(tmp_path, upstream, answer):
    with Recorder({"judge": answer}) as judge, Gateway(
            tmp_path, [route(upstream)], authorizer={"kind": "http", "url": judge.url}) as gateway:
        status = gateway.ask(http1("/say/judge", "kubeflow-userid: root")).status
        assert judge.seen[0].method == "GET"
    assert status != 200
    assert upstream.seen == []


# --- 4 and 5: heads without a path, upgrades to anything ---

ODD_HEADS = {
    "no path": [f for f in get() if f[0] != ":path"], "no method": get()[1:],
    "no scheme": [f for f in get() if f[0] != ":scheme"],
    "no authority": [f for f in get() if f[0] != ":authority"], "nothing": [],
    "an empty path": get(""), "an empty method": get(method=""), "an empty authority": get("/", ""),
    "two paths": [*get(), (":path", "/x")], "CONNECT with nothing else": [(":method", "CONNECT")],
    "CONNECT": [(":method", "CONNECT"), (":authority", "localhost:80")],
    "CONNECT with a path": get(method="CONNECT"), "asterisk": get("*", method="OPTIONS"),
    "extended CONNECT without a path": [(":method", "CONNECT"), (":protocol", "websocket"),
                                        (":scheme", "http"), (":authority", "localhost")],
    "a path behind a field": [(":method", "GET"), (":scheme", "http"), ("x", "y"), (":path", "/")],
}


@pytest.mark.parametrize("fields", ODD_HEADS.values(), ids=ODD_HEADS)
def test_cve_2026_73547_a_head_without_its_parts_harms_nobody(gateway, upstream, fields):
    with H2(gateway.port) as client:
        assert is_refusal(client.ask(*fields))
    assert upstream.seen == []
    assert gateway.ask(http1("/open")).status == 200  # it is still there


@pytest.mark.parametrize("line", ["GET HTTP/1.1", "GET  HTTP/1.1", "CONNECT", "CONNECT HTTP/1.1",
                                  "OPTIONS * HTTP/1.1"])
def test_cve_2026_73547_nor_does_one_of_http1(gateway, upstream, line):
    assert 400 <= gateway.ask(f"{line}\r\nHost: localhost\r\n\r\n".encode()).status < 600
    assert upstream.seen == []
    assert gateway.ask(http1("/open")).status == 200


KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def accept(key: str) -> bytes:
    """RFC 6455 §4.2.2."""
    return base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())


def upgrade(target: str, protocol: str = "websocket") -> bytes:
    return http1(target, "Connection: Upgrade", f"Upgrade: {protocol}", "Sec-WebSocket-Version: 13",
                 f"Sec-WebSocket-Key: {KEY}")


def upgraded(protocol: str = "websocket", key: str = KEY) -> bytes:
    return (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n"
            b"Sec-WebSocket-Accept: %s\r\n\r\n" % (protocol.encode(), accept(key)))


@pytest.mark.parametrize("protocol", ["foo", "h2c", "TLS/1.2", "websocket2"])
def test_cve_2026_73548_an_upgrade_to_anything_leaves_the_pool_in_order(gateway, upstream, protocol):
    upstream.scripts["upgrade"] = upgraded(protocol) + ok(b"forged")
    with Client(gateway.port, upgrade("/open/say/upgrade", protocol)) as client:
        assert client.answer().status == 502
    assert upstream.seen[0].all("upgrade") == []
    assert "Upgrade" not in upstream.seen[0].all("connection")
    for i in range(5):
        assert gateway.ask(http1(f"/open/{i}")).body == f"GET /open/{i}".encode()


# --- 6: upgrades that are not made ---

NO_UPGRADES = {
    "200": ok(b""), "204": b"HTTP/1.1 204 No Content\r\n\r\n", "200 twice": ok(b"") * 2, "403": FORBIDDEN,
    "201 with Upgrade": ok(b"", b"Connection: Upgrade\r\nUpgrade: websocket\r\n").replace(b"200", b"201")}


@pytest.mark.parametrize("answer", NO_UPGRADES.values(), ids=NO_UPGRADES)
def test_cve_2024_23326_an_answer_to_an_upgrade_opens_no_tunnel(gateway, authorizer, upstream, answer):
    """The request behind it is judged, and not one byte of it goes on by itself."""
    upstream.scripts["no"] = answer
    with Client(gateway.port, upgrade("/open/say/no") + http1("/admin", f"{IDENTITY}: root")) as client:
        assert client.answer().status == int(answer[9:12])
        assert client.answer().status == 403
    assert [s.target for s in upstream.since(0)] == ["/open/say/no"]
    assert authorizer.told.path == "/admin"
    assert gateway.ask(http1("/open/next")).body == b"GET /open/next"


def test_cve_2026_2833_nothing_is_tunnelled_before_the_101(gateway, upstream, gate):
    def script(connection: socket.socket, _) -> None:
        assert gate.wait(20)
        connection.sendall(upgraded() + b"early: %s." % at_hand(connection))
        raise ConnectionAbortedError

    upstream.scripts["wait"] = script
    with Client(gateway.port, upgrade("/open/say/wait") + http1("/admin")) as client:
        upstream.wait_for(lambda seen: seen and seen[0].whole)
        assert gateway.ask(http1("/open")).status == 200  # it has had its turn
        gate.set()
        assert client.answer().status == 101
        assert client.until(b".") == b"early: ."


# --- 7: framing ---

LENGTH, CODING = "Content-Length: 5", "Transfer-Encoding: chunked"
FRAMINGS = {
    "CVE-2026-2835 coding on HTTP/1.0": ("HTTP/1.0", "Connection: keep-alive", CODING),
    "CVE-2026-2835 both on HTTP/1.0": ("HTTP/1.0", "Connection: keep-alive", LENGTH, CODING),
    "CVE-2026-2835 two codings": ("HTTP/1.1", "Transfer-Encoding: identity, chunked"),
    "CVE-2026-2836 length and coding": ("HTTP/1.1", LENGTH, CODING),
    "CVE-2026-2836 coding and length": ("HTTP/1.1", CODING, f"Content-Length: {len(SMUGGLED) + 5}"),
}


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("version, fields", [(v[0], v[1:]) for v in FRAMINGS.values()], ids=FRAMINGS)
def test_a_request_with_two_framings_is_refused(gateway, upstream, version, fields, method):
    raw = http1("/open", *fields, method=method, version=version) + b"0\r\n\r\n"
    with Client(gateway.port, raw + SMUGGLED) as client:
        assert client.answer().status in (400, 501)
        assert client.rest() == b""
    assert upstream.seen == []


@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
@pytest.mark.parametrize("target", ["/denied", "/open/a;b/../c", "/open/say/early"])
def test_cve_2025_4366_a_body_that_nobody_read_is_no_request(gateway, upstream, target, method):
    """It came with a denial, an error, or a request that was answered early."""
    upstream.scripts["early"] = FORBIDDEN
    raw = http1(target, f"Content-Length: {len(SMUGGLED)}", method=method)
    with Client(gateway.port, raw) as client:
        first = client.answer()
        assert first.status in (400, 403)
        with contextlib.suppress(ConnectionError):
            client.send(SMUGGLED + http1("/open/next", "Connection: close"))
        if not first.closes:
            assert client.rest().count(b"HTTP/1.1 ") <= 1
    assert not any("smuggled" in s.line for s in upstream.since(0))


# --- 8: CONNECT ---

@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("target", ["localhost:80", "localhost", "/open"])
def test_cve_2025_64763_what_follows_a_connect_goes_nowhere(gateway, upstream, target, version):
    with Client(gateway.port, http1(target, method="CONNECT", version=version) + SMUGGLED) as client:
        assert client.answer().status in (400, 405, 501)
        assert client.rest() == b""
    assert upstream.seen == []


CONNECTS = {"plain": [(":method", "CONNECT"), (":authority", "localhost:80")],
            "extended": [*get("/open", method="CONNECT"), (":protocol", "connect-udp")]}


@pytest.mark.parametrize("fields", CONNECTS.values(), ids=CONNECTS)
def test_cve_2025_64763_nor_over_http2(gateway, upstream, fields):
    with H2(gateway.port) as client:
        client.send(frame(HEADERS, END_HEADERS, 1, block(*fields)) + frame(DATA, 0, 1, SMUGGLED))
        assert is_refusal(client.outcome(1))
    assert upstream.seen == []


@pytest.mark.parametrize("status, outcome", [(101, 200), (200, 502), (403, 403)],
                         ids=["made", "taken for made", "refused"])
def test_cve_2025_64763_nor_before_a_websocket_of_http2(gateway, upstream, gate, status, outcome):
    early = []

    def script(connection: socket.socket, seen) -> None:
        assert gate.wait(20)
        early.append(at_hand(connection))
        key = seen.all("sec-websocket-key")[0]
        connection.sendall({101: upgraded(key=key), 200: ok(b""), 403: FORBIDDEN}[status])
        raise ConnectionAbortedError

    upstream.scripts["wait"] = script
    head = block(*get("/open/say/wait", method="CONNECT"), (":protocol", "websocket"))
    with H2(gateway.port) as client:
        client.send(frame(HEADERS, END_HEADERS, 1, head) + frame(DATA, 0, 1, SMUGGLED))
        upstream.wait_for(lambda seen: seen and seen[0].whole)
        assert gateway.ask(http1("/open")).status == 200
        gate.set()
        assert client.outcome(1) == outcome
    assert early == [b""]
    assert not any("smuggled" in s.line for s in upstream.since(0))


# --- 9 to 15: paths ---

PATHS = {
    "CVE-2021-29492 %2F": "/open%2F..%2Fadmin", "CVE-2021-29492 %2f": "/open/%2f../admin",
    "CVE-2021-29492 %5C": "/open%5C..%5Cadmin", "CVE-2021-29492 %5c": "/open/..%5cadmin",
    "CVE-2021-29492 before": "/%2fadmin", "CVE-2021-29492 within": "/open%2fadmin",
    "CVE-2021-32779 fragment": "/admin#/open", "CVE-2021-32779 suffix": "/open#/../admin",
    "CVE-2021-32779 query": "/open?x#/admin", "CVE-2021-32779 alone": "#",
    "CVE-2021-32779 absolute": "http://localhost/admin#x",
    "CVE-2026-73511 matrix": "/admin;x=y", "CVE-2026-73511 empty": "/admin;",
    "CVE-2026-73511 first": "/;x/admin", "CVE-2026-73511 dots": "/open/..;/admin",
    "CVE-2026-73511 dots with a value": "/open/..;x=y/admin", "CVE-2026-73511 dot": "/.;/admin",
    "CVE-2026-73511 within": "/open;/../admin", "CVE-2026-73511 escaped": "/admin%3bx",
    "CVE-2026-73511 below": "/admin;x/y",
    "CVE-2026-40912": "/open%2e/admin", "CVE-2026-40912 upper case": "/open%2E/admin",
    "CVE-2026-48020": "/open../admin", "CVE-2026-48020 alone": "/open../",
    "CVE-2026-48020 escaped": "/open%2e%2e/admin", "CVE-2026-48020 slash": "/open/../admin",
    "CVE-2025-66490 slash": "/admin%2F", "CVE-2025-66490 backslash": "/admin%5C",
    "CVE-2025-66490 NUL": "/admin%00", "CVE-2025-66490 semicolon": "/admin%3B",
    "CVE-2025-66490 question mark": "/admin%3F", "CVE-2025-66490 hash": "/admin%23",
    "CVE-2025-66490 inside": "/adm%00in", "CVE-2025-66490 percent": "/admin%25",
    "CVE-2026-26205": "//admin", "CVE-2026-26205 and a path": "//admin/x",
    "CVE-2026-26205 open": "//open/../admin", "CVE-2026-26205 three": "///admin",
    "CVE-2026-26205 host": "//localhost/admin", "CVE-2026-26205 user info": "//open@admin/x",
    "CVE-2019-9901 dots": "/open/../admin", "CVE-2019-9901 dot": "/./admin",
    "CVE-2019-9901 escaped": "/open/%2e%2e/admin", "CVE-2019-9901 slashes": "/open/..//admin",
    "CVE-2019-9901 slash at the end": "/admin/", "CVE-2019-9901 half escaped": "/open/.%2E/admin",
}


@pytest.fixture(scope="module")
def shared_open_neighbours(servers, tmp_path_factory):
    upstream, authorizer = servers
    routes = [route(upstream, "/admin"), route(upstream, authenticate=False),
              route(upstream, "/open", match="string", rewrite="/", authenticate=False)]
    with Gateway(tmp_path_factory.mktemp("paths"), routes, authorizer=judged_by(authorizer)) as gateway:
        yield gateway


@pytest.fixture
def open_neighbours(shared_open_neighbours, upstream, authorizer):
    """/admin is judged, all else is open, and what begins with /open loses that."""
    return shared_open_neighbours


@pytest.mark.parametrize("target", PATHS.values(), ids=PATHS)
def test_no_spelling_of_a_path_gets_by(open_neighbours, upstream, target):
    """What goes on unjudged is nothing that a server could take for /admin."""
    status = open_neighbours.ask(http1(target)).status
    assert status in (200, 400, 403)
    with H2(open_neighbours.port) as client:
        assert client.ask(*get(target)) in (status, "reset", 400)
    for seen in upstream.since(0):
        path = urllib.parse.unquote(seen.target.split("?")[0]).replace("\\", "/")
        segments = [s.split(";")[0] for s in path.split("/") if s not in ("", ".")]
        assert ".." not in segments and segments[:1] != ["admin"], seen.line
        assert not path.startswith("//"), seen.line
    assert (status == 200) == bool(upstream.seen)


# What is left by whole segments, and by the text alone.
CUT_PREFIXES = {
    "/%61pi/x": ("/x", "/x"), "/ap%69/x": ("/x", "/x"), "/%61%70%69": ("/", "/"),
    "/api/%61dmin": ("/admin", "/admin"), "/api/a%20b": ("/a%20b", "/a%20b"),
    "/api/%e2%82%ac": ("/%e2%82%ac", "/%e2%82%ac"), "/api%20/x": (None, "/%20/x"),
    "/api%2e/admin": (None, None), "/api%2E/admin": (None, None), "/api%2e%2e/admin": (None, None)}


@pytest.mark.parametrize("kind, match", [(0, "segment"), (1, "string")])
def test_cve_2026_40912_a_prefix_is_cut_off_the_text_that_it_matched(tmp_path, upstream, kind, match):
    routes = [route(upstream, "/api", match=match, rewrite="/")]
    with Gateway(tmp_path, routes, authorizer=NOBODY) as gateway:
        for target, sent in CUT_PREFIXES.items():
            upstream.forget()
            status = gateway.ask(http1(target)).status
            assert [s.target for s in upstream.since(0)] == ([sent[kind]] if sent[kind] else []), target
            assert status == 200 if sent[kind] else status in (400, 404), target


@pytest.mark.parametrize("where", ["name", "value", "end", "cookie", "target"])
def test_cve_2019_9900_no_nul_gets_by(lenient_gateway, upstream, where):
    target = "/\0" if where == "target" else "/"
    name, value = {"name": ("x\0y", "z"), "value": ("x", "a\0b"), "end": ("x", "a\0"),
                   "cookie": ("cookie", "a=\0")}.get(where, ("x", "y"))
    assert lenient_gateway.ask(http1(target, f"{name}: {value}")).status == 400
    with H2(lenient_gateway.port) as client:
        assert client.ask(*get(target), (name, value)) in (400, "reset", "closed")
    assert upstream.seen == []


# --- 16 to 19: headers ---

def ask_both(gateway: Gateway, target: str, name: str, value: str) -> None:
    """The same request over HTTP/1.1 and HTTP/2, which both pass."""
    assert gateway.ask(http1(target, f"{name}: {value}", "X: y", f"{name}: {value}")).status == 200
    with H2(gateway.port) as client:
        assert client.ask(*get(target), (name.lower(), value)) == 200


@pytest.mark.parametrize("name", [
    IDENTITY, "Kubeflow-UserId", "kubeflow-groups", "kubeflow_userid", "gatehouse-session-expires"])
def test_cve_2026_30851_a_copy_does_not_survive_a_verdict_without(gateway, authorizer, upstream, name):
    authorizer.answer = lambda *_: allow()
    for target in ("/open", "/judged"):
        ask_both(gateway, target, name, "root")
    assert len(upstream.since(0)) == 4
    assert not any(b"root" in s.head for s in upstream.seen)
    assert "root" not in str(authorizer.requests)


def test_cve_2026_30851_nor_one_of_an_http_authorizer(tmp_path, upstream):
    with Recorder() as judge, Gateway(tmp_path, [route(upstream)], authorizer={
            "kind": "http", "url": judge.url, "allowed_authorization_headers": ["x-role"]}) as gateway:
        ask_both(gateway, "/", IDENTITY, "root")
        ask_both(gateway, "/", "Kubeflow_Groups", "root")
    assert len(upstream.since(0)) == len(judge.since(0)) == 4
    assert not any(b"root" in s.head for s in upstream.seen + judge.seen)


ALIASES = {
    "CVE-2026-39858": "X_Forwarded_User", "CVE-2026-39858 groups": "x_forwarded-groups",
    "CVE-2025-64484": "X_Forwarded_Email", "CVE-2025-64484 dots": "X.Forwarded.Access.Token",
    "CVE-2026-52845": "X_Auth_Request_User", "CVE-2026-52845 mixed": "x-auth_REQUEST-user"}


@pytest.mark.parametrize("name", ALIASES.values(), ids=ALIASES)
def test_no_alias_of_a_managed_header_gets_by(tmp_path, authorizer, upstream, name):
    managed = ["X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Request-User", "X-Forwarded-Groups",
               "X-Forwarded-Access-Token"]
    authorizer.answer = lambda *_: allow({"x-auth-request-user": "alice", "x-forwarded-user": "alice"})
    with Gateway(tmp_path, [route(upstream)], authorizer=judged_by(authorizer),
                 managed_headers=managed) as gateway:
        ask_both(gateway, "/", name, "root")
    for seen in upstream.since(0):
        assert b"root" not in seen.head
        assert seen.all("x-auth-request-user") == seen.all("x-forwarded-user") == ["alice"]
    assert "root" not in str(authorizer.requests)


FORGED = {
    "GHSA-6384-m2mw-rf54": "X-Forwarded-Prefix", "GHSA-6384-m2mw-rf54 alias": "X_Forwarded_Prefix",
    "CVE-2023-27487": "x-envoy-original-path", "CVE-2023-27487 alias": "X_Envoy_Original_Path",
    "CVE-2024-45806": "x-envoy-internal", "CVE-2024-45806 retries": "x-envoy-retry-on",
    "CVE-2024-45806 address": "x-envoy-external-address", "CVE-2024-45806 ours": "X-Gatehouse-User",
    "CVE-2024-45806 session": "x-gatehouse-session", "CVE-2024-45806 body": "x-envoy-auth-partial-body",
    "CVE-2026-40575": "X-Forwarded-Uri", "CVE-2026-76835": "X-Original-URL"}


@pytest.mark.parametrize("name", FORGED.values(), ids=FORGED)
def test_what_proxies_tell_one_another_is_believed_of_nobody(gateway, authorizer, upstream, name):
    authorizer.answer = lambda *_: allow()
    for target in ("/open", "/judged"):
        ask_both(gateway, target, name, "/open/evil")
    assert len(upstream.since(0)) == 4
    assert not any(b"evil" in s.head for s in upstream.seen)
    assert len(authorizer.requests) == 2 and "evil" not in str(authorizer.requests)


NOMINATED = {
    "CVE-2024-45410": "X-Forwarded-Host", "CVE-2024-45410 for": "close, X-Forwarded-For",
    "CVE-2024-45410 proto": "x-forwarded-proto", "CVE-2025-48865": IDENTITY,
    "CVE-2025-48865 case": "Keep-Alive, Kubeflow-UserId",
    "CVE-2025-48865 several": f"x,{IDENTITY},X-Forwarded-Host"}


@pytest.mark.parametrize("options", NOMINATED.values(), ids=NOMINATED)
def test_connection_strips_nothing_that_the_gateway_adds(gateway, authorizer, upstream, options):
    authorizer.answer = lambda *_: allow({IDENTITY: "alice"})
    forged = (f"{IDENTITY}: root", "X-Forwarded-Host: evil")
    assert gateway.ask(http1("/", f"Connection: {options}", *forged)).status == 200
    with H2(gateway.port) as client:
        client.ask(*get(), ("connection", options.lower()))  # which is malformed there
    for seen in upstream.since(0):
        assert seen.all(IDENTITY) == ["alice"]
        assert seen.all("x-forwarded-host") == seen.all("host") == ["localhost"]
        assert seen.all("x-forwarded-for") == ["127.0.0.1"] and seen.all("x-forwarded-proto") == ["http"]
        assert seen.all("connection") == []


# --- 20: generated headers and request lines ---

@pytest.mark.parametrize("value", [
    "a\r\nX-Admin: 1", "a\nX-Admin: 1", "a\rX-Admin: 1", "a\0b", "a\x0bb", "a\x7f"], ids=repr)
def test_cve_2023_27493_a_verdict_splits_no_head(gateway, authorizer, upstream, value):
    for verdict in (allow({IDENTITY: value}), allow({"x-any": value}), allow({f"x-{value}": "b"})):
        authorizer.answer = lambda *_, verdict=verdict: verdict
        assert gateway.ask(http1()).status == 503
    assert upstream.seen == []


@pytest.mark.parametrize("value", [
    "%0d%0aX-Admin: 1", "\\r\\nX-Admin: 1", '"; X-Admin=1', "a\tb", "a, b", "%REQ(host)%"])
def test_cve_2023_27493_nor_what_a_header_is_made_of(tmp_path, upstream, value):
    made = [{"name": "X-Copy", "value": "%REQ(x-in)%"}, {"name": "X-Path", "value": "%REQ(:path)%"}]
    sent = [{"name": "X-Echo", "value": "%REQ(x-in)%"}]
    routes = [route(upstream, add_request_headers=made, add_response_headers=sent)]
    with Gateway(tmp_path, routes, authorizer=NOBODY) as gateway:
        answer = gateway.ask(http1("/%20?%0d%0aX-Admin:1", f"X-In: {value}"))
    (seen,) = upstream.since(0)
    assert answer.status == 200 and not answer.all("x-admin") and not seen.all("x-admin")
    assert seen.all("x-copy") == answer.all("x-echo") == [value]
    assert seen.all("x-path") == ["/%20?%0d%0aX-Admin:1"]


def test_cve_2023_27493_nor_the_names_in_a_client_s_certificate(tmp_path, upstream):
    tls = make_certificate(tmp_path, "localhost")
    client = Certificate(tmp_path / "client.pem", tmp_path / "client.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", client.key, "-out", client.certificate, "-days", "2",
                    "-subj", '/CN=a",By=root;Hash="00', "-addext",
                    "subjectAltName=URI:spiffe://x/;Subject=root;URI=spiffe://root"],
                   check=True, capture_output=True)
    listen = {"tls": {**tls.settings(), "client_ca": str(client), "forward_client": ["subject", "uri"]}}
    with Gateway(tmp_path, [route(upstream)], listen=listen, authorizer=NOBODY) as gateway:
        answer = requests.get(f"https://localhost:{gateway.port}/", verify=str(tls), timeout=20,
                              cert=(str(client.certificate), str(client.key)))
    assert answer.status_code == 200
    (told,) = upstream.seen[0].all("x-forwarded-client-cert")
    plain = re.sub(r'"(?:[^"\\]|\\.)*"', "", told)
    assert [pair.split("=")[0] for pair in plain.split(";")] == ["Subject", "URI"], told
    assert "," not in plain, told


PSEUDO_FIELDS = {
    "method with a line": get(method="GET / HTTP/1.1\r\nX-Admin:"),
    "method with a path": get(method="GET /admin"),
    "method with CRLF": get(method="GET\r\nX-Admin: 1"), "path with a space": get("/open HTTP/1.1"),
    "path with a line": get("/open HTTP/1.1\r\nX-Admin: 1\r\n\r\n"), "path with LF": get("/open\nX: 1"),
    "path without a slash": get("open"), "path of a URL": get("http://evil.example/"),
    "path with a tab": get("/open\tx"), "authority with a line": get("/open", "localhost\r\nX: 1"),
    "authority with a space": get("/open", "localhost evil"),
    "authority with a slash": get("/open", "localhost/admin"),
    "authority with user info": get("/open", "root@localhost"),
    "two hosts": get("/open", "localhost,evil"),
    "another host": [*get("/open"), ("host", "evil.example")],
    "scheme with a line": [(n, "http\r\nX: 1" if n == ":scheme" else v) for n, v in get("/open")],
    "scheme of a URL": [(n, "http://evil.example/?" if n == ":scheme" else v) for n, v in get("/open")],
    "name with a line": [*get("/open"), ("x\r\nx-admin", "1")],
    "name with a colon": [*get("/open"), ("x: 1\r\nx-admin", "1")],
    "value with a line": [*get("/open"), ("x", "1\r\nX-Admin: 1")],
    "value with CR": [*get("/open"), ("x", "1\rX-Admin: 1")],
    "upper-case name": [*get("/open"), ("X-Admin", "1")],
    "coding": [*get("/open", method="POST"), ("transfer-encoding", "chunked")],
    "connection": [*get("/open"), ("connection", "close")],
    "upgrade": [*get("/open"), ("upgrade", "foo")],
    "a wrong length": [*get("/open", method="POST"), ("content-length", "5")],
    "a signed length": [*get("/open", method="POST"), ("content-length", "+0")],
    "two lengths": [*get("/open", method="POST"), ("content-length", "0"), ("content-length", "5")],
}


@pytest.mark.parametrize("fields", PSEUDO_FIELDS.values(), ids=PSEUDO_FIELDS)
def test_cve_2023_27491_no_http2_head_becomes_another_in_http1(gateway, upstream, fields):
    with H2(gateway.port) as client:
        assert is_refusal(client.ask(*fields))
    assert upstream.seen == []
    assert gateway.ask(http1("/open")).status == 200


# --- 21: hosts of one address ---

@pytest.fixture
def two_hosts(tmp_path, upstream):
    """TLS for any host; and for b.localhost with a client's certificate alone."""
    any_host, b = (make_certificate(tmp_path, name) for name in ("a.localhost", "b.localhost"))
    hosts = [{"hostname": "b.localhost",
              "tls": {**b.settings(), "client_required": True, "client_ca": str(b)}}]
    with Gateway(tmp_path, [route(upstream)], listen={"tls": any_host.settings()}, hosts=hosts,
                 authorizer=NOBODY) as gateway:
        yield gateway


def secure(gateway: Gateway, server_name: str | None, protocol: str) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    connection = socket.create_connection(("127.0.0.1", gateway.port), 20)
    return context.wrap_socket(connection, server_hostname=server_name)


def status_over_tls(gateway: Gateway, server_name: str | None, host: str) -> bytes:
    with secure(gateway, server_name, "http/1.1") as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return connection.recv(65536)[9:12]


@pytest.mark.parametrize("host", ["b.localhost", "B.LOCALHOST", "b.localhost.", "b.localhost:443"])
@pytest.mark.parametrize("server_name", ["a.localhost", "other.localhost", None], ids=str)
def test_cve_2021_36371_the_host_is_that_of_the_handshake(two_hosts, upstream, server_name, host):
    """Whoever did not ask for it there was let in by other rules; so was who asked for none."""
    assert status_over_tls(two_hosts, server_name, host) == b"421"
    with H2(two_hosts.port, secure(two_hosts, server_name, "h2")) as client:
        assert client.ask(*get("/", host)) == 421
    assert upstream.seen == []
    assert status_over_tls(two_hosts, server_name, server_name or "a.localhost") == b"200"


def test_cve_2021_36371_and_who_asks_for_it_needs_a_certificate(two_hosts, upstream):
    try:
        assert status_over_tls(two_hosts, "b.localhost", "b.localhost") == b""
    except OSError:
        pass
    assert upstream.seen == []


# --- 22: what passes unasked ---

UNASKED = {
    "CVE-2025-54576 query": ("/pipeline/?/dex/", {}), "CVE-2025-54576 root": ("/?/dex/x", {}),
    "CVE-2025-54576 value": ("/pipeline/?next=/dex/healthz", {}),
    "CVE-2025-54576 below": ("/pipeline/dex/", {}), "CVE-2025-54576 begins": ("/dexter/", {}),
    "CVE-2026-40575": ("/pipeline/", {"X-Forwarded-Uri": "/dex/healthz"}),
    "CVE-2026-40575 path": ("/pipeline/", {"X-Forwarded-Path": "/dex/"}),
    "CVE-2026-76835": ("/pipeline/", {"X-Forwarded-Uri": "/dex/", "X-Forwarded-Method": "GET"}),
    "CVE-2026-76835 original": ("/pipeline/", {"X-Original-URI": "/dex/", "X-Original-URL": "/dex/"}),
    "CVE-2026-76835 Envoy": ("/pipeline/", {"X-Envoy-Original-Path": "/dex/", "X-Rewrite-URL": "/dex/"}),
    "CVE-2026-34457 kubelet": ("/pipeline/", {"User-Agent": "kube-probe/1.29"}),
    "CVE-2026-34457 Google": ("/pipeline/", {"User-Agent": "GoogleHC/1.0"}),
    "CVE-2026-34457 Amazon": ("/pipeline/", {"User-Agent": "ELB-HealthChecker/2.0"}),
    "CVE-2026-34457 path": ("/pipeline/healthz", {"User-Agent": "kube-probe/1.29"}),
    "CVE-2026-34457 Envoy": ("/pipeline/", {"User-Agent": "Envoy/HC", "X-Envoy-Internal": "true"}),
}


@pytest.mark.parametrize("path, headers", UNASKED.values(), ids=UNASKED)
def test_a_stranger_stays_a_stranger(door, path, headers):
    answer = requests.get(door.url + path, headers=headers, allow_redirects=False, timeout=20)
    assert answer.status_code in (301, 401), answer.text


def test_cve_2025_54576_an_expression_sees_the_path_alone(tmp_path, authorizer, upstream):
    routes = [route(upstream, "/(.*/)?public/.*", match="regex", precedence=1, authenticate=False),
              route(upstream, ".*[.]png", match="regex", precedence=1, authenticate=False),
              route(upstream)]
    with Gateway(tmp_path, routes, authorizer=judged_by(authorizer)) as gateway:
        for target in ("/admin?/public/x", "/admin?x=/public/", "/admin?x.png", "/admin?/public/x.png",
                       "/admin/?%2Fpublic%2Fx", "/admin#/public/x", "/admin#.png"):
            assert gateway.ask(http1(target)).status in (400, 403), target
        assert upstream.seen == []
        assert gateway.ask(http1("/public/x")).status == gateway.ask(http1("/x.png")).status == 200


# --- 23: lengths and names ---

@pytest.mark.parametrize("size", [256, 257, 269, 270, 271, 300, 511, 512, 513, 65535, 65536, 65550])
def test_cve_2021_40346_a_long_name_is_nobody_s_length(gateway, upstream, size):
    """HAProxy kept a name's length in a byte: this one was read as a Content-Length."""
    fields = ("Content-Length" + "0" * size + ":", f"Content-Length: {len(SMUGGLED)}")
    with Client(gateway.port, http1("/open", *fields, method="POST") + SMUGGLED) as client:
        answer = client.answer()
        if answer.status != 200:
            assert answer.status in (400, 431)
            assert client.rest() == b""
            assert upstream.seen == []
            return
    (seen,) = upstream.since(0)
    assert seen.body == SMUGGLED and seen.all("content-length") == [str(len(SMUGGLED))]


@pytest.mark.parametrize("field", [": x", ":", " : x", ":x", "\t: x"])
@pytest.mark.parametrize("place", [0, 1], ids=["first", "last"])
def test_cve_2023_25725_an_empty_name_ends_no_head(gateway, upstream, field, place):
    fields = [f"Content-Length: {len(SMUGGLED)}"]
    fields.insert(place, field)
    with Client(gateway.port, http1("/open", *fields, method="POST") + SMUGGLED) as client:
        assert client.answer().status == 400
        assert client.rest() == b""
    assert upstream.seen == []


@pytest.mark.parametrize("fields", [
    ["Content-Length:"], ["Content-Length: "], ["Content-Length: \t"], ["Content-Length: ,5"],
    ["Content-Length:", LENGTH], [LENGTH, "Content-Length:"]], ids=str)
def test_cve_2023_40225_an_empty_length_is_none(gateway, upstream, fields):
    with Client(gateway.port, http1("/open", *fields, method="POST") + SMUGGLED) as client:
        assert client.answer().status == 400
        assert client.rest() == b""
    with H2(gateway.port) as client:
        assert client.ask(*get("/open", method="POST"), ("content-length", "")) in (400, "reset")
    assert upstream.seen == []


# --- 24: floods of HTTP/2 ---

ENHANCE_YOUR_CALM = 11


def flood(client: H2, frames: bytes, times: int) -> int | None:
    """Sends them until the server has had enough; gives the error code by which it says so."""
    with contextlib.suppress(ConnectionError):
        for _ in range(times):
            client.send(frames)
    code = None
    while got := client.read():
        kind, _, _, payload = got
        if kind == GOAWAY:
            code = struct.unpack(">I", payload[4:8])[0]
    return code


def test_cve_2023_44487_rapid_reset(gateway, upstream):
    head = block(*get("/open/reset"))
    pairs = b"".join(frame(HEADERS, END_HEADERS | END_STREAM, stream, head)
                     + frame(RST_STREAM, 0, stream, b"\0\0\0\x08") for stream in range(1, 20_001, 2))
    with H2(gateway.port) as client:
        assert flood(client, pairs, 1) == ENHANCE_YOUR_CALM
    assert gateway.ask(http1("/open")).status == 200
    assert len(upstream.since(0)) < 1000


CONTINUED = {"CVE-2024-27919": block(("x", "y")) * 10, "CVE-2024-30255": b"", "CVE-2024-28182": b"\x82",
             "CVE-2024-27919 long": block(("x", "y" * 8000))}


@pytest.mark.parametrize("piece", CONTINUED.values(), ids=CONTINUED)
def test_a_header_block_without_end(gateway, upstream, piece):
    with H2(gateway.port) as client:
        client.send(frame(HEADERS, END_STREAM, 1, block(*get("/open"))))
        assert flood(client, frame(CONTINUATION, 0, 1, piece) * 10, 2_000) is not None
    assert gateway.ask(http1("/open")).status == 200
    assert len(upstream.since(0)) == 1


CHEAP = {"CVE-2019-9512": frame(PING, 0, 0, b"12345678"), "CVE-2019-9515": frame(SETTINGS, 0, 0),
         "CVE-2019-9518": frame(DATA, 0, 1)}


@pytest.mark.parametrize("one", CHEAP.values(), ids=CHEAP)
def test_a_flood_of_cheap_frames(gateway, one):
    with H2(gateway.port) as client:
        client.send(frame(HEADERS, END_HEADERS, 1, block(*get("/open", method="POST"))))
        assert flood(client, one * 100, 2_000) == ENHANCE_YOUR_CALM
    assert gateway.ask(http1("/open")).status == 200


# --- 25: error pages ---

def test_cve_2026_24513_an_error_page_defeats_no_denial(tmp_path, upstream):
    page = tmp_path / "page.html"
    page.write_text("<p>%RESPONSE_CODE%</p>")
    overrides = [
        {"status": 401, "text": "please log in"}, {"status": 403, "json": {"error": "%RESPONSE_CODE%"}},
        {"status": 404, "file": str(page)}, {"status": 500, "text": "oh"},
        {"status": 503, "text": "not now"}]
    bodies = {401: b"please log in", 403: b'{"error":403}', 404: b"<p>404</p>", 500: b"oh"}
    with GrpcAuthorizer() as authorizer, Gateway(
            tmp_path, [route(upstream)], authorizer=judged_by(authorizer),
            error_overrides=overrides) as gateway:
        for status, body in bodies.items():
            authorizer.answer = lambda *_, status=status: deny(status, {}, "the authorizer's own words")
            answer = gateway.ask(http1("/secret"))
            assert (answer.status, answer.body) == (status, body)
        authorizer.server.stop(None).wait()
        answer = gateway.ask(http1("/secret"))
        assert (answer.status, answer.body) == (503, b"not now")
    assert upstream.seen == []


# --- 26: slow clients, h2c ---

SLOW = {
    "a request line": (b"G", b"E"), "a name": (http1("/open")[:-2] + b"X", b"x"),
    "fields": (http1("/open")[:-2], b"X: y\r\n"), "what could be TLS": (b"\x16", b"\x03"),
    "HTTP/2's preface": (PREFACE[:7], b""),
    "a header block": (PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 0, 1, b"\x82")[:9], b"")}


@pytest.mark.parametrize("begin, more", SLOW.values(), ids=SLOW)
def test_slowloris_a_head_has_its_time(tmp_path, upstream, begin, more):
    """However often a byte of it comes; and others are served meanwhile."""
    with Gateway(tmp_path, [route(upstream)], authorizer=NOBODY,
                 limits={"head_timeout": "300ms"}) as gateway:
        slow = [Client(gateway.port, begin) for _ in range(200)]
        assert gateway.ask(http1("/open")).status == 200
        still_open = list(slow)
        end = time.monotonic() + 20
        while still_open and time.monotonic() < end:
            still_open = [client for client in still_open if goes_on(client, more)]
        for client in slow:
            client.socket.close()
        assert not still_open
        assert [s.target for s in upstream.seen] == ["/open"]


def goes_on(client: Client, more: bytes) -> bool:
    """Sends more; false if the server has ended the connection."""
    client.socket.settimeout(0.001)
    try:
        client.send(more)
        while client.socket.recv(65536):
            pass
    except TimeoutError:
        return True
    except OSError:
        pass
    return False


H2C = {
    "h2c": ("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    "h2c alone": ("Upgrade: h2c", "Connection: Upgrade"),
    "h2c, not nominated": ("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    "h2c among others": ("Upgrade: websocket, h2c", "Connection: Upgrade, HTTP2-Settings",
                         "HTTP2-Settings: AAMAAABkAAQAAP__")}


@pytest.mark.parametrize("fields", H2C.values(), ids=H2C)
def test_h2c_smuggling_no_upgrade_opens_a_way_past_the_judge(gateway, upstream, fields):
    """An upstream that would switch is not asked to; and HTTP/2's frames behind it are no tunnel's."""
    upstream.scripts["h2c"] = upgraded("h2c")
    with Client(gateway.port, http1("/open/say/h2c", *fields)) as client:
        assert client.answer().status == 502
    frames = PREFACE + frame(SETTINGS, 0, 0)
    frames += frame(HEADERS, END_HEADERS | END_STREAM, 1, block(*get("/admin")))
    with Client(gateway.port, http1("/open/x", *fields) + frames) as client:
        assert client.answer().status == 200
        assert client.answer().status >= 400
        assert client.rest() == b""
    for seen in upstream.since(0):
        assert seen.all("upgrade") == [] and seen.all("http2-settings") == []
        assert seen.target.startswith("/open")
