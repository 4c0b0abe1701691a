"""What a reload changes besides routes: listeners, TCP mappings, the access log, tracing."""

import socket
import ssl
import threading

import pytest
import requests
import yaml_text
from certificates import make_certificate
from gateway_alone import SECONDS, GatewayAlone, Service, eventually, mapping
from ports import free_port
from upstreams import TcpService

LISTENER = {"apiVersion": "getambassador.io/v3alpha1", "kind": "Listener"}
TCP_MAPPING = {"apiVersion": "getambassador.io/v3alpha1", "kind": "TCPMapping"}


def status(port: int, path: str = "/") -> int | None:
    """None: nobody listens."""
    try:
        return requests.get(f"http://127.0.0.1:{port}{path}", timeout=SECONDS).status_code
    except requests.ConnectionError:
        return None


def route(service: Service, prefix: str = "/") -> dict:
    return {"prefix": prefix, "service": service.url}


def told(gateway: GatewayAlone) -> dict:
    """What the operations page says; its address is opened last."""
    return eventually(gateway.diagnosis)


def reload(gateway: GatewayAlone, **settings) -> dict:
    """By SIGHUP; what the gateway then says of it."""
    before = len(told(gateway)["reloads"])
    gateway.settings.update(settings)
    gateway.write()
    gateway.hang_up()
    eventually(lambda: len(gateway.diagnosis()["reloads"]) > before)
    return gateway.diagnosis()["reloads"][0]  # the newest


@pytest.mark.parametrize("threads", [1, 3])
def test_listeners_come_and_go(tmp_path, service, threads):
    with GatewayAlone(tmp_path, [route(service)], threads=threads) as gateway:
        old, new = gateway.port, free_port()
        assert reload(gateway, listen=[{"address": f"127.0.0.1:{p}"} for p in (old, new)])["applied"]
        assert [status(port) for port in (old, new)] == [200, 200]
        assert [one["address"] for one in gateway.diagnosis()["listeners"]
                if one["serves"] == "gateway"] == [f"127.0.0.1:{old}", f"127.0.0.1:{new}"]
        assert reload(gateway, listen=[{"address": f"127.0.0.1:{new}"}])["applied"]
        assert [status(port) for port in (old, new)] == [None, 200]
        assert reload(gateway, listen=[{"address": f"127.0.0.1:{old}"}])["applied"]
        assert [status(port) for port in (old, new)] == [200, None]


def test_what_is_under_way_on_a_listener_that_goes_is_finished(tmp_path, service):
    begun, may_end = threading.Event(), threading.Event()

    def slow(connection: socket.socket, _) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
        begun.set()
        may_end.wait(SECONDS)
        connection.sendall(b"lf")

    with GatewayAlone(tmp_path, [route(service)]) as gateway:
        idle = socket.create_connection(("127.0.0.1", gateway.port), SECONDS)
        idle.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200 ")
        service.script = slow
        with requests.get(gateway.url + "/", stream=True, timeout=SECONDS) as answer:
            assert begun.wait(SECONDS)
            assert reload(gateway, listen=[{"address": f"127.0.0.1:{free_port()}"}])["applied"]
            assert status(gateway.port) is None
            assert idle.recv(65536) == b"", "an idle connection is closed at once"
            may_end.set()
            assert answer.content == b"half"
        idle.close()


def test_a_listener_that_cannot_be_bound_leaves_all_as_it_was(tmp_path, service):
    with GatewayAlone(tmp_path, [route(service, "/old/")], threads=2) as gateway, \
            socket.create_server(("127.0.0.1", 0)) as other:
        fresh, taken = free_port(), other.getsockname()[1]
        before = gateway.settings["listen"]
        refused = reload(gateway, routes=[route(service, "/new/")], listen=before + [
            {"address": f"127.0.0.1:{fresh}"}, {"address": f"127.0.0.1:{taken}"}])
        assert not refused["applied"] and str(taken) in refused["what"]
        assert [status(gateway.port, path) for path in ("/old/", "/new/")] == [200, 404]
        assert status(fresh) is None
        assert reload(gateway, listen=before)["applied"]
        assert [status(gateway.port, path) for path in ("/old/", "/new/")] == [404, 200]


def test_a_listener_may_become_one_with_tls(tmp_path, service):
    tls = make_certificate(tmp_path, "localhost")
    with GatewayAlone(tmp_path, [route(service)]) as gateway:
        address = {"address": f"127.0.0.1:{gateway.port}"}
        assert reload(gateway, listen=[{**address, "tls": tls.settings()}])["applied"]
        secure = requests.get(f"https://localhost:{gateway.port}/", verify=str(tls), timeout=SECONDS)
        assert secure.status_code == 200
        assert reload(gateway, listen=[address])["applied"]
        assert status(gateway.port) == 200
        with pytest.raises((ssl.SSLError, OSError)):
            ssl.get_server_certificate(("127.0.0.1", gateway.port), timeout=SECONDS)


def test_connections_are_judged_by_the_listener_they_came_by(tmp_path, service):
    """Which of them counts as secure does not change with the order of the list."""
    with GatewayAlone(tmp_path, [route(service)]) as gateway:
        secure = {"address": f"127.0.0.1:{free_port()}", "secure_by": "always"}
        plain = gateway.settings["listen"][0]
        assert reload(gateway, listen=[plain, secure])["applied"]
        session = requests.Session()
        session.get(gateway.url + "/", timeout=SECONDS)
        assert service.last.get("x-forwarded-proto") == "http"
        assert reload(gateway, listen=[secure, plain])["applied"]
        session.get(gateway.url + "/", timeout=SECONDS)
        assert service.last.get("x-forwarded-proto") == "http"
        requests.get(f"http://{secure['address']}/", timeout=SECONDS)
        assert service.last.get("x-forwarded-proto") == "https"


def test_listeners_of_manifests_come_and_go(tmp_path, service):
    def listener(port: int) -> dict:
        return {**LISTENER, "metadata": {"name": f"port-{port}"},
                "spec": {"port": port, "protocol": "HTTP", "securityModel": "XFP"}}

    first, second = free_port(), free_port()
    gateway = GatewayAlone(tmp_path, [route(service)], manifests=[listener(first)])
    gateway.role.port = first
    with gateway:
        assert status(first) == 200
        more = tmp_path / "manifests" / "more.yaml"
        more.write_text(yaml_text.dump(listener(second)))
        eventually(lambda: status(second) == 200)
        assert status(first) == 200
        more.unlink()
        eventually(lambda: status(second) is None)
        assert status(first) == 200


def echo(name: bytes) -> TcpService:
    """Sends back what it gets, after its name."""
    def serve(connection: socket.socket) -> None:
        while piece := connection.recv(65536):
            connection.sendall(name + piece)
    return TcpService(serve)


def say(connection: socket.socket, word: bytes) -> bytes:
    connection.sendall(word)
    return connection.recv(65536)


def connect(port: int) -> socket.socket | None:
    try:
        return socket.create_connection(("127.0.0.1", port), SECONDS)
    except OSError:
        return None


def test_tcp_mappings_come_change_and_go(tmp_path, service):
    port = free_port()

    def to(echo: TcpService) -> list[dict]:
        return [{"listen": f"127.0.0.1:{port}", "service": echo.url}]

    with GatewayAlone(tmp_path, [route(service)], threads=2) as gateway, echo(b"a") as a, \
            echo(b"b") as b:
        assert connect(port) is None
        assert reload(gateway, tcp=to(a))["applied"]
        assert {"address": f"127.0.0.1:{port}", "protocol": "tcp", "serves": "gateway"} in \
            gateway.diagnosis()["listeners"]
        old = connect(port)
        assert say(old, b"1") == b"a1"
        assert reload(gateway, tcp=to(b))["applied"]
        assert say(old, b"2") == b"a2", "what is open goes on"
        with connect(port) as fresh:
            assert say(fresh, b"3") == b"b3"
        assert reload(gateway, tcp=[])["applied"]
        assert connect(port) is None
        assert say(old, b"4") == b"a4"
        old.close()


def test_a_tcp_mapping_that_cannot_be_bound_leaves_all_as_it_was(tmp_path, service):
    with GatewayAlone(tmp_path, [route(service, "/old/")], threads=2) as gateway, \
            echo(b"a") as a, socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        refused = reload(gateway, routes=[route(service, "/new/")],
                         tcp=[{"listen": taken, "service": a.url}])
        assert not refused["applied"] and taken in refused["what"]
        assert [status(gateway.port, path) for path in ("/old/", "/new/")] == [200, 404]


def test_tcp_mappings_of_manifests_come_and_go(tmp_path, service):
    port = free_port()
    with echo(b"a") as a, \
            GatewayAlone(tmp_path, [route(service)], manifests=[{"kind": "List", "apiVersion": "v1",
                                                                 "items": []}]) as gateway:
        file = tmp_path / "manifests" / "tcp.yaml"
        file.write_text(yaml_text.dump({
            **TCP_MAPPING, "metadata": {"name": "echo"},
            "spec": {"address": "127.0.0.1", "port": port, "service": a.url.split("//")[1]}}))
        connection = eventually(lambda: connect(port))
        assert say(connection, b"1") == b"a1"
        eventually(lambda: active(gateway, a) == 1)
        file.unlink()
        eventually(lambda: connect(port) is None)
        assert say(connection, b"2") == b"a2"
        connection.close()
        eventually(lambda: active(gateway, a) == 0)


def test_a_tcp_mapping_that_conflicts_is_its_object_s_fault_alone(tmp_path, service):
    """At the start and by a reload: the others work, and what is changed beside it takes effect."""
    with echo(b"a") as a, echo(b"b") as b:
        def tcp_mapping(name: str, port: int, to: TcpService) -> dict:
            return {**TCP_MAPPING, "metadata": {"name": name},
                    "spec": {"port": port, "service": to.url.split("//")[1]}}

        requests_port, bytes_port = free_port(), free_port()
        listener = {**LISTENER, "metadata": {"name": "requests"},
                    "spec": {"port": requests_port, "protocol": "HTTP", "securityModel": "XFP"}}
        gateway = GatewayAlone(tmp_path, [route(service)],
                               manifests=[listener, tcp_mapping("first", requests_port, a)])
        gateway.role.port = requests_port
        with gateway:
            eventually(gateway.diagnosis)

            def problems() -> list[str]:
                return [one["what"] for one in gateway.diagnosis()["problems"]
                        if one["severity"] == "error"]

            assert status(requests_port) == 200
            assert len(problems()) == 1 and "TCPMapping default/first" in problems()[0]
            more = tmp_path / "manifests" / "more.yaml"
            more.write_text(yaml_text.dump(tcp_mapping("second", bytes_port, b)))
            with eventually(lambda: connect(bytes_port)) as connection:
                assert say(connection, b"1") == b"b1"
            # Its good version stays, though it now says what cannot be.
            more.write_text(yaml_text.dump(tcp_mapping("second", requests_port, b)))
            eventually(lambda: len(problems()) == 2)
            assert status(requests_port) == 200
            more.write_text(yaml_text.dump(tcp_mapping("second", bytes_port, a)))
            eventually(lambda: len(problems()) == 1)
            with connect(bytes_port) as connection:
                assert say(connection, b"2") == b"a2"


@pytest.mark.parametrize("when", ["start", "reload"])
def test_a_tcp_mapping_whose_port_is_somebody_else_s_is_left_out_alone(tmp_path, service, when):
    with echo(b"a") as a, socket.create_server(("127.0.0.1", 0)) as other:
        fresh, taken = free_port(), other.getsockname()[1]
        both = [{**TCP_MAPPING, "metadata": {"name": name},
                 "spec": {"address": "127.0.0.1", "port": port, "service": a.url.split("//")[1]}}
                for name, port in (("taken", taken), ("fresh", fresh))]
        nothing = {"kind": "List", "apiVersion": "v1", "items": []}
        first = both if when == "start" else [nothing]
        with GatewayAlone(tmp_path, [route(service)], manifests=first, threads=2) as gateway:
            if when == "reload":
                more = {"kind": "List", "apiVersion": "v1", "items": both}
                (tmp_path / "manifests" / "more.yaml").write_text(yaml_text.dump(more))

            def problems() -> list[str]:
                return [one["what"] for one in gateway.diagnosis()["problems"]
                        if one["severity"] == "error"]

            with eventually(lambda: connect(fresh)) as connection:
                assert say(connection, b"1") == b"a1"
            assert status(gateway.port) == 200
            told = eventually(problems)
            assert len(told) == 1 and "TCPMapping default/taken" in told[0] and str(taken) in told[0]
            other.close()
            gateway.hang_up()
            with eventually(lambda: connect(taken)) as connection:
                assert say(connection, b"2") == b"a2"
            assert problems() == []


def test_weights_of_tcp_mappings_above_all_are_taken_in_proportion(tmp_path, service):
    port = free_port()
    with echo(b"a") as a, echo(b"b") as b:
        manifests = [{**TCP_MAPPING, "metadata": {"name": name},
                      "spec": {"port": port, "service": to.url.split("//")[1], "weight": weight}}
                     for name, to, weight in (("a", a, 90), ("b", b, 60))]
        with GatewayAlone(tmp_path, [route(service)], manifests=manifests) as gateway:
            eventually(gateway.diagnosis)
            heard = []
            for _ in range(10):
                with connect(port) as connection:
                    heard.append(say(connection, b"x"))
            assert heard.count(b"ax") == 6 and heard.count(b"bx") == 4
            problems = gateway.diagnosis()["problems"]
            assert [one["severity"] for one in problems] == ["warning"]
            assert "TCPMapping default/a" in problems[0]["what"]


def active(gateway: GatewayAlone, echo: TcpService) -> int | None:
    """What counts as under way at a service."""
    return next((c["endpoints"][0]["active_requests"] for c in gateway.diagnosis()["clusters"]
                 if c["service"] == echo.url), None)


def test_the_access_log_changes_its_file_and_form(tmp_path, service):
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    with GatewayAlone(tmp_path, [route(service)],
                      access_log={"form": "json", "path": str(one)}) as gateway:
        gateway.get("/first")
        assert reload(gateway, access_log={"format": "%REQ(:PATH)%!", "path": str(two)})["applied"]
        gateway.get("/second")
        eventually(lambda: two.read_text() == "/second!\n")
        assert '"/first"' in one.read_text() and "/second" not in one.read_text()
        refused = reload(gateway, access_log={"path": str(tmp_path / "none" / "three.log")})
        assert not refused["applied"] and "three.log" in refused["what"]
        gateway.get("/third")
        eventually(lambda: two.read_text() == "/second!\n/third!\n")


def test_tracing_is_switched_on_and_off(tmp_path, service):
    with Service() as collector, GatewayAlone(tmp_path, [route(service)]) as gateway:
        gateway.get("/untraced")
        assert service.last.get("traceparent") is None
        assert reload(gateway, tracing={"endpoint": collector.url})["applied"]
        gateway.get("/traced")
        assert service.last.get("traceparent")
        eventually(lambda: collector.seen)
        assert b"/traced" in collector.last.body and b"/untraced" not in collector.last.body
        assert reload(gateway, tracing={"endpoint": ""})["applied"]
        gateway.get("/again")
        assert service.last.get("traceparent") is None


def wrong_mapping(field: str) -> dict:
    return {"apiVersion": "getambassador.io/v3alpha1", "kind": "Mapping",
            "metadata": {"name": "wrong"}, "spec": {"prefix": "/a/", field: "soon"}}


def test_a_refused_reload_does_not_change_what_is_told_of_the_state_in_force(tmp_path, service):
    other = tmp_path / "other"
    other.mkdir()
    (other / "0.yaml").write_text(yaml_text.dump(wrong_mapping("idle_timeout_ms")))
    with GatewayAlone(tmp_path, [route(service)],
                      manifests=[wrong_mapping("timeout_ms")]) as gateway:
        before = told(gateway)["problems"]
        assert "timeout_ms" in str(before)
        listen = gateway.settings["listen"]
        no_certificate = {**listen[0], "tls": {"certificate": "none.pem", "key": "none.pem"}}
        assert not reload(gateway, manifests=str(other), listen=[no_certificate])["applied"]
        assert gateway.diagnosis()["problems"] == before
        assert reload(gateway, listen=listen)["applied"]
        eventually(lambda: "idle_timeout_ms" in str(gateway.diagnosis()["problems"]))


def test_another_folder_of_manifests_is_watched(tmp_path, service):
    other = tmp_path / "other"
    other.mkdir()
    with GatewayAlone(tmp_path, [route(service, "/old/")]) as gateway:
        assert reload(gateway, manifests=str(other))["applied"]
        (other / "0.yaml").write_text(yaml_text.dump(mapping("new", "/new/", service.url)))
        eventually(lambda: status(gateway.port, "/new/") == 200)
