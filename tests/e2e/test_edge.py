"""The gateway's edge: who connects and how, what it is told of clients, and how much it takes of them."""

import base64
import concurrent.futures
import contextlib
import hashlib
import ipaddress
import re
import resource
import selectors
import signal
import socket
import ssl
import struct
import threading
import time
import urllib.parse

import grpc
import pytest
import requests
from certificates import Certificate
from edge import (INITIAL_WINDOW, Authority, Http2, limit_struck, reset, settings,
                  tls_client, window_update)
from gateway_alone import GatewayAlone, Service, answer, eventually, mapping, module
from ports import free_port
from upstreams import RawUpstream, TcpService
from wire import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, H2, HEADERS, PING,
                  PREFACE, RST_STREAM, SECONDS, Client, Cut, Wire, block, frame, status_of)

TLS_1_1, TLS_1_2, TLS_1_3 = (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def gateway_for(folder, service: str, listen: dict | None = None, tls=None, route: dict | None = None,
                **more) -> GatewayAlone:
    """One route to the service; `listen` is said of the listener besides its address."""
    gateway = GatewayAlone(folder, [{"name": "all", "prefix": "/", "service": service, **(route or {})}],
                           tls=tls, **more)
    own = gateway.settings["listen"][0]
    tls_too = {"tls": own.get("tls", {}) | (listen or {}).get("tls", {})}
    own.update((listen or {}) | (tls_too if tls or tls_too["tls"] else {}))
    gateway.write()
    return gateway


class Over(Client):
    """A client of HTTP/1.1 over a connection that is there already."""

    def __init__(self, connection: socket.socket) -> None:
        Wire.__init__(self, connection)


def get(path: str = "/", host: str = "front.test", *fields: str) -> bytes:
    lines = "".join(f"{field}\r\n" for field in fields)
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode()


def pseudo(method: str = "GET", path: str = "/", host: str = "front.test", scheme: str = "https") -> list[tuple]:
    return [(":method", method), (":scheme", scheme), (":authority", host), (":path", path)]


def headers(*fields: tuple, stream: int = 1, flags: int = END_HEADERS | END_STREAM) -> bytes:
    return frame(HEADERS, flags, stream, block(*fields))


def ends_without_an_answer(client: Client) -> bool:
    """By a reset or in order."""
    try:
        return client.rest() == b""
    except Cut:
        return True


@pytest.fixture(scope="module")
def service():
    with Service() as running:
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def front(authority):
    return authority.issue("front.test", "DNS:front.test", "DNS:localhost", "IP:127.0.0.1")


# --- the PROXY protocol ---

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def proxy_2(command: int, family: int, addresses: bytes = b"") -> bytes:
    return SIGNATURE + struct.pack(">BBH", command, family, len(addresses)) + addresses


def addresses_2(source: str, destination: str) -> bytes:
    return (ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
            + struct.pack(">HH", 56324, 443))


V4, V6 = addresses_2("192.0.2.7", "198.51.100.1"), addresses_2("2001:db8::7", "2001:db8::1")
PROXY_HEADERS = {
    "v1-tcp4": (b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", "192.0.2.7"),
    "v1-tcp6": (b"PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n", "2001:db8::7"),
    "v1-unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "v1-unknown-with-more": (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1"),
    "v2-tcp4": (proxy_2(0x21, 0x11, V4), "192.0.2.7"),
    "v2-tcp4-with-more": (proxy_2(0x21, 0x11, V4 + b"\x04\0\x05inert"), "192.0.2.7"),
    "v2-tcp6": (proxy_2(0x21, 0x21, V6), "2001:db8::7"),
    "v2-local": (proxy_2(0x20, 0x00), "127.0.0.1"),
    "v2-local-with-addresses": (proxy_2(0x20, 0x11, V4), "127.0.0.1"),
    "v2-unspecified": (proxy_2(0x21, 0x00), "127.0.0.1"),
}
NO_PROXY_HEADERS = {
    "none": b"",
    "v1-lower-case": b"proxy TCP4 192.0.2.7 198.51.100.1 56324 443\r\n",
    "v1-no-ports": b"PROXY TCP4 192.0.2.7 198.51.100.1\r\n",
    "v1-port-too-high": b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n",
    "v1-port-with-zero": b"PROXY TCP4 192.0.2.7 198.51.100.1 056324 443\r\n",
    "v1-other-family": b"PROXY TCP4 2001:db8::7 2001:db8::1 56324 443\r\n",
    "v1-udp": b"PROXY UDP4 192.0.2.7 198.51.100.1 56324 443\r\n",
    "v1-two-blanks": b"PROXY TCP4  192.0.2.7 198.51.100.1 56324 443\r\n",
    "v1-no-cr": b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\n",
    "v1-too-long": b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n",
    "v2-other-version": proxy_2(0x11, 0x11, V4),
    "v2-other-command": proxy_2(0x22, 0x11, V4),
    "v2-udp": proxy_2(0x21, 0x12, V4),
    "v2-too-short": proxy_2(0x21, 0x11, V4[:11]),
    "v2-too-short-for-ipv6": proxy_2(0x21, 0x21, V4),
    "v2-too-long": SIGNATURE + b"\x21\x11\xff\xff" + V4,
}


@pytest.fixture(scope="module")
def behind_proxy(service, tmp_path_factory):
    with gateway_for(tmp_path_factory.mktemp("proxy"), service.url, {"proxy_protocol": True},
                     ip_deny=["192.0.2.66"],
                     limits={"connections_per_address": 2}) as gateway:
        yield gateway


@pytest.mark.parametrize("pieces", ["whole", "byte-by-byte"])
@pytest.mark.parametrize("header, client", PROXY_HEADERS.values(), ids=PROXY_HEADERS)
def test_the_proxy_protocol_tells_who_the_client_is(behind_proxy, service, header, client, pieces):
    request = header + get("/", "front.test", "X-Forwarded-For: 203.0.113.9", "Connection: close")
    with Client(behind_proxy.port) as connection:
        for piece in [request] if pieces == "whole" else [request[i:i + 1] for i in range(len(request))]:
            connection.send(piece)
        assert connection.answer().status == 200
    assert service.last.get("x-forwarded-for") == client


@pytest.mark.parametrize("header", NO_PROXY_HEADERS.values(), ids=NO_PROXY_HEADERS)
def test_a_connection_without_a_sound_proxy_header_is_closed(behind_proxy, service, header):
    before = len(service.seen)
    with Client(behind_proxy.port, header + get()) as connection:
        assert ends_without_an_answer(connection)
    assert len(service.seen) == before


@pytest.mark.parametrize("header", [PROXY_HEADERS["v1-tcp4"][0], PROXY_HEADERS["v2-tcp4"][0]],
                         ids=["v1", "v2"])
def test_a_proxy_header_that_is_not_asked_for_is_not_believed(service, tmp_path, header):
    before = len(service.seen)
    with gateway_for(tmp_path, service.url) as gateway, Client(gateway.port, header + get()) as client:
        got = client.rest()
    assert got == b"" or got.startswith(b"HTTP/1.1 400 ")
    assert len(service.seen) == before


def test_rules_for_addresses_are_for_the_client_behind_the_proxy(behind_proxy):
    header = b"PROXY TCP4 192.0.2.66 198.51.100.1 1 2\r\n"
    with Client(behind_proxy.port, header + get()) as client:
        assert client.answer().status == 403


def test_connections_are_counted_for_the_client_behind_the_proxy(behind_proxy):
    def connect(stack, address: str) -> Client:
        header = f"PROXY TCP4 {address} 198.51.100.1 1 2\r\n".encode()
        return stack.enter_context(Client(behind_proxy.port, header + get()))

    struck = limit_struck(behind_proxy, "connections_per_address")
    with contextlib.ExitStack() as stack:
        assert [connect(stack, "192.0.2.8").answer().status for _ in range(2)] == [200, 200]
        assert ends_without_an_answer(connect(stack, "192.0.2.8"))
        assert connect(stack, "192.0.2.9").answer().status == 200
    assert limit_struck(behind_proxy, "connections_per_address") == struck + 1


def test_tls_begins_behind_the_proxy_header(service, authority, front, tmp_path):
    with gateway_for(tmp_path, service.url, {"proxy_protocol": True}, tls=front) as gateway:
        plain = socket.create_connection(("127.0.0.1", gateway.port), SECONDS)
        plain.sendall(PROXY_HEADERS["v2-tcp4"][0])
        secured = tls_client(gateway.port, "front.test", authority.certificate, connection=plain)
        with Over(secured) as client:
            client.send(get())
            assert client.answer().status == 200
    assert service.last.get("x-forwarded-for") == "192.0.2.7"
    assert service.last.get("x-forwarded-proto") == "https"


# --- certificates of clients ---

FORGED = ["X-Forwarded-Client-Cert: Hash=0;Subject=\"CN=root\"", "X_Forwarded_Client_Cert: forged",
          "x-forwarded-client-cert: By=spiffe://forged"]


@pytest.fixture(scope="module")
def alice(authority):
    return authority.issue("alice", "DNS:alice.test", "URI:spiffe://cluster/alice")


@pytest.fixture(scope="module")
def bob(authority):
    return authority.issue("bob")


@pytest.fixture(scope="module")
def mallory(tmp_path_factory):
    """By an authority that is not ours, though it bears the same name."""
    return Authority(tmp_path_factory.mktemp("mallory")).issue("alice")


def mutual(authority, **more) -> dict:
    return {"tls": {"client_ca": str(authority.certificate),
                    "forward_client": ["hash", "subject", "uri", "dns"], **more}}


@pytest.fixture(scope="module")
def required(service, authority, front, alice, bob, tmp_path_factory):
    """A gateway that asks for a certificate; bob's is revoked."""
    listen = mutual(authority, client_required=True, crl=str(authority.revocations(bob)))
    with gateway_for(tmp_path_factory.mktemp("required"), service.url, listen, tls=front) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def optional(service, authority, front, tmp_path_factory):
    with gateway_for(tmp_path_factory.mktemp("optional"), service.url, mutual(authority),
                     tls=front) as gateway:
        yield gateway


def told_of(certificate: Certificate) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate.certificate.read_text())
    return (f"Hash={hashlib.sha256(der).hexdigest()};Subject=\"CN=alice\";"
            "URI=spiffe://cluster/alice;DNS=alice.test")


def ask(gateway, authority, own: Certificate | None = None, versions: tuple | None = None,
        *fields: str, name: str = "front.test", host: str | None = None):
    with Over(tls_client(gateway.port, name, authority.certificate, own, versions=versions)) as client:
        client.send(get("/", host or name, *fields))
        return client.answer()


def refusal_of(gateway, authority, service, own: Certificate | None, version) -> str:
    """The alert by which a client is refused; the service hears nothing."""
    before = len(service.seen)
    reason = alert_to(gateway, authority, own, version)
    assert len(service.seen) == before
    return reason


def alert_to(gateway, authority, own: Certificate | None, version, name: str = "front.test") -> str:
    """By TLS 1.3 a client hears of its refusal when it reads."""
    with pytest.raises(ssl.SSLError) as refused:
        with tls_client(gateway.port, name, authority.certificate, own,
                        versions=(version, version)) as client:
            client.recv(1)
    return refused.value.reason


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
def test_who_shows_a_certificate_is_named_to_the_upstream(required, authority, service, alice, version):
    assert ask(required, authority, alice, (version, version), *FORGED).status == 200
    assert service.last.get("x-forwarded-client-cert") == told_of(alice)
    assert "x_forwarded_client_cert" not in service.last.names()


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
def test_who_shows_none_is_refused_where_one_is_required(required, authority, service, version):
    reason = refusal_of(required, authority, service, None, version)
    assert reason in ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE")


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("gateway", ["required", "optional"])
def test_a_certificate_by_another_authority_is_refused(request, authority, service, mallory, gateway,
                                                       version):
    gateway = request.getfixturevalue(gateway)
    assert "ALERT" in refusal_of(gateway, authority, service, mallory, version)


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
def test_a_revoked_certificate_is_refused(required, authority, service, bob, version):
    reason = refusal_of(required, authority, service, bob, version)
    assert reason == "SSLV3_ALERT_CERTIFICATE_REVOKED"


def test_who_shows_none_is_served_where_one_is_optional_and_named_nobody(optional, authority, service,
                                                                         alice):
    assert ask(optional, authority, None, None, *FORGED).status == 200
    assert not [name for name in service.last.names() if "client" in name]
    assert ask(optional, authority, alice, None, *FORGED).status == 200
    assert service.last.get("x-forwarded-client-cert") == told_of(alice)


def test_the_certificate_and_its_chain_can_be_told_whole(service, authority, front, alice, tmp_path):
    chained = Certificate(tmp_path / "chained.pem", alice.key)
    chained.certificate.write_text(alice.certificate.read_text() + authority.certificate.read_text())
    listen = mutual(authority, forward_client=["cert", "chain"])
    with gateway_for(tmp_path, service.url, listen, tls=front) as gateway:
        assert ask(gateway, authority, chained).status == 200
    parts = dict(part.split("=", 1) for part in service.last.get("x-forwarded-client-cert").split(";"))
    told = {key: urllib.parse.unquote(value.strip('"')) for key, value in parts.items()}
    pem = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.S)
    assert told["Cert"] == pem.search(alice.certificate.read_text())[0]
    assert told["Chain"] == "".join(pem.findall(chained.certificate.read_text()))


def test_a_revocation_takes_effect_by_a_reload(service, authority, front, tmp_path):
    carol = authority.issue("carol")
    revoked = tmp_path / "revoked.crl"
    revoked.write_bytes(authority.revocations().read_bytes())
    listen = mutual(authority, client_required=True, crl=str(revoked))
    with gateway_for(tmp_path, service.url, listen, tls=front) as gateway:
        assert ask(gateway, authority, carol).status == 200
        revoked.write_bytes(authority.revocations(carol).read_bytes())
        gateway.hang_up()

        def is_refused() -> bool:
            try:
                return ask(gateway, authority, carol).status != 200
            except ssl.SSLError as refused:
                return refused.reason == "SSLV3_ALERT_CERTIFICATE_REVOKED"
        eventually(is_refused)


# --- many hosts ---

@pytest.fixture(scope="module")
def hosts(service, authority, front, tmp_path_factory):
    """a.test, which serves everybody; b.test, by TLS 1.3 and for certified clients alone; *.wild.test."""
    own = {name: authority.issue(name.replace("*", "any"), f"DNS:{name}")
           for name in ("a.test", "b.test", "*.wild.test")}
    strict = {"client_ca": str(authority.certificate), "client_required": True, "min_version": "1.3"}
    with gateway_for(tmp_path_factory.mktemp("hosts"), service.url, tls=front, hosts=[
            {"hostname": "a.test", "tls": own["a.test"].settings()},
            {"hostname": "b.test", "tls": own["b.test"].settings() | strict},
            {"hostname": "*.wild.test", "tls": own["*.wild.test"].settings()}]) as gateway:
        yield gateway


@pytest.mark.parametrize("asked, shown", [
    ("a.test", "a.test"), ("A.TEST", "a.test"), ("one.wild.test", "*.wild.test"),
    ("two.deep.wild.test", "*.wild.test"), ("front.test", "front.test"), ("other.test", "front.test"),
    ("wild.test", "front.test"), (None, "front.test")])
def test_each_host_shows_its_own_certificate(hosts, authority, asked, shown):
    with tls_client(hosts.port, asked) as client:
        presented = client.getpeercert(binary_form=True)
    name = shown.replace("*", "any")
    expected = (authority.folder / f"{name}.pem").read_text()
    assert presented == ssl.PEM_cert_to_DER_cert(expected)


@pytest.mark.parametrize("name, host, status", [
    ("a.test", "a.test", 200), ("a.test", "A.Test:443", 200), ("x.wild.test", "x.wild.test", 200),
    ("a.test", "b.test", 421), ("a.test", "front.test", 421), ("front.test", "b.test", 421),
    ("x.wild.test", "b.test", 421), ("a.test", "b.test:443", 421), ("a.test", "a.test.", 200)])
@pytest.mark.parametrize("version", ["http/1.1", "h2"])
def test_cve_2021_36371_the_name_asked_for_and_the_host_are_one(hosts, service, name, host, status,
                                                                version):
    before = len(service.seen)
    connection = tls_client(hosts.port, name, alpn=(version,))
    if version == "h2":
        with Http2(connection).greet() as client:
            client.send(headers(*pseudo(host=host)))
            got = status_of(client.next(HEADERS).payload)
    else:
        with Over(connection) as client:
            client.send(get("/", host))
            got = client.answer().status
    assert got == status
    assert len(service.seen) == before + (status == 200)


@pytest.mark.parametrize("version", ["http/1.1", "h2"])
def test_a_host_s_rules_for_clients_hold_for_who_asks_for_no_name_too(hosts, service, version):
    """Without SNI the listener's own rules were asked: they let pass who may not see b.test."""
    before = len(service.seen)
    connection = tls_client(hosts.port, None, alpn=(version,))
    if version == "h2":
        with Http2(connection).greet() as client:
            client.send(headers(*pseudo(host="b.test")))
            assert status_of(client.next(HEADERS).payload) == 421
    else:
        with Over(connection) as client:
            client.send(get("/", "b.test"))
            assert client.answer().status == 421
    assert len(service.seen) == before


def test_a_host_s_own_rules_of_tls_hold(hosts, authority, alice):
    assert ask(hosts, authority, alice, name="b.test").status == 200
    required = alert_to(hosts, authority, None, TLS_1_3, "b.test")
    assert required == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    too_old = alert_to(hosts, authority, alice, TLS_1_2, "b.test")
    assert too_old == "TLSV1_ALERT_PROTOCOL_VERSION"
    assert ask(hosts, authority, None, (TLS_1_2, TLS_1_2), name="a.test").status == 200


# --- versions, ALPN, one port for both ---

@pytest.mark.parametrize("rules, offered, outcome", [
    ({}, TLS_1_1, "TLSV1_ALERT_PROTOCOL_VERSION"), ({}, TLS_1_2, "TLSv1.2"), ({}, TLS_1_3, "TLSv1.3"),
    ({"min_version": "1.3"}, TLS_1_2, "TLSV1_ALERT_PROTOCOL_VERSION"),
    ({"min_version": "1.3"}, TLS_1_3, "TLSv1.3"),
    ({"max_version": "1.2"}, TLS_1_3, "TLSV1_ALERT_PROTOCOL_VERSION"),
    ({"max_version": "1.2"}, TLS_1_2, "TLSv1.2")])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_versions_of_tls(service, front, tmp_path, rules, offered, outcome):
    with gateway_for(tmp_path, service.url, {"tls": rules}, tls=front) as gateway:
        try:
            with tls_client(gateway.port, versions=(offered, offered)) as client:
                assert client.version() == outcome
        except ssl.SSLError as refused:
            assert refused.reason == outcome


@pytest.fixture(scope="module")
def secure(service, front, tmp_path_factory):
    with gateway_for(tmp_path_factory.mktemp("secure"), service.url, tls=front) as gateway:
        yield gateway


@pytest.mark.parametrize("offered, chosen", [
    (("h2", "http/1.1"), "h2"), (("http/1.1", "h2"), "h2"), (("http/1.1",), "http/1.1"),
    (("spdy/3", "http/1.1"), "http/1.1"), ((), None)])
def test_alpn(secure, offered, chosen):
    with tls_client(secure.port, alpn=offered) as client:
        assert client.selected_alpn_protocol() == chosen


def test_a_protocol_that_is_not_served_is_refused(secure):
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        tls_client(secure.port, alpn=("spdy/3",))


def test_alpn_as_it_is_set(service, front, tmp_path):
    with gateway_for(tmp_path, service.url, {"tls": {"alpn": ["http/1.1"]}}, tls=front) as gateway:
        with tls_client(gateway.port, alpn=("h2", "http/1.1")) as client:
            assert client.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("alpn", [("http/1.1",), ()], ids=["http/1.1", "none"])
def test_who_has_not_agreed_on_http2_is_not_served_in_it(secure, service, alpn):
    before = len(service.seen)
    with tls_client(secure.port, alpn=alpn) as client, H2(0, client) as http2:
        assert http2.ask((":method", "GET"), (":scheme", "https"), (":authority", "front.test"),
                         (":path", "/")) == "closed"
    assert len(service.seen) == before


def test_who_has_agreed_on_http2_is_not_answered_in_http1(secure, service):
    before = len(service.seen)
    with Over(tls_client(secure.port, alpn=("h2",))) as client:
        client.send(get())
        assert b"HTTP/1.1" not in client.rest()
    assert len(service.seen) == before


@pytest.mark.parametrize("insecure, status", [("redirect", 301), ("route", 200), ("reject", 404)])
def test_one_port_serves_tls_and_cleartext(service, authority, front, tmp_path, insecure, status):
    with gateway_for(tmp_path, service.url, {"cleartext_too": True}, tls=front,
                     hosts=[{"hostname": "*", "insecure": insecure}]) as gateway:
        host = f"front.test:{gateway.port}"
        with Client(gateway.port, get("/a?b=c", host)) as client:
            plain = client.answer()
        assert plain.status == status
        if status == 301:
            assert plain.all("location") == [f"https://front.test:{gateway.port}/a?b=c"]
        if status == 200:
            assert service.last.get("x-forwarded-proto") == "http"
        with Http2(Client(gateway.port).socket).greet() as client:
            client.send(headers(*pseudo(scheme="http")))
            assert status_of(client.next(HEADERS).payload) == status
        assert ask(gateway, authority).status == 200
        assert service.last.get("x-forwarded-proto") == "https"


def test_a_further_port_redirects(service, front, tmp_path):
    port = free_port()
    with gateway_for(tmp_path, service.url, tls=front,
                     hosts=[{"hostname": "front.test", "insecure_port": port}]) as gateway:
        assert gateway.role.port != port
        with Client(port, get("/a")) as client:
            moved = client.answer()
    assert (moved.status, moved.all("location")) == (301, ["https://front.test/a"])


# --- TCP mappings ---

def everything(connection: socket.socket) -> bytes:
    """All until the other side has said its last."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def speak_first(connection: socket.socket) -> None:
    """A greeting, then what came, once its end has."""
    connection.sendall(b"hello\n")
    connection.sendall(everything(connection)[::-1])


@contextlib.contextmanager
def tcp_gateway(folder, *mappings: dict):
    """A gateway with these mappings on one port, which it gives."""
    port = free_port()
    gateway = GatewayAlone(folder, tcp=[{"listen": f"127.0.0.1:{port}", **m} for m in mappings])
    with gateway:
        yield port


def test_bytes_are_passed_both_ways_each_with_an_end_of_its_own(tmp_path):
    with TcpService(speak_first) as upstream, tcp_gateway(tmp_path, {"service": upstream.url}) as port:
        sent = bytes(range(256)) * 4096
        with socket.create_connection(("127.0.0.1", port), SECONDS) as client:
            assert client.recv(6) == b"hello\n"
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == sent[::-1]


def test_the_client_may_go_on_behind_the_upstream_s_end(tmp_path):
    heard = []

    def end_first(connection: socket.socket) -> None:
        connection.sendall(b"that is all")
        connection.shutdown(socket.SHUT_WR)
        heard.append(everything(connection))

    with TcpService(end_first) as upstream, tcp_gateway(tmp_path, {"service": upstream.url}) as port:
        with socket.create_connection(("127.0.0.1", port), SECONDS) as client:
            assert everything(client) == b"that is all"
            client.sendall(b"not yet all")
        eventually(lambda: heard)
    assert heard == [b"not yet all"]


def name_itself(name: str, context: ssl.SSLContext | None = None):
    """A service that says its name, and the one that it was asked for by TLS, before an echo."""
    def serve(connection: socket.socket) -> None:
        asked = []
        if context:
            context.sni_callback = lambda _, asked_name, __: asked.append(asked_name)
            connection = context.wrap_socket(connection, server_side=True)
        connection.sendall(f"{name} {asked}\n".encode())
        while piece := connection.recv(65536):
            connection.sendall(piece)
    return serve


def say_and_hear(connection: socket.socket) -> bytes:
    with connection:
        connection.sendall(b"ping\n")
        got = b""
        while got.count(b"\n") < 2 and (piece := connection.recv(65536)):
            got += piece
    return got


def test_tcp_mappings_by_the_name_that_is_asked_for(authority, tmp_path):
    """TLS passes through to a.test, and ends at the gateway for *.wild.test."""
    a, wild = authority.issue("passed.test"), authority.issue("ended", "DNS:*.wild.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(a.certificate, a.key)
    with (TcpService(name_itself("a", context)) as upstream_a,
          TcpService(name_itself("wild")) as upstream_wild,
          tcp_gateway(tmp_path, {"host": "passed.test", "service": upstream_a.url},
                      {"host": "*.wild.test", "service": upstream_wild.url,
                       "tls": wild.settings()}) as port):
        passed = tls_client(port, "passed.test", authority.certificate)
        assert say_and_hear(passed) == b"a ['passed.test']\nping\n"
        ended = tls_client(port, "x.wild.test", authority.certificate)
        assert say_and_hear(ended) == b"wild []\nping\n"
        for name in ("other.test", None):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                tls_client(port, name)
        with Client(port, b"no TLS at all\r\n\r\n") as client:
            assert ends_without_an_answer(client)


def test_a_mapping_for_all_takes_who_asks_for_no_name(tmp_path):
    with (TcpService(name_itself("rest")) as rest, TcpService(name_itself("a")) as a,
          tcp_gateway(tmp_path, {"service": rest.url},
                      {"host": "a.test", "service": a.url}) as port):
        plain = socket.create_connection(("127.0.0.1", port), SECONDS)
        assert say_and_hear(plain) == b"rest []\nping\n"


# --- WebSockets over HTTP/2 ---

CONNECT_PROTOCOL = 8  # a setting (RFC 8441)
TEXT, BINARY, CLOSE, PING_MESSAGE, PONG = 1, 2, 8, 9, 10


def websocket_frame(opcode: int, payload: bytes, mask: bytes = b"") -> bytes:
    size = len(payload)
    length = (bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size) if size < 65536
              else b"\x7f" + struct.pack(">Q", size))
    length = bytes([length[0] | (0x80 if mask else 0)]) + length[1:]
    if mask:
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return bytes([0x80 | opcode]) + length + mask + payload


def read_websocket_frame(exactly) -> tuple[int, bytes, bool]:
    """Opcode, payload, whether it was masked; `exactly` gives so many bytes."""
    first, second = exactly(2)
    size = second & 0x7f
    if size > 125:
        size = int.from_bytes(exactly(2 if size == 126 else 8), "big")
    mask = exactly(4) if second & 0x80 else b""
    payload = exactly(size)
    if mask:
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return first & 0x0f, payload, bool(mask)


def websocket_echo(connection: socket.socket, head: bytes) -> None:
    """A service of WebSockets: sends back what comes, and insists that it is masked."""
    key = re.search(rb"(?i)\r\nsec-websocket-key: (\S+)\r\n", head)[1]
    assert len(base64.b64decode(key)) == 16
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    wire = Wire(connection)
    opcode = None
    with contextlib.suppress(Cut):
        while opcode != CLOSE:
            opcode, payload, masked = read_websocket_frame(wire.exactly)
            assert masked
            reply = PONG if opcode == PING_MESSAGE else opcode
            connection.sendall(websocket_frame(reply, payload))


def websocket_head(host: str = "front.test", scheme: str = "https", path: str = "/ws") -> bytes:
    return headers((":method", "CONNECT"), (":protocol", "websocket"), (":scheme", scheme),
                   (":path", path), (":authority", host), ("sec-websocket-version", "13"),
                   ("origin", "https://front.test"), flags=END_HEADERS)


class Tunnel:
    """The bytes of one stream, both ways."""

    def __init__(self, client: Http2) -> None:
        self.client, self.buffer, self.ended = client, b"", False

    def send(self, content: bytes, flags: int = 0) -> None:
        for i in range(0, len(content), 16384):
            self.client.send(frame(DATA, 0, 1, content[i:i + 16384]))
        if flags:
            self.client.send(frame(DATA, flags, 1))

    def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            got = self.client.next(DATA)
            self.buffer += got.payload
            self.ended = bool(got.flags & END_STREAM)
            assert got.payload or self.ended
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken


@pytest.fixture
def websocket_service():
    with RawUpstream() as running:
        running.answer = websocket_echo
        yield running


@pytest.mark.parametrize("kind", ["cleartext", "tls"])
def test_a_websocket_over_http2_from_end_to_end(websocket_service, front, tmp_path, kind):
    tls = front if kind == "tls" else None
    with gateway_for(tmp_path, websocket_service.url, tls=tls) as gateway:
        connection = (tls_client(gateway.port, "front.test", alpn=("h2",)) if tls
                      else Client(gateway.port).socket)
        with Http2(connection).greet((INITIAL_WINDOW, 1 << 20)) as client:
            assert client.told[CONNECT_PROTOCOL] == 1
            client.send(window_update(0, 1 << 20) + websocket_head(scheme="https" if tls else "http"))
            got = client.next(HEADERS)
            assert status_of(got.payload) == 200 and not got.flags & END_STREAM
            tunnel = Tunnel(client)
            for opcode, payload in ((TEXT, b"hello"), (BINARY, b"\0\xff" * 100_000),
                                    (PING_MESSAGE, b"?")):
                tunnel.send(websocket_frame(opcode, payload, b"mask"))
                reply = PONG if opcode == PING_MESSAGE else opcode
                assert read_websocket_frame(tunnel.exactly) == (reply, payload, False)
            tunnel.send(websocket_frame(CLOSE, b"\x03\xe8", b"mask"), END_STREAM)
            assert read_websocket_frame(tunnel.exactly) == (CLOSE, b"\x03\xe8", False)
            while not tunnel.ended:
                tunnel.ended = bool(client.next(DATA).flags & END_STREAM)
    head = websocket_service.requests[0].lower()
    assert head.startswith(b"get /ws http/1.1\r\n")
    for line in (b"upgrade: websocket", b"connection: upgrade", b"sec-websocket-version: 13",
                 b"origin: https://front.test"):
        assert b"\r\n" + line + b"\r\n" in head
    assert b":protocol" not in head


@pytest.mark.parametrize("reply, status", [
    (answer("no", "403 Forbidden"), 403),
    # CVE-2024-23326: a 200 is no consent to switch.
    (answer("an ordinary page"), 502)], ids=["403", "200"])
def test_a_websocket_that_the_upstream_does_not_want(service, front, tmp_path, reply, status):
    with Service(reply) as upstream, gateway_for(tmp_path, upstream.url, tls=front) as gateway:
        with Http2(tls_client(gateway.port, "front.test", alpn=("h2",))).greet() as client:
            client.send(websocket_head())
            assert status_of(client.next(HEADERS).payload) == status


def test_connect_is_refused(secure, service):
    before = len(service.seen)
    with Http2(tls_client(secure.port, "front.test", alpn=("h2",))).greet() as client:
        client.send(headers((":method", "CONNECT"), (":authority", "front.test:443"),
                            flags=END_HEADERS))
        assert status_of(client.next(HEADERS).payload) in (400, 405, 501)
        client.send(headers((":method", "CONNECT"), (":protocol", "connect-udp"), (":scheme", "https"),
                            (":path", "/"), (":authority", "front.test"), stream=3, flags=END_HEADERS))
        assert status_of(client.next(HEADERS, stream=3).payload) in (400, 405, 501)
    assert len(service.seen) == before


# --- gRPC ---

class GrpcService:
    """Four kinds of calls over bytes; keeps what the gateway tells of callers."""

    def __init__(self) -> None:
        self.metadata: list[dict] = []
        self.hangs, self.cancelled = threading.Event(), threading.Event()
        methods = {
            "Reverse": grpc.unary_unary_rpc_method_handler(self._reverse),
            "Count": grpc.unary_stream_rpc_method_handler(self._count),
            "Chat": grpc.stream_stream_rpc_method_handler(self._chat),
            "Fail": grpc.unary_unary_rpc_method_handler(
                lambda _, context: context.abort(grpc.StatusCode.OUT_OF_RANGE, "too far: 10 % é")),
            "Hang": grpc.unary_unary_rpc_method_handler(self._hang)}
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=8))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Edge", methods),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")

    def __enter__(self) -> "GrpcService":
        self.server.start()
        return self

    def __exit__(self, *_) -> None:
        self.server.stop(None).wait()

    def _reverse(self, request: bytes, context) -> bytes:
        self.metadata.append(dict(context.invocation_metadata()))
        context.send_initial_metadata((("x-early", "1"),))
        context.set_trailing_metadata((("x-late", "2"), ("x-late-bin", b"\0\xff")))
        return request[::-1]

    def _count(self, request: bytes, _):
        yield from (str(i).encode() for i in range(int(request)))

    def _chat(self, requests_, context):
        for request in requests_:
            yield b"heard " + request
        context.set_trailing_metadata((("x-late", "bye"),))

    def _hang(self, _, context) -> bytes:
        context.add_callback(self.cancelled.set)
        self.hangs.set()
        self.cancelled.wait(SECONDS)
        return b""


@pytest.fixture(scope="module")
def grpc_service():
    with GrpcService() as running:
        yield running


@pytest.fixture(scope="module", params=["tls", "cleartext"])
def channel(request, grpc_service, authority, front, tmp_path_factory):
    """A client of the service, through the gateway."""
    tls = front if request.param == "tls" else None
    url = f"http://127.0.0.1:{grpc_service.port}"
    with gateway_for(tmp_path_factory.mktemp("grpc"), url, tls=tls, route={"grpc": True}) as gateway:
        target = f"localhost:{gateway.port}"
        credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
        with (grpc.secure_channel(target, credentials) if tls
              else grpc.insecure_channel(target)) as made:
            yield made


def test_grpc_calls_with_metadata_before_and_behind(channel, grpc_service):
    message = bytes(range(256)) * 4096
    reply, call = channel.unary_unary("/test.Edge/Reverse").with_call(
        message, timeout=SECONDS, metadata=(("x-mine", "kept"), ("x-forwarded-for", "forged")))
    assert reply == message[::-1]
    assert dict(call.initial_metadata())["x-early"] == "1"
    trailing = dict(call.trailing_metadata())
    assert (trailing["x-late"], trailing["x-late-bin"]) == ("2", b"\0\xff")
    assert grpc_service.metadata[-1]["x-mine"] == "kept"
    assert grpc_service.metadata[-1]["x-forwarded-for"] == "127.0.0.1"


def test_grpc_errors_come_as_they_are(channel):
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/test.Edge/Fail")(b"", timeout=SECONDS)
    assert failed.value.code() == grpc.StatusCode.OUT_OF_RANGE
    assert failed.value.details() == "too far: 10 % é"
    with pytest.raises(grpc.RpcError) as unknown:
        channel.unary_unary("/test.Edge/Nothing")(b"", timeout=SECONDS)
    assert unknown.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_grpc_streams_of_the_server(channel):
    counted = channel.unary_stream("/test.Edge/Count")(b"2000", timeout=SECONDS)
    assert [int(item) for item in counted] == list(range(2000))


def test_grpc_streams_both_ways_message_by_message(channel):
    """Each message is answered before the next one is sent."""
    turn, turns = threading.Semaphore(1), 50

    def messages():
        for i in range(turns):
            assert turn.acquire(timeout=SECONDS)
            yield str(i).encode()

    call = channel.stream_stream("/test.Edge/Chat")(messages(), timeout=SECONDS)
    for i in range(turns):
        assert next(call) == f"heard {i}".encode()
        turn.release()
    assert list(call) == []
    assert dict(call.trailing_metadata())["x-late"] == "bye"
    assert call.code() == grpc.StatusCode.OK


def test_a_grpc_call_that_is_cancelled_ends_at_the_service_too(channel, grpc_service):
    grpc_service.hangs.clear()
    grpc_service.cancelled.clear()
    call = channel.unary_unary("/test.Edge/Hang").future(b"", timeout=SECONDS)
    assert grpc_service.hangs.wait(SECONDS)
    call.cancel()
    assert grpc_service.cancelled.wait(SECONDS)


@pytest.mark.parametrize("form", ["file", "mapping"])
def test_a_grpc_call_ends_by_the_time_out_that_its_route_gives(grpc_service, tmp_path, form):
    """Not by one that is meant for all routes."""
    url = f"http://127.0.0.1:{grpc_service.port}"
    hung, slow = {"prefix": "/test.Edge/Hang"}, {"prefix": "/test.Edge/"}
    routes, manifests = [], []
    if form == "file":
        routes = [{**hung, "service": url, "grpc": True, "timeout": "200ms"},
                  {**slow, "service": url, "grpc": True}]
    else:
        manifests = [module(defaults={"httpmapping": {"timeout_ms": 1, "idle_timeout_ms": 1}}),
                     mapping("hung", service=url, grpc=True, rewrite="", timeout_ms=200, **hung),
                     mapping("slow", service=url, grpc=True, rewrite="", **slow)]
    with GatewayAlone(tmp_path, routes, manifests) as gateway, \
            grpc.insecure_channel(f"localhost:{gateway.port}") as channel:
        heard = channel.stream_stream("/test.Edge/Chat")(pause_between(b"a", b"b"), timeout=SECONDS)
        assert list(heard) == [b"heard a", b"heard b"]
        grpc_service.cancelled.clear()
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary("/test.Edge/Hang")(b"", timeout=SECONDS)
        assert failed.value.code() == grpc.StatusCode.UNAVAILABLE
        assert grpc_service.cancelled.wait(SECONDS)


def pause_between(*messages: bytes):
    for message in messages:
        time.sleep(0.1)
        yield message


# --- limits, each with its counter ---

@pytest.fixture(scope="module")
def limited(front, tmp_path_factory):
    """A gateway with narrow limits, in front of a service that answers as the path says."""
    def reply(request) -> bytes:
        if "/large" in request.target:
            return answer(b"x" * 32_000_000)
        return answer("too long", "413 Content Too Large") if "/413" in request.target else answer()

    with Service(reply) as upstream, gateway_for(
            tmp_path_factory.mktemp("limited"), upstream.url, limits={
                "head_bytes": "2KiB", "target_bytes": "256", "header_fields": 8,
                "body_bytes": "100000", "head_timeout": "300ms", "keep_alive_timeout": "300ms",
                "body_idle_timeout": "300ms", "write_idle_timeout": "500ms",
                "requests_per_connection": 5, "continuation_frames": 4}) as gateway:
        gateway.upstream = upstream
        yield gateway


@contextlib.contextmanager
def strikes(gateway, limit: str):
    """The counter of the limit moves within, by one."""
    before = limit_struck(gateway, limit)
    yield
    eventually(lambda: limit_struck(gateway, limit) != before)
    assert limit_struck(gateway, limit) == before + 1


def post(*fields: str) -> bytes:
    return get("/", "front.test", *fields).replace(b"GET", b"POST", 1)


HEAD_LIMITS = {
    "head_bytes": (431, "/", [("x-long", "x" * 2100)]),
    "header_fields": (431, "/", [(f"x-{i}", "y") for i in range(9)]),
    "target_bytes": (414, "/" + "x" * 300, []),
    "body_bytes": (413, "/", [("content-length", "100001")]),
}


@pytest.mark.parametrize("limit", HEAD_LIMITS)
@pytest.mark.parametrize("version", ["http/1.1", "h2"])
def test_heads_beyond_a_limit(limited, limit, version):
    status, path, fields = HEAD_LIMITS[limit]
    seen = len(limited.upstream.seen)
    with strikes(limited, limit):
        if version == "h2":
            with Http2(Client(limited.port).socket).greet() as client:
                client.send(headers(*pseudo("POST", path, scheme="http"), *fields, flags=END_HEADERS))
                assert status_of(client.next(HEADERS).payload) == status
        else:
            lines = [f"{name}: {value}" for name, value in fields]
            with Client(limited.port, get(path, "front.test", *lines)) as client:
                assert client.answer().status == status
    assert len(limited.upstream.seen) == seen


@pytest.mark.parametrize("version", ["http/1.1", "h2"])
def test_a_body_that_turns_out_to_be_too_long(limited, version):
    seen = len(limited.upstream.seen)
    with strikes(limited, "body_bytes"):
        if version == "h2":
            with Http2(Client(limited.port).socket).greet() as client:
                client.send(headers(*pseudo("POST", scheme="http"), flags=END_HEADERS))
                for _ in range(7):
                    client.send(frame(DATA, 0, 1, b"x" * 16384))
                assert status_of(client.next(HEADERS).payload) == 413
        else:
            with Client(limited.port, post("Transfer-Encoding: chunked")) as client:
                client.send(b"1869f\r\n" + b"x" * 99_999 + b"\r\n2\r\nxx\r\n0\r\n\r\n")
                assert client.answer().status == 413
    assert len(limited.upstream.seen) == seen  # not whole, at least


def test_an_upstream_s_own_413_is_no_limit_of_ours(limited):
    before = limit_struck(limited, "body_bytes")
    assert limited.get("/413").status_code == 413
    assert limit_struck(limited, "body_bytes") == before


@pytest.mark.parametrize("began", [b"G", b"GET / HTTP/1.1\r\nHost: front.test\r\n",
                                   b"GET / HTTP/1.1\r\nHost: front.test\r\nX: a"],
                         ids=["method", "fields", "a-field"])
def test_a_slow_head(limited, began):
    with strikes(limited, "head_timeout"), Client(limited.port, began) as client:
        refused = client.answer()
        assert refused.status == 408 and refused.closes
        assert client.rest() == b""


@pytest.mark.parametrize("began", [b"", settings(), settings() + frame(HEADERS, 0, 1, b"\x82"),
                                   settings() + headers(*pseudo(scheme="http"))[:20]],
                         ids=["no-settings", "half-a-frame-head", "half-a-block", "half-a-frame"])
def test_a_slow_head_of_http2(limited, began):
    half = b"\0\0" if began == settings() else b""
    with strikes(limited, "head_timeout"):
        with Http2(Client(limited.port, PREFACE + began + half).socket) as client:
            assert client.next(GOAWAY).code == "ENHANCE_YOUR_CALM"
            assert client.frame() is None


@pytest.mark.parametrize("version", ["http/1.1", "h2"])
def test_a_slow_body(limited, version):
    seen = len(limited.upstream.seen)
    with strikes(limited, "body_timeout"):
        if version == "h2":
            with Http2(Client(limited.port).socket).greet() as client:
                client.send(headers(*pseudo("POST", scheme="http"), flags=END_HEADERS)
                            + frame(DATA, 0, 1, b"begun"))
                assert status_of(client.next(HEADERS).payload) == 408
        else:
            with Client(limited.port, post("Content-Length: 10") + b"begun") as client:
                refused = client.answer()
                assert refused.status == 408 and refused.closes
    assert len(limited.upstream.seen) == seen  # not whole, at least


@pytest.mark.parametrize("version", ["http/1.1", "h2"])
def test_a_body_that_drips(service, tmp_path, version):
    """A byte now and then is progress, and too little of it."""
    limits = {"body_idle_timeout": "300ms", "body_bytes_per_second": "100KiB"}
    with gateway_for(tmp_path, service.url, limits=limits) as gateway, strikes(gateway, "body_timeout"):
        plain = Client(gateway.port)
        with Http2(plain.socket).greet() if version == "h2" else plain as client:
            if version == "h2":
                begun = headers(*pseudo("POST", scheme="http"), flags=END_HEADERS)
                drop = frame(DATA, 0, 1, b"x")
            else:
                begun, drop = post("Transfer-Encoding: chunked"), b"1\r\nx\r\n"
            client.send(begun)
            with selectors.DefaultSelector() as selector:
                selector.register(client.socket, selectors.EVENT_READ)
                while not selector.select(0.05):
                    client.send(drop)
            status = (status_of(client.next(HEADERS).payload) if version == "h2"
                      else client.answer().status)
            assert status == 408


def test_an_idle_connection(limited):
    with strikes(limited, "keep_alive_timeout"), Client(limited.port, get()) as client:
        assert client.answer().status == 200
        assert client.rest() == b""
    with strikes(limited, "keep_alive_timeout"):
        with Http2(Client(limited.port).socket).greet() as client:
            client.send(headers(*pseudo(scheme="http")))
            assert client.answer_of(1)[1] == b"ok"
            assert client.next(GOAWAY).code == "NO_ERROR"
            assert client.frame() is None


@pytest.mark.parametrize("version", ["http/1.1", "h2"])
def test_a_client_that_takes_nothing_of_its_answer(limited, version):
    with strikes(limited, "write_timeout"):
        if version == "h2":
            with Http2(Client(limited.port).socket).greet() as client:
                client.send(headers(*pseudo(path="/large", scheme="http")))
                assert client.next(RST_STREAM).code == "CANCEL"
        else:
            before = limit_struck(limited, "write_timeout")
            with Client(limited.port, get("/large")) as client:
                eventually(lambda: limit_struck(limited, "write_timeout") > before)
                with pytest.raises(Cut):
                    client.answer()


@pytest.mark.parametrize("version", ["http/1.1", "h2"])
def test_a_silent_websocket(websocket_service, tmp_path, version):
    with (gateway_for(tmp_path, websocket_service.url, limits={"tunnel_idle_timeout": "300ms"}) as gateway,
          strikes(gateway, "tunnel_timeout")):
        if version == "h2":
            with Http2(Client(gateway.port).socket).greet() as client:
                client.send(websocket_head(scheme="http"))
                assert status_of(client.next(HEADERS).payload) == 200
                assert client.next(RST_STREAM).code == "CANCEL"
        else:
            with Client(gateway.port, get("/ws", "front.test", "Upgrade: websocket",
                                          "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")) as client:
                assert client.answer().status == 101
                assert ends_without_an_answer(client)


def test_requests_on_one_connection(limited):
    with strikes(limited, "requests_per_connection"), Client(limited.port) as client:
        closes = []
        for _ in range(5):
            client.send(get())
            closes.append(client.answer().closes)
        assert closes == [False] * 4 + [True]
        assert client.rest() == b""
    with strikes(limited, "requests_per_connection"):
        with Http2(Client(limited.port).socket).greet() as client:
            for stream in range(1, 10, 2):
                client.send(headers(*pseudo(scheme="http"), stream=stream))
            assert client.next(GOAWAY).code == "NO_ERROR"


def test_streams_at_once(service, tmp_path):
    with (gateway_for(tmp_path, service.url, limits={"streams": 3}) as gateway,
          strikes(gateway, "streams"), Http2(Client(gateway.port).socket).greet() as client):
        for stream in (1, 3, 5, 7):
            client.send(headers(*pseudo("POST", scheme="http"), stream=stream, flags=END_HEADERS))
        refused = client.next(RST_STREAM, GOAWAY)
        assert (refused.kind, refused.stream, refused.code) == (RST_STREAM, 7, "REFUSED_STREAM")
        client.send(frame(DATA, END_STREAM, 3))
        assert status_of(client.next(HEADERS, stream=3).payload) == 200


FLOODS = {
    "resets": lambda i: headers(*pseudo("POST", scheme="http"), stream=2 * i + 1, flags=END_HEADERS)
              + reset(2 * i + 1),
    "control_frames": lambda i: frame(PING, 0, 0, bytes(8)),
}


@pytest.mark.parametrize("limit", FLOODS)
def test_cve_2023_44487_floods(service, tmp_path, limit):
    """Streams that are reset as they are opened; pings."""
    limits = {"resets_per_second": 20, "control_frames_per_second": 30}
    with (gateway_for(tmp_path, service.url, limits=limits) as gateway, strikes(gateway, limit),
          Http2(Client(gateway.port).socket).greet() as client):
        client.send(b"".join(FLOODS[limit](i) for i in range(100)))
        assert client.next(GOAWAY).code == "ENHANCE_YOUR_CALM"
        assert client.frame() is None


def test_cve_2024_27919_continuation_frames(limited):
    with strikes(limited, "continuation_frames"), Http2(Client(limited.port).socket).greet() as client:
        client.send(frame(HEADERS, END_STREAM, 1, block(*pseudo(scheme="http")))
                    + frame(CONTINUATION, 0, 1, block(("x", "y"))) * 5)
        assert client.next(GOAWAY).code == "ENHANCE_YOUR_CALM"
        assert client.frame() is None


def answered(gateway, count: int) -> list[Client] | None:
    """That many connections with an answer each. None: one was refused, as the one that looked
    whether the gateway listens may still be open."""
    with contextlib.suppress(OSError, Cut), contextlib.ExitStack() as stack:
        held = [stack.enter_context(Client(gateway.port, get())) for _ in range(count)]
        if all(client.answer().status == 200 for client in held):
            stack.pop_all()
            return held
    return None


def test_connections_of_one_address(service, tmp_path):
    with gateway_for(tmp_path, service.url, limits={"connections_per_address": 3}) as gateway:
        with contextlib.ExitStack() as stack:
            held = eventually(lambda: answered(gateway, 3))
            for client in held:
                stack.enter_context(client)
            assert answered(gateway, 1) is None
            eventually(lambda: limit_struck(gateway, "connections_per_address") > 0)
            held[0].send(get())
            assert held[0].answer().status == 200
            held[1].socket.close()
            stack.enter_context(eventually(lambda: answered(gateway, 1))[0])


def test_connections_in_all(service, tmp_path):
    """One too many waits for its turn."""
    with gateway_for(tmp_path, service.url, limits={"connections": 3}) as gateway:
        eventually(lambda: gateway.metric("gatehouse_connections") == 0)
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(Client(gateway.port, get())) for _ in range(3)]
            assert [client.answer().status for client in held] == [200] * 3
            waiting = stack.enter_context(Client(gateway.port, get()))
            eventually(lambda: limit_struck(gateway, "connections") == 1)
            seen = len(service.seen)
            held[0].send(get("/held"))
            assert held[0].answer().status == 200
            assert [request.target for request in service.seen[seen:]] == ["/held"]
            held[1].socket.close()
            assert waiting.answer().status == 200


# --- slow clients beside ordinary ones ---

SLOW = 2_000


@pytest.fixture
def many_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(16_384, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_ordinary_requests_are_served_while_slow_clients_are_held(many_descriptors, service, front,
                                                                  tmp_path):
    """By the default limits, but for how long a head may take on a machine that is slow itself.

    Half heads, half frames, bodies that stop, and TLS that is not begun, which has a time of its own.
    """
    half_hello = b"\x16\x03\x01\x02\0\x01\0"
    with gateway_for(tmp_path, service.url, {"cleartext_too": True}, tls=front,
                     limits={"head_timeout": "5m"}) as gateway:
        kinds = [get()[:-2], PREFACE + settings() + headers(*pseudo(scheme="http"))[:-4],
                 get()[:-2] + b"X: y", PREFACE, half_hello, b""]
        without_protocol = kinds[-2:]
        with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
            held, known = [], 0
            for i in range(SLOW):
                # Few of them have the service wait for a body too.
                begun = (post("Content-Length: 9") + b"begun" if i % 20 == 0 else kinds[i % len(kinds)])
                client = stack.enter_context(Client(gateway.port, begun))
                selector.register(client.socket, selectors.EVENT_READ, begun)
                held.append(client)
                known += begun not in without_protocol
            eventually(lambda: gateway.metric("gatehouse_connections") >= known)
            with requests.Session() as session:
                for i in range(100):
                    seen = len(service.seen)
                    got = session.get(f"http://127.0.0.1:{gateway.port}/{i}", timeout=SECONDS)
                    assert (got.status_code, got.text) == (200, "ok")
                    assert service.seen[seen:][-1].target == f"/{i}"
            fresh = tls_client(gateway.port, "front.test", alpn=("h2",))
            with Http2(fresh).greet() as client:
                client.send(headers(*pseudo()))
                assert client.answer_of(1)[1] == b"ok"
            assert gateway.metric("gatehouse_connections") >= known
            # None has heard anything but HTTP/2's own greeting, and each may still go on.
            told = {key.data for key, _ in selector.select(0)} - set(without_protocol)
            assert all(begun.startswith(PREFACE) for begun in told)
            for client in held[2::600]:
                client.send(b"\r\n\r\n")
                assert client.answer().status == 200


# --- the end ---

@pytest.fixture
def slow_service():
    """Answers when it is let."""
    release, arrived = threading.Event(), threading.Semaphore(0)

    def reply(_) -> bytes:
        arrived.release()
        assert release.wait(SECONDS)
        return answer("at last")

    with Service(reply) as running:
        running.release, running.arrived = release, arrived
        yield running
        release.set()


def readiness(gateway) -> int:
    return gateway.operations("/healthz/ready").status_code


def test_a_drain_of_http1(slow_service, tmp_path):
    with gateway_for(tmp_path, slow_service.url) as gateway:
        eventually(lambda: readiness(gateway) == 200)
        with Client(gateway.port, get()) as busy, Client(gateway.port) as idle:
            assert slow_service.arrived.acquire(timeout=SECONDS)
            gateway.role.process.send_signal(signal.SIGTERM)
            assert idle.rest() == b""
            eventually(lambda: readiness(gateway) == 503)
            with pytest.raises(OSError):
                socket.create_connection(("127.0.0.1", gateway.port), SECONDS)
            slow_service.release.set()
            last = busy.answer()
            assert (last.status, last.body, last.closes) == (200, b"at last", True)
            assert busy.rest() == b""
        assert gateway.role.process.wait(SECONDS) == 0


@pytest.mark.parametrize("kind", ["cleartext", "tls"])
def test_a_drain_of_http2(slow_service, front, tmp_path, kind):
    tls = front if kind == "tls" else None
    with gateway_for(tmp_path, slow_service.url, tls=tls) as gateway:
        def connect() -> Http2:
            connection = (tls_client(gateway.port, "front.test", alpn=("h2",)) if tls
                          else Client(gateway.port).socket)
            return Http2(connection).greet()

        with connect() as busy, connect() as idle:
            busy.send(headers(*pseudo(scheme="https" if tls else "http")))
            assert slow_service.arrived.acquire(timeout=SECONDS)
            gateway.role.process.send_signal(signal.SIGTERM)
            for client in (busy, idle):
                announced = client.next(GOAWAY)
                assert announced.code == "NO_ERROR"
                # RFC 9113, section 6.8: first of all streams that may ever be, then of the last.
                assert struct.unpack(">I", announced.payload[:4])[0] == 2**31 - 1
                client.send(frame(PING, ACK, 0, client.next(PING).payload))
                last = struct.unpack(">I", client.next(GOAWAY).payload[:4])[0]
                assert last == (1 if client is busy else 0)
            assert idle.frame() is None
            slow_service.release.set()
            head, body = busy.answer_of(1)
            assert (status_of(head), body) == (200, b"at last")
            assert busy.frame() is None
        assert gateway.role.process.wait(SECONDS) == 0


def test_a_drain_waits_for_tcp_mappings(tmp_path):
    port = free_port()
    with TcpService(speak_first) as upstream:
        gateway = GatewayAlone(tmp_path, tcp=[{"listen": f"127.0.0.1:{port}", "service": upstream.url}])
        with gateway, socket.create_connection(("127.0.0.1", port), SECONDS) as client:
            assert client.recv(6) == b"hello\n"
            eventually(lambda: readiness(gateway) == 200)
            gateway.role.process.send_signal(signal.SIGTERM)
            eventually(lambda: readiness(gateway) == 503)
            client.sendall(b"abc")
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == b"cba"
            assert gateway.role.process.wait(SECONDS) == 0


def test_what_does_not_end_is_cut_when_the_drain_s_time_is_over(slow_service, tmp_path, monkeypatch):
    monkeypatch.setenv("GATEHOUSE_DRAIN_TIMEOUT", "200ms")
    with gateway_for(tmp_path, slow_service.url) as gateway, Client(gateway.port, get()) as client:
        assert slow_service.arrived.acquire(timeout=SECONDS)
        gateway.role.process.send_signal(signal.SIGTERM)
        assert ends_without_an_answer(client)
        assert gateway.role.process.wait(SECONDS) == 0
