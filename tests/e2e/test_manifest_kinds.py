"""Ambassador's objects of every kind and version, as a real gateway serves from them: Host, Secret,
TLSContext, Listener, Module, AuthService, TCPMapping, Mappings of v2, annotations on Services."""

import base64
import contextlib
import pathlib
import socket
import ssl
import subprocess
import threading

import pytest
import requests
import yaml_text
from certificates import Certificate, make_certificate
from edge import Authority, tls_client
from gateway_alone import SECONDS, GatewayAlone, Request, Service, answer, eventually, mapping, module
from grpc_authorizer import GrpcAuthorizer, allow, deny
from ports import free_port
from wire import Client, Cut


def manifest(kind: str, name: str, version: str = "v3alpha1", namespace: str = "default",
             labels: dict | None = None, **spec) -> dict:
    return {"apiVersion": f"getambassador.io/{version}", "kind": kind,
            "metadata": {"name": name, "namespace": namespace, "labels": labels or {}},
            "spec": spec}


def secret(name: str, certificate, namespace: str = "default") -> dict:
    def encoded(file: pathlib.Path) -> str:
        return base64.b64encode(file.read_bytes()).decode()
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": name, "namespace": namespace},
            "data": {"tls.crt": encoded(certificate.certificate),
                     "tls.key": encoded(certificate.key)}}


def listener(port: int, **spec) -> dict:
    return manifest("Listener", f"port-{port}", port=port,
                    **{"protocol": "HTTP", "securityModel": "XFP", **spec})


@contextlib.contextmanager
def gateway_of(folder: pathlib.Path, *manifests: dict, **settings):
    """The ports are those of the Listeners; without one there is the file's."""
    gateway = GatewayAlone(folder, manifests=list(manifests), **settings)
    ports = [one["spec"]["port"] for one in manifests if one["kind"] == "Listener"]
    if ports:
        gateway.port = gateway.role.port = ports[0]
        gateway.url = f"http://127.0.0.1:{ports[0]}"
    with gateway:
        eventually(gateway.diagnosis)  # its address is opened last
        yield gateway


def served(gateway: GatewayAlone, path: str, host: str, port: int | None = None, **headers) -> int:
    url = f"http://127.0.0.1:{port or gateway.port}{path}"
    return requests.get(url, headers={"Host": host, **headers}, timeout=SECONDS,
                        allow_redirects=False).status_code


# --- Host, TLSContext ---

@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def test_hosts_show_the_certificates_of_their_secrets(service, authority, tmp_path):
    """One in another namespace, one with rules of its own, one by a TLSContext."""
    port = free_port()
    own = {name: authority.issue(name) for name in ("a.test", "b.test", "c.test")}
    manifests = [
        secret("a", own["a.test"], "elsewhere"), secret("b", own["b.test"]), secret("c", own["c.test"]),
        manifest("Host", "a", hostname="a.test", tlsSecret={"name": "a", "namespace": "elsewhere"}),
        manifest("Host", "b", hostname="b.test", tlsSecret={"name": "b"},
                 tls={"min_tls_version": "v1.3"}),
        manifest("TLSContext", "terms", max_tls_version="v1.2", alpn_protocols="http/1.1"),
        manifest("Host", "c", hostname="c.test", tlsSecret={"name": "c"},
                 tlsContext={"name": "terms"}),
        listener(port, protocol="HTTPS", securityModel="SECURE"), mapping("m", "/", service.url)]
    with gateway_of(tmp_path, *manifests):
        for name, version, protocol in (("a.test", "TLSv1.3", "h2"), ("b.test", "TLSv1.3", "h2"),
                                        ("c.test", "TLSv1.2", "http/1.1")):
            with tls_client(port, name, authority.certificate, alpn=("h2", "http/1.1")) as client:
                assert (client.version(), client.selected_alpn_protocol()) == (version, protocol)
            with tls_client(port, name, authority.certificate) as client:
                client.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
                assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
            assert service.last.get("x-forwarded-proto") == "https"
        with pytest.raises(ssl.SSLError):
            tls_client(port, "b.test", versions=(ssl.TLSVersion.TLSv1_2,) * 2)


def rsa_certificate(folder: pathlib.Path, host: str) -> Certificate:
    """Which goes with every curve: one of ECDSA needs the client to have its own."""
    made = Certificate(folder / "rsa.pem", folder / "rsa.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", f"/CN={host}", "-keyout", made.key, "-out", made.certificate],
                   check=True, capture_output=True)
    return made


def test_ciphers_and_curves_of_a_tls_context(service, tmp_path):
    port = free_port()
    manifests = [
        secret("a", rsa_certificate(tmp_path, "narrow.test")),
        manifest("TLSContext", "narrow", max_tls_version="v1.2", ecdh_curves=["P-384"],
                 cipher_suites=["ECDHE-RSA-AES256-GCM-SHA384"]),
        manifest("Host", "a", hostname="narrow.test", tlsSecret={"name": "a"},
                 tlsContext={"name": "narrow"}),
        listener(port, protocol="HTTPS"), mapping("m", "/", service.url)]

    def agreed(ciphers: str, curve: str) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers(ciphers)
        context.set_ecdh_curve(curve)
        with socket.create_connection(("127.0.0.1", port), SECONDS) as plain, \
                context.wrap_socket(plain, server_hostname="narrow.test") as client:
            return client.cipher()[0]

    with gateway_of(tmp_path, *manifests):
        assert agreed("ALL", "secp384r1") == "ECDHE-RSA-AES256-GCM-SHA384"
        for ciphers, curve in (("ECDHE-RSA-AES128-GCM-SHA256", "secp384r1"), ("ALL", "prime256v1")):
            with pytest.raises(ssl.SSLError):
                agreed(ciphers, curve)


def test_what_hosts_do_with_insecure_requests(service, tmp_path):
    port, further = free_port(), free_port()
    manifests = [
        manifest("Host", "redirect", hostname="redirect.test",
                 requestPolicy={"insecure": {"action": "Redirect", "additionalPort": further}}),
        manifest("Host", "route", hostname="route.test",
                 requestPolicy={"insecure": {"action": "Route"}}),
        manifest("Host", "reject", hostname="reject.test",
                 requestPolicy={"insecure": {"action": "Reject"}}),
        listener(port), mapping("m", "/", service.url)]
    with gateway_of(tmp_path, *manifests) as gateway:
        assert [served(gateway, "/", f"{name}.test") for name in ("redirect", "route", "reject")] == [
            301, 200, 404]
        assert served(gateway, "/", "redirect.test", further) == 301
    assert len(service.seen) == 1


def test_a_host_serves_the_mappings_that_it_selects(service, tmp_path):
    allow_plain = {"requestPolicy": {"insecure": {"action": "Route"}}}
    labelled = mapping("one", "/one", service.url)
    labelled["metadata"]["labels"] = {"part": "one"}
    manifests = [
        manifest("Host", "one", hostname="one.test", **allow_plain,
                 mappingSelector={"matchLabels": {"part": "one"}}),
        manifest("Host", "all", hostname="all.test", **allow_plain),
        labelled, mapping("two", "/two", service.url)]
    with gateway_of(tmp_path, *manifests) as gateway:
        asked = [(host, path) for host in ("one.test", "all.test") for path in ("/one", "/two")]
        assert [served(gateway, path, host) for host, path in asked] == [200, 404, 200, 200]


# --- Listener ---

def test_a_listener_serves_the_hosts_that_it_binds(service, tmp_path):
    port = free_port()
    allow_plain = {"requestPolicy": {"insecure": {"action": "Route"}}}
    manifests = [
        manifest("Host", "bound", labels={"front": "here"}, hostname="bound.test", **allow_plain),
        manifest("Host", "unbound", hostname="unbound.test", **allow_plain),
        listener(port, hostBinding={"namespace": {"from": "ALL"},
                                    "selector": {"matchLabels": {"front": "here"}}}),
        mapping("m", "/", service.url)]
    with gateway_of(tmp_path, *manifests) as gateway:
        assert [served(gateway, "/", host) for host in ("bound.test", "unbound.test")] == [200, 404]


def test_the_security_models_of_listeners(service, tmp_path):
    """Whom they believe that a request came by https."""
    models = {"XFP": free_port(), "SECURE": free_port(), "INSECURE": free_port()}
    manifests = [listener(port, securityModel=model, l7Depth=1) for model, port in models.items()]
    with gateway_of(tmp_path, *manifests, mapping("m", "/", service.url)) as gateway:
        told = {}
        for model, port in models.items():
            for claimed in ("http", "https"):
                assert served(gateway, "/", "a.test", port, **{"X-Forwarded-Proto": claimed}) == 200
                told[model, claimed] = service.last.get("x-forwarded-proto")
    assert told == {("XFP", "http"): "http", ("XFP", "https"): "https",
                    ("SECURE", "http"): "https", ("SECURE", "https"): "https",
                    ("INSECURE", "http"): "http", ("INSECURE", "https"): "http"}


CLIENT = {"x-client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}


@pytest.mark.parametrize("depth, more, client", [
    ({}, [], "127.0.0.1"), ({"l7Depth": 1}, [], "192.0.2.2"), ({"l7Depth": 2}, [], "192.0.2.1"),
    ({}, [module(xff_num_trusted_hops=1, use_remote_address=False)], "192.0.2.1"),
    ({}, [module(xff_num_trusted_hops=1)], "192.0.2.2")],
    ids=["none", "one", "two", "module", "module-remote"])
def test_how_many_proxies_in_front_are_believed(service, tmp_path, depth, more, client):
    manifests = [listener(free_port(), **depth), *more,
                 mapping("m", "/", service.url, add_request_headers=CLIENT)]
    with gateway_of(tmp_path, *manifests) as gateway:
        headers = {"X-Forwarded-For": "192.0.2.1, 192.0.2.2"}
        assert served(gateway, "/", "a.test", **headers) == 200
    assert service.last.get("x-client") == client


CHAIN = "X-Forwarded-For: 192.0.2.0, 192.0.2.1, 192.0.2.2"
BY_ONE, BY_TWO = "192.0.2.2, 127.0.0.1", "192.0.2.1, 192.0.2.2, 127.0.0.1"
TOLD = {
    # fields, separated by "|": for l7Depth 0, 1, 2 the client and X-Forwarded-For as they go on
    "": ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
    "X-Forwarded-For: 192.0.2.2": ("127.0.0.1", f"192.0.2.2 {BY_ONE}", f"127.0.0.1 {BY_ONE}"),
    CHAIN: ("127.0.0.1", f"192.0.2.2 192.0.2.0, {BY_TWO}", f"192.0.2.1 192.0.2.0, {BY_TWO}"),
    "X-Forwarded-For: 192.0.2.1|X-Forwarded-For: 192.0.2.2":
        ("127.0.0.1", f"192.0.2.2 {BY_TWO}", f"192.0.2.1 {BY_TWO}"),
    "x-forwarded-for: nobody, 192.0.2.2":
        ("127.0.0.1", f"192.0.2.2 nobody, {BY_ONE}", f"127.0.0.1 nobody, {BY_ONE}"),
    "X-Forwarded-For: 192.0.2.2, nobody":
        ("127.0.0.1", "127.0.0.1 192.0.2.2, nobody, 127.0.0.1",
         "192.0.2.2 192.0.2.2, nobody, 127.0.0.1"),
    "X-Forwarded-For: 192.0.2.2:4711":
        ("127.0.0.1", "192.0.2.2 192.0.2.2:4711, 127.0.0.1", "127.0.0.1 192.0.2.2:4711, 127.0.0.1"),
    "X-Forwarded-For: [2001:db8::1]:4711":
        ("127.0.0.1", "2001:db8::1 [2001:db8::1]:4711, 127.0.0.1",
         "127.0.0.1 [2001:db8::1]:4711, 127.0.0.1"),
    "X_Forwarded_For: 192.0.2.2": ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
    "Forwarded: for=192.0.2.2": ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
    "X-Real-IP: 192.0.2.2": ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
}
# Fields, and what goes on of one of them from proxies that are believed; from others what the
# connection says.
SAID = {
    "X-Forwarded-Proto: https": ("x-forwarded-proto", "https"),
    "X-Forwarded-Proto: http": ("x-forwarded-proto", "http"),
    "X-Forwarded-Proto: ftp": ("x-forwarded-proto", "http"),
    "X-Forwarded-Proto: https|X-Forwarded-Proto: https": ("x-forwarded-proto", "http"),
    "X_Forwarded_Proto: https": ("x-forwarded-proto", "http"),
    "X-Forwarded-Host: other.test": ("x-forwarded-host", "other.test"),
    "X-Forwarded-Host: Other.Test:8443": ("x-forwarded-host", "other.test:8443"),
    "X-Forwarded-Host: one.test, two.test": ("x-forwarded-host", "a.test"),
    "X-Forwarded-Host: root@other.test": ("x-forwarded-host", "a.test"),
    "X-Forwarded-Port: 8443": ("x-forwarded-port", "8443"),
    "X-Forwarded-Prefix: /below": ("x-forwarded-prefix", "/below"),
    "X-Real-IP: 192.0.2.2": ("x-real-ip", "192.0.2.2"),
    "X-Request-Id: mine": ("x-request-id", "mine"),
}
BY_CONNECTION = {"x-forwarded-proto": "http", "x-forwarded-host": "a.test"}


@pytest.fixture(scope="module")
def depths(tmp_path_factory):
    """A service, and the port of a gateway's Listener for each l7Depth."""
    ports = {depth: free_port() for depth in range(3)}
    with Service() as service:
        manifests = [listener(port, l7Depth=depth) for depth, port in ports.items()]
        manifests.append(mapping("m", "/", service.url, add_request_headers=CLIENT))
        with gateway_of(tmp_path_factory.mktemp("depths"), *manifests):
            yield service, ports


def seen_of(depths, depth: int, fields: str) -> Request:
    service, ports = depths
    lines = "".join(f"{line}\r\n" for line in fields.split("|") if line)
    with Client(ports[depth], f"GET / HTTP/1.1\r\nHost: a.test\r\n{lines}\r\n".encode()) as client:
        assert client.answer().status == 200
    return service.last


@pytest.mark.parametrize("depth", range(3))
@pytest.mark.parametrize("fields", TOLD)
def test_the_client_is_who_the_outermost_believed_proxy_has_seen(depths, depth, fields):
    """And what it may have written itself stands further left; with fewer proxies than there should
    be, the nearest is taken for the client."""
    seen = seen_of(depths, depth, fields)
    client, _, chain = TOLD[fields][depth].partition(" ")
    assert seen.get("x-client") == client
    assert seen.get("x-forwarded-for") == (chain or client)
    assert seen.get("forwarded") is None and "x_forwarded_for" not in seen.names()


@pytest.mark.parametrize("depth", range(3))
@pytest.mark.parametrize("fields", SAID)
def test_what_proxies_say_goes_on_if_they_are_believed_and_sound(depths, depth, fields):
    seen = seen_of(depths, depth, fields)
    name, said = SAID[fields]
    if depth > 0:
        assert seen.get(name) == said
    else:
        assert seen.get(name) == BY_CONNECTION.get(name) or name == "x-request-id"
        assert seen.get("x-request-id") != "mine"
    assert not any("_" in name for name in seen.names())


# --- the hosts of Mappings ---

HOSTNAMES = ["a.test", "*.wild.test", "B.Test", "ported.test:8443", "[::1]", "192.0.2.1",
             "*-glob.test", "glob.te*", "*"]
HOSTS = {
    # Host: (the hostname of the Mapping that serves it, Host as it goes on); None: 400
    "a.test": ("a.test", "a.test"), "A.TEST": ("a.test", "a.test"),
    "a.test:80": ("a.test", "a.test:80"), "a.test:8080": ("a.test", "a.test:8080"),
    "a.test.": ("a.test", "a.test"), "a.test.:80": ("a.test", "a.test:80"),
    "x.a.test": ("*", "x.a.test"), "xa.test": ("*", "xa.test"), "a.test.evil": ("*", "a.test.evil"),
    "x.wild.test": ("*.wild.test", "x.wild.test"), "X.Y.WILD.test:1": ("*.wild.test", "x.y.wild.test:1"),
    "x.wild.test.": ("*.wild.test", "x.wild.test"),
    "wild.test": ("*", "wild.test"), "xwild.test": ("*", "xwild.test"),
    "b.test": ("B.Test", "b.test"), "ported.test": ("ported.test:8443", "ported.test"),
    "ported.test:8443": ("ported.test:8443", "ported.test:8443"),
    "ported.test:443": ("ported.test:8443", "ported.test:443"),
    "[::1]": ("[::1]", "[::1]"), "[::1]:80": ("[::1]", "[::1]:80"),
    "192.0.2.1": ("192.0.2.1", "192.0.2.1"), "192.0.2.1:80": ("192.0.2.1", "192.0.2.1:80"),
    "x-glob.test": ("*-glob.test", "x-glob.test"), "y.x-glob.test:1": ("*-glob.test", "y.x-glob.test:1"),
    "glob.test": ("glob.te*", "glob.test"), "glob.te": ("*", "glob.te"),
    "x.glob.test": ("*", "x.glob.test"),
    "other": ("*", "other"), "xn--bcher-kva.test": ("*", "xn--bcher-kva.test"),
    ".wild.test": None, "*.wild.test": None, "*": None, "a.test,b.test": None, "a.test:": None,
    "a.test@b.test": None, "a..test": None, "[::1": None,
}


@pytest.fixture(scope="module")
def by_host(tmp_path_factory):
    """A gateway with a service for each of HOSTNAMES."""
    with contextlib.ExitStack() as stack:
        services = {name: stack.enter_context(Service(answer(name))) for name in HOSTNAMES}
        manifests = [mapping(f"m{i}", "/", service.url, hostname=name)
                     for i, (name, service) in enumerate(services.items())]
        yield services, stack.enter_context(
            gateway_of(tmp_path_factory.mktemp("hosts"), *manifests))


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_served_by_the_mapping_that_is_for_it(by_host, host):
    services, gateway = by_host
    with Client(gateway.port, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()) as client:
        got = client.answer()
    if HOSTS[host] is None:
        assert got.status == 400
    else:
        hostname, sent = HOSTS[host]
        assert (got.status, got.body) == (200, hostname.encode())
        assert services[hostname].last.get("host") == sent


# --- the certificate of nobody ---

def write_manifest(gateway: GatewayAlone, name: str, *manifests: dict) -> None:
    fresh = gateway.config.with_name(name)
    fresh.write_text("---\n".join(map(yaml_text.dump, manifests)))
    fresh.rename(gateway.config.parent / "manifests" / name)


def presented(port: int, name: str | None = None, **options) -> bytes:
    """The certificate that a client is shown that asks for that name."""
    with tls_client(port, name, **options) as client:
        return client.getpeercert(binary_form=True)


def is_self_signed(certificate: bytes, folder: pathlib.Path) -> bool:
    """Its own key has signed it."""
    file = folder / "presented.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(certificate))
    done = subprocess.run(["openssl", "verify", "-CAfile", file, file], capture_output=True,
                          check=False)
    return done.returncode == 0


def ask(client: ssl.SSLSocket, host: str) -> int:
    client.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return int(client.recv(65536).split()[1])


def warnings_of_listeners(gateway: GatewayAlone) -> list[str]:
    return [problem["what"] for problem in gateway.diagnosis()["problems"]
            if problem["severity"] == "warning" and "Listener" in problem["what"]]


def test_a_listener_without_a_certificate_serves_tls_with_a_self_signed_one(service, tmp_path):
    """On both listeners the same, for any name, by the same routes; and the log says what to do."""
    first, second = free_port(), free_port()
    manifests = [listener(first, protocol="HTTPS"), listener(second, protocol="HTTPS"),
                 mapping("m", "/", service.url)]
    with gateway_of(tmp_path, *manifests) as gateway:
        shown = presented(first)
        assert is_self_signed(shown, tmp_path)
        assert presented(second, "a.test") == shown
        for words, status in ((["-k"], "200"), ([], "000")):
            asked = subprocess.run(["curl", "-s", "-o", tmp_path / "body", "-w", "%{http_code}", *words,
                                    f"https://localhost:{first}/"], capture_output=True, text=True,
                                   check=False)
            assert asked.stdout == status
        assert service.last.get("x-forwarded-proto") == "https"
        warnings = warnings_of_listeners(gateway)
        for port, warning in zip((first, second), warnings, strict=True):
            assert f"Listener default/port-{port}" in warning and "tlsSecret" in warning
            assert warning in gateway.log.read_text()


def test_a_host_brings_its_certificate_to_a_listener_that_had_none(service, authority, tmp_path):
    """By a reload, as it goes again: what is open stays, and nothing is closed in between."""
    port = free_port()
    own = authority.issue("late.test")
    host = manifest("Host", "late", hostname="late.test", tlsSecret={"name": "late"})
    with gateway_of(tmp_path, listener(port, protocol="HTTPS"),
                    mapping("m", "/", service.url)) as gateway:
        self_signed = presented(port, "late.test")
        with tls_client(port, "late.test") as old:
            assert ask(old, "late.test") == 200
            write_manifest(gateway, "late.yaml", secret("late", own), host)
            eventually(lambda: presented(port, "late.test") != self_signed)
            assert presented(port, "late.test", authority=authority.certificate)
            with tls_client(port, "late.test", authority.certificate) as fresh:
                assert ask(fresh, "late.test") == 200
            assert warnings_of_listeners(gateway) == []
            assert ask(old, "late.test") == 200, "what is open stays"
            (gateway.config.parent / "manifests" / "late.yaml").unlink()
            eventually(lambda: presented(port, "late.test") == self_signed)
            assert ask(old, "late.test") == 200
        assert len(warnings_of_listeners(gateway)) == 1


def test_a_host_that_asks_for_client_certificates_needs_one_of_its_own(service, authority, tmp_path):
    """The certificate of nobody is no reason to let clients in that show none."""
    port = free_port()
    ca = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ca", "namespace": "default"},
          "stringData": {"ca.crt": authority.certificate.read_text()}}
    strict = {"ca_secret": "ca", "cert_required": True}
    with gateway_of(tmp_path, ca, listener(port, protocol="HTTPS"), mapping("m", "/", service.url),
                    manifest("Host", "open", hostname="open.test"),
                    manifest("Host", "by-host", hostname="by-host.test", tls=strict),
                    manifest("TLSContext", "by-context", hosts=["by-context.test"],
                             **strict)) as gateway:
        for name, status in (("open.test", 200), ("by-host.test", 404), ("by-context.test", 404)):
            with tls_client(port, name) as client:
                assert ask(client, name) == status, name
        assert any("Host default/by-host" in problem["what"] and "tlsSecret" in problem["what"]
                   for problem in gateway.diagnosis()["problems"])


# --- Module ---

def test_a_module_s_access_log_and_limits(service, tmp_path):
    log = tmp_path / "access.log"
    manifests = [module(envoy_log_path=str(log), envoy_log_format="%RESPONSE_CODE% %ROUTE_NAME%\n",
                        max_request_headers_kb=1, listener_idle_timeout_ms=200),
                 mapping("m", "/", service.url)]
    with gateway_of(tmp_path, *manifests) as gateway:
        assert gateway.get("/a").status_code == 200
        assert gateway.get("/b", headers={"X-Long": "x" * 1100}).status_code == 431
        with Client(gateway.port, b"GET /c HTTP/1.1\r\nHost: a\r\n\r\n") as client:
            assert client.answer().status == 200
            assert client.rest() == b""  # it was idle for too long
    assert log.read_text() == "200 default/m\n431 -\n200 default/m\n"


def test_a_change_that_is_for_all_empties_no_service(service, tmp_path):
    """A Module's, while requests go to a name that has to be looked up."""
    by_name = service.url.replace("127.0.0.1", "localhost")
    manifests = [mapping("m", "/", by_name), module(server_name="v0")]
    stop, statuses = threading.Event(), []
    with gateway_of(tmp_path, *manifests) as gateway:
        def ask() -> None:
            while not stop.is_set():
                statuses.append(gateway.get("/").status_code)

        asking = [threading.Thread(target=ask) for _ in range(2)]
        for thread in asking:
            thread.start()
        try:
            for i in range(1, 11):
                fresh = tmp_path / "fresh.yaml"
                fresh.write_text(yaml_text.dump(module(server_name=f"v{i}")))
                fresh.rename(tmp_path / "manifests" / "1.yaml")
                eventually(lambda: gateway.get("/").headers["Server"] == f"v{i}")
        finally:
            stop.set()
            for thread in asking:
                thread.join()
    assert set(statuses) == {200}


def test_fields_that_are_refused_are_warned_of_and_harm_nobody(service, tmp_path):
    manifests = [module(lua_scripts="function envoy_on_request(h) end"),
                 mapping("m", "/", service.url, add_linkerd_headers=True, docs={"path": "/docs"},
                         envoy_override={"x": 1}, modules=[{"x": 1}])]
    with gateway_of(tmp_path, *manifests) as gateway:
        assert gateway.get("/").status_code == 200
        problems = gateway.diagnosis()["problems"]
    assert {problem["severity"] for problem in problems} == {"warning"}
    for field in ("lua_scripts", "add_linkerd_headers", "docs", "envoy_override", "modules"):
        assert any(f".{field}: has no effect" in problem["what"] for problem in problems), field


# --- AuthService ---

def judge_by_word(seen: Request) -> bytes:
    return answer("", x_user="alice") if seen.get("x-word") == "please" else answer(
        "say please", "401 Unauthorized", WWW_Authenticate="Word", X_Secret="1")


def test_an_auth_service_over_http_in_full(service, tmp_path):
    with Service(judge_by_word) as judge:
        auth = manifest("AuthService", "auth", auth_service=f"127.0.0.1:{judge.port}",
                        path_prefix="/check", allowed_request_headers=["x-word"],
                        allowed_authorization_headers=["x-user"],
                        add_auth_headers={"x-word": {"value": "please", "append": False},
                                          "x-gateway": "us"},
                        include_body={"max_bytes": 4, "allow_partial": True})
        with gateway_of(tmp_path, auth, mapping("m", "/", service.url)) as gateway:
            got = gateway.request("POST", "/a?b=c", data=b"body and more",
                                  headers={"x-word": "no", "x-user": "root", "x-other": "1"})
            assert got.status_code == 200
    asked = judge.last
    assert (asked.line, asked.body) == ("POST /check/a?b=c HTTP/1.1", b"body")
    assert asked.get("x-word") == "please" and asked.get("x-gateway") == "us"
    assert asked.get("x-other") is None
    assert asked.get("x-envoy-auth-partial-body") == "true"
    assert service.last.get("x-user") == "alice" and service.last.body == b"body and more"


def test_a_denial_and_a_failure_of_an_auth_service(service, tmp_path):
    with Service(judge_by_word) as judge:
        auth = manifest("AuthService", "auth", auth_service=f"127.0.0.1:{judge.port}",
                        allowed_authorization_headers=["x-user"], status_on_error={"code": 511})
        with gateway_of(tmp_path, auth, mapping("m", "/", service.url)) as gateway:
            denied = gateway.get("/")
            assert (denied.status_code, denied.text) == (401, "say please")
            assert denied.headers["WWW-Authenticate"] == "Word" and "X-Secret" not in denied.headers
            judge.answer = answer("", "500 Internal Server Error")
            assert gateway.get("/").status_code == 511
    assert service.seen == []


def test_an_auth_service_over_grpc(service, tmp_path):
    with GrpcAuthorizer() as authorizer:
        auth = manifest("AuthService", "auth", proto="grpc",
                        auth_service=f"127.0.0.1:{authorizer.port}")
        manifests = [auth, mapping("m", "/", service.url, auth_context_extensions={"tier": "gold"})]
        with gateway_of(tmp_path, *manifests) as gateway:
            authorizer.answer = lambda *_: allow({"x-user": "alice"})
            assert gateway.get("/a").status_code == 200
            assert service.last.get("x-user") == "alice"
            assert dict(authorizer.requests[-1].attributes.context_extensions) == {"tier": "gold"}
            authorizer.answer = lambda *_: deny(402, body="pay")
            denied = gateway.get("/b")
    assert (denied.status_code, denied.text, len(service.seen)) == (402, "pay", 1)


def test_an_authorizer_reached_by_tls_is_verified(service, tmp_path):
    own, other = (make_certificate(tmp_path, name) for name in ("localhost", "other.test"))
    with Service(answer("", kubeflow_userid="alice")) as judge:
        judge.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        judge.tls.load_cert_chain(own.certificate, own.key)
        for i, (trusted, status) in enumerate(((own, 200), (other, 503))):
            folder = tmp_path / str(i)
            folder.mkdir()
            with GatewayAlone(folder, [{"service": service.url}], authorizer={
                    "kind": "http", "url": f"https://localhost:{judge.port}",
                    "ca_file": str(trusted)}) as gateway:
                assert gateway.get("/").status_code == status
    assert len(service.seen) == len(judge.seen) == 1


# --- versions, annotations, the gateway's own objects ---

def test_objects_of_v2(service, tmp_path):
    """As they stand in clusters: there is no webhook that would make v3alpha1 of them."""
    manifests = [
        manifest("Mapping", "a", "v2", host="a.test", prefix="/a/", service=service.url,
                 add_request_headers={"x-v2": {"value": "1", "append": False}},
                 cors={"origins": "https://x.test,https://y.test", "methods": "GET, PUT"}),
        manifest("Mapping", "b", "v2", host="b[12][.]test", host_regex=True, prefix="/",
                 service=service.url, rewrite=""),
        manifest("Module", "ambassador", "v2", config={"server_name": "front"})]
    with gateway_of(tmp_path, *manifests) as gateway:
        got = gateway.get("/a/x", headers={"Host": "a.test", "Origin": "https://y.test"})
        assert (got.status_code, got.headers["Server"]) == (200, "front")
        assert got.headers["Access-Control-Allow-Origin"] == "https://y.test"
        assert service.last.target == "/x" and service.last.get("x-v2") == "1"
        assert served(gateway, "/a/x", "b2.test") == 200 and service.last.target == "/a/x"
        assert served(gateway, "/a/x", "b3.test") == 404


def annotated(name: str, *texts: str) -> dict:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {
        "name": name, "namespace": "kubeflow",
        "annotations": {"getambassador.io/config": "---\n" + "---\n".join(texts)}}}


def test_annotations_of_services(service, tmp_path):
    """v0, v1 and v2, as Kubeflow's Services bear them."""
    with Service(judge_by_word) as judge:
        manifests = [
            annotated("web", f"apiVersion: ambassador/v0\nkind: Mapping\nname: web\nprefix: /web/\n"
                             f"service: {service.url}\nadd_request_headers: {{x-at: /web}}\n",
                      f"apiVersion: ambassador/v1\nkind: Mapping\nname: kept\nprefix: /kept/\n"
                      f"rewrite: /kept/\ntimeout_ms: 300000\nuse_websocket: true\n"
                      f"service: {service.url}\n"),
            annotated("ui", f"apiVersion: getambassador.io/v2\nkind: Mapping\nname: ui\n"
                            f"prefix: /ui\nrewrite: /other\nservice: {service.url}\n"),
            annotated("auth", f"apiVersion: getambassador.io/v1\nkind: AuthService\nname: auth\n"
                              f"auth_service: 127.0.0.1:{judge.port}\n"
                              "allowed_request_headers: [x-word]\n"
                              "allowed_authorization_headers: [x-user]\n")]
        with gateway_of(tmp_path, *manifests) as gateway:
            assert gateway.get("/web/").status_code == 401
            said = {"x-word": "please"}
            for asked, arrived in (("/web/x", "/x"), ("/kept/x", "/kept/x"), ("/ui/x", "/other/x")):
                assert gateway.get(asked, headers=said).status_code == 200
                assert service.last.target == arrived and service.last.get("x-user") == "alice"
                assert service.last.get("x-at") == ("/web" if arrived == "/x" else None)


@pytest.mark.parametrize("how", ["default", "file", "ambassador-s-variable", "own-variable"])
def test_objects_of_another_ambassador_are_left_alone(service, tmp_path, monkeypatch, how):
    own = "default" if how == "default" else "blue"
    manifests = [mapping("unsaid", "/unsaid/", service.url),
                 mapping("ours", "/ours/", service.url, ambassador_id=[own]),
                 mapping("theirs", "/theirs/", service.url, ambassador_id=["other"]),
                 mapping("both", "/both/", service.url, ambassador_id=["other", own])]
    settings = {"ambassador_id": own} if how == "file" else {}
    if how.endswith("variable"):
        monkeypatch.setenv("AMBASSADOR_ID", own)
    if how == "own-variable":
        monkeypatch.setenv("AMBASSADOR_ID", "other")
        monkeypatch.setenv("GATEHOUSE_GATEWAY_AMBASSADOR_ID", own)
    with gateway_of(tmp_path, *manifests, **settings) as gateway:
        names = ("unsaid", "ours", "theirs", "both")
        assert [gateway.get(f"/{name}/").status_code for name in names] == [
            200 if own == "default" else 404, 200, 404, 200]


def test_another_ambassador_id_takes_effect_by_a_reload(service, tmp_path):
    manifests = [mapping(name, f"/{name}/", service.url, ambassador_id=[name])
                 for name in ("blue", "green")]
    with gateway_of(tmp_path, *manifests, ambassador_id="blue") as gateway:
        def statuses() -> list[int]:
            return [gateway.get(f"/{name}/").status_code for name in ("blue", "green")]
        assert statuses() == [200, 404]
        gateway.settings["ambassador_id"] = "green"
        gateway.write()
        gateway.hang_up()
        eventually(lambda: statuses() == [404, 200])


# --- Mappings and TCPMappings ---

def echo(connection: socket.socket, _) -> None:
    """A WebSocket of RFC 6455's example, then what comes."""
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                       b"Upgrade: websocket\r\n"
                       b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    while received := connection.recv(65536):
        connection.sendall(received)


@pytest.mark.parametrize("form", ["file", "mapping"])
def test_a_route_s_idle_timeout_ends_a_silent_websocket(service, tmp_path, form):
    service.script = echo
    routes, manifests = [{"service": service.url, "idle_timeout": "200ms"}], []
    if form == "mapping":
        routes, manifests = [], [mapping("m", "/", service.url, idle_timeout_ms=200,
                                         allow_upgrade=["websocket"])]
    handshake = (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    with GatewayAlone(tmp_path, routes, manifests) as gateway, \
            Client(gateway.port, handshake) as client:
        assert client.answer().status == 101
        client.send(b"said")
        assert client.exactly(4) == b"said"
        with contextlib.suppress(Cut):
            assert client.rest() == b""
        eventually(lambda: service.closed == 1)


class Named:
    """A TCP service that says its name and waits for the end."""

    def __init__(self, name: bytes) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.name = name
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.sendall(self.name)

    def __enter__(self) -> "Named":
        return self

    def __exit__(self, *_) -> None:
        self.listener.close()


def test_tcp_mappings_share_by_weight_and_end_when_idle(tmp_path):
    port = free_port()
    with Named(b"a") as a, Named(b"b") as b:
        manifests = [
            manifest("TCPMapping", "a", port=port, service=a.address, weight=25,
                     idle_timeout_ms=200),
            manifest("TCPMapping", "b", port=port, service=b.address, idle_timeout_ms=200)]
        with gateway_of(tmp_path, *manifests), contextlib.ExitStack() as stack:
            clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port), SECONDS))
                       for _ in range(40)]
            names = [client.recv(1) for client in clients]
            for client in clients:
                with contextlib.suppress(ConnectionError):
                    assert client.recv(1) == b""  # for nobody says anything
    assert names.count(b"a") == 10 and names.count(b"b") == 30


# --- as Emissary has it ---

def test_a_listener_of_https_serves_cleartext_as_its_hosts_say(service, authority, tmp_path):
    """On the same port: whoever types http:// there is sent on, and no connection is cut."""
    port, actions = free_port(), ("Redirect", "Route", "Reject")
    hosts = [manifest("Host", action.lower(), hostname=f"{action.lower()}.test",
                      tlsSecret={"name": "own"}, requestPolicy={"insecure": {"action": action}})
             for action in actions]
    with gateway_of(tmp_path, secret("own", authority.issue("cleartext.test")), *hosts,
                    listener(port, protocol="HTTPS"), mapping("m", "/", service.url)) as gateway:
        assert [served(gateway, "/", f"{action.lower()}.test") for action in actions] == [301, 200, 404]
        assert service.last.get("x-forwarded-proto") == "http"
        with tls_client(port, "reject.test") as client:
            assert ask(client, "reject.test") == 200
        assert service.last.get("x-forwarded-proto") == "https"


def test_a_module_holds_for_the_addresses_of_the_file(service, tmp_path):
    """Where no Listener says whom to believe."""
    manifests = [module(use_proxy_proto=True, xff_num_trusted_hops=1),
                 mapping("m", "/", service.url, add_request_headers=CLIENT)]
    with gateway_of(tmp_path, *manifests) as gateway:
        for fields, client in ((b"", "192.0.2.7"), (b"X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1")):
            with Client(gateway.port, b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\n"
                        b"GET / HTTP/1.1\r\nHost: a.test\r\n" + fields + b"\r\n") as connection:
                assert connection.answer().status == 200
            assert service.last.get("x-client") == client


def test_cors_of_a_module_for_any_origin_leaves_every_mapping(service, tmp_path):
    """Without credentials, of which one warning tells."""
    manifests = [module(cors={"origins": ["*"], "credentials": True}),
                 mapping("a", "/a/", service.url), mapping("b", "/b/", service.url)]
    with gateway_of(tmp_path, *manifests) as gateway:
        for path in ("/a/", "/b/"):
            got = gateway.get(path, headers={"Origin": "https://any.test"})
            assert got.headers["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in got.headers
        told = [problem["what"] for problem in gateway.diagnosis()["problems"]
                if "credentials" in problem["what"]]
    assert len(told) == 1 and "Module default/ambassador" in told[0]


def test_a_tcp_mapping_ends_tls_by_the_certificate_of_its_host(authority, tmp_path):
    port = free_port()
    with Named(b"a") as named:
        manifests = [secret("db", authority.issue("db.test")),
                     manifest("Host", "db", hostname="db.test", tlsSecret={"name": "db"}),
                     manifest("TCPMapping", "db", port=port, host="db.test", service=named.address)]
        with gateway_of(tmp_path, *manifests), \
                tls_client(port, "db.test", authority.certificate) as client:
            assert client.recv(1) == b"a"


def test_a_module_says_what_is_told_of_client_certificates(service, authority, tmp_path):
    port = free_port()
    ca = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ca", "namespace": "default"},
          "stringData": {"ca.crt": authority.certificate.read_text()}}
    manifests = [
        module(forward_client_cert_details="SANITIZE_SET",
               set_current_client_cert_details={"subject": True}),
        ca, secret("own", authority.issue("mutual.test")), listener(port, protocol="HTTPS"),
        manifest("Host", "mutual", hostname="mutual.test", tlsSecret={"name": "own"},
                 tls={"ca_secret": "ca"}),
        mapping("m", "/", service.url)]
    with gateway_of(tmp_path, *manifests), \
            tls_client(port, "mutual.test", own=authority.issue("alice.test")) as client:
        assert ask(client, "mutual.test") == 200
    told = service.last.get("x-forwarded-client-cert")
    assert "Hash=" in told and "CN=alice.test" in told and "DNS=" not in told


# --- probes, and hosts that nobody serves ---

PROBES = {"alive": "/ambassador/v0/check_alive", "ready": "/ambassador/v0/check_ready"}


@pytest.mark.parametrize("name", PROBES)
def test_probes_are_answered_on_every_listener_whoever_asks(service, tmp_path, name):
    """Behind an AuthService that lets nobody pass, for any host, in cleartext too."""
    manifests = [manifest("Host", "own", hostname="own.example",
                          requestPolicy={"insecure": {"action": "Redirect"}}),
                 manifest("AuthService", "auth", auth_service="127.0.0.1:9"),
                 mapping("all", "/", service.url, rewrite="")]
    with gateway_of(tmp_path, *manifests) as gateway:
        for host in ("own.example", "10.0.0.1", "other.example"):
            got = gateway.get(PROBES[name], headers={"Host": host})
            assert (got.status_code, got.text) == (200, f"{name}\n"), host
        assert gateway.request("POST", PROBES[name]).status_code == 405
    assert service.seen == []


def test_probes_are_where_the_module_says(service, tmp_path):
    manifests = [module(liveness_probe={"enabled": False}, readiness_probe={"prefix": "/are-you-well"}),
                 mapping("all", "/", service.url, rewrite="")]
    with gateway_of(tmp_path, *manifests) as gateway:
        assert gateway.get("/are-you-well").text == "ready\n"
        for path in PROBES.values():
            assert gateway.get(path).text == "ok" and service.last.target == path


def test_where_there_are_hosts_no_other_is_served(service, tmp_path):
    """Else the rules of a Host were walked around by another name."""
    manifests = [manifest("Host", "own", hostname="own.example",
                          requestPolicy={"insecure": {"action": "Route"}}),
                 mapping("all", "/", service.url, rewrite="")]
    with gateway_of(tmp_path, *manifests) as gateway:
        assert gateway.get("/", headers={"Host": "own.example"}).status_code == 200
        assert gateway.get("/", headers={"Host": "other.example"}).status_code == 404
        assert gateway.get("/").status_code == 404
        assert "unknown_host" in gateway.explain("GET", "/", {"Host": "other.example"})
        assert "unknown_host" not in gateway.explain("GET", "/", {"Host": "own.example"})
        assert "unknown_host" not in gateway.explain("GET", PROBES["ready"], {"Host": "other.example"})
    assert len(service.seen) == 1


def test_the_request_id_of_every_client_is_kept_where_the_module_says_so(service, tmp_path):
    manifests = [module(preserve_external_request_id=True), mapping("all", "/", service.url)]
    with gateway_of(tmp_path, *manifests) as gateway:
        gateway.get("/", headers={"X-Request-Id": "hello"})
        assert service.last.get("x-request-id") == "hello"
