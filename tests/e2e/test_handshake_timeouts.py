"""How long a connection may take to say who it is, by TLS or by the PROXY protocol: 10 seconds in all,
which this spends once, on all kinds of slowness side by side."""

import contextlib
import selectors
import socket
import ssl
import time

import pytest
from certificates import make_certificate
from edge import limit_struck, tls_client
from gateway_alone import SECONDS, GatewayAlone, Service, eventually
from ports import free_port
from wire import Client

LIMIT = 10
PROXY = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"
PROXY_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12)


def client_hello(name: str) -> bytes:
    """The first flight of a client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(coming, going, server_hostname=name).do_handshake()
    return going.read()


HELLO = client_hello("a.test")
SLOW = {
    # name: (listener, what is sent at once, what is sent byte by byte behind it)
    "tls, nothing": ("tls", b"", b""),
    "tls, a byte": ("tls", HELLO[:1], b""),
    "tls, half a hello": ("tls", HELLO[:100], b""),
    "tls, a hello and no more": ("tls", HELLO, b""),
    "tls, a hello in drops": ("tls", b"", HELLO),
    "either, nothing": ("either", b"", b""),
    "either, a byte": ("either", HELLO[:1], b""),
    "either, a hello and no more": ("either", HELLO, b""),
    "proxy, nothing": ("proxy", b"", b""),
    "proxy, half of version 1": ("proxy", PROXY[:-2], b""),
    "proxy, version 1 in drops": ("proxy", b"", PROXY),
    "proxy, a part of the signature": ("proxy", PROXY_2[:8], b""),
    "proxy, half of version 2": ("proxy", PROXY_2[:-4], b""),
    "both, nothing": ("both", b"", b""),
    "both, no hello": ("both", PROXY, b""),
    "both, half a hello": ("both", PROXY_2 + HELLO[:100], b""),
    "both, a hello in drops": ("both", PROXY, HELLO),
    "tcp by name, nothing": ("tcp", b"", b""),
    "tcp by name, half a hello": ("tcp", HELLO[:100], b""),
    "tcp by name, a hello in drops": ("tcp", b"", HELLO),
}


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    """A gateway and its ports, one for each kind of listener."""
    folder = tmp_path_factory.mktemp("edge")
    certificate = make_certificate(folder, "a.test")
    ports = {kind: free_port() for kind in ("tls", "either", "proxy", "both", "tcp")}
    tls = {"tls": certificate.settings()}
    listeners = {"tls": tls, "either": tls | {"cleartext_too": True},
                 "proxy": {"proxy_protocol": True}, "both": tls | {"proxy_protocol": True}}
    with Service() as service:
        tcp = [{"listen": f"127.0.0.1:{ports['tcp']}", "service": service.url, "host": "a.test"}]
        gateway = GatewayAlone(folder, [{"service": service.url}], tcp=tcp)
        gateway.settings["listen"] += [
            {"address": f"127.0.0.1:{ports[kind]}", **more} for kind, more in listeners.items()]
        gateway.write()
        with gateway:
            yield gateway, ports


def until_ended(connections: dict[str, socket.socket]) -> dict[str, float]:
    """After how many seconds each has ended; those of SLOW that have more to send do so meanwhile,
    two bytes a second."""
    begun, ended = time.monotonic(), {}
    drops = {name: iter(SLOW[name][2]) for name in connections}
    with selectors.DefaultSelector() as waiting:
        for name, connection in connections.items():
            waiting.register(connection, selectors.EVENT_READ, name)
        while len(ended) < len(connections) and time.monotonic() < begun + LIMIT + SECONDS:
            for key, _ in waiting.select(0.5):
                with contextlib.suppress(ConnectionError):
                    if key.fileobj.recv(65536):
                        continue  # the server's part of a handshake
                ended[key.data] = time.monotonic() - begun
                waiting.unregister(key.fileobj)
            for name in connections.keys() - ended.keys():
                with contextlib.suppress(StopIteration, ConnectionError):
                    connections[name].sendall(bytes([next(drops[name])]))
    return ended


def test_handshakes_that_take_too_long_are_ended_and_counted(edge):
    """Of who is served meanwhile, or leaves by himself, none is."""
    gateway, ports = edge
    request = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for kind in ports:
            Client(ports[kind], HELLO[:100]).socket.close()
        idle = stack.enter_context(tls_client(ports["tls"], "a.test"))
        behind = stack.enter_context(Client(ports["proxy"], PROXY))
        slow = {name: stack.enter_context(Client(ports[kind], first)).socket
                for name, (kind, first, _) in SLOW.items()}
        before = limit_struck(gateway, "handshake_timeout")
        ended = until_ended(slow)
        assert ended.keys() == SLOW.keys()
        early_or_late = {name: at for name, at in ended.items() if not LIMIT - 1 < at < LIMIT + 4}
        assert not early_or_late
        eventually(lambda: limit_struck(gateway, "handshake_timeout") == before + len(SLOW))
        idle.sendall(request)
        assert idle.recv(65536).startswith(b"HTTP/1.1 200 ")
        behind.send(request)
        assert behind.answer().status == 200
