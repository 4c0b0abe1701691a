"""What is seen from outside: access log in a file, spans, metrics, the page of diagnostics."""

import http.server
import json
import pathlib
import re
import socket
import threading

import pytest
import requests
from gateway_alone import SECONDS, GatewayAlone, eventually, mapping
from ports import free_port
from upstreams import RawUpstream


class Collector:
    """An OpenTelemetry collector: keeps the spans that it is sent."""

    def __init__(self):
        self.spans, self.statuses = [], []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = collector.statuses.pop(0) if collector.statuses else 200
                if status == 200:
                    assert self.path == "/v1/traces"
                    assert self.headers["Content-Type"] == "application/json"
                    for resource in json.loads(body)["resourceSpans"]:
                        for scope in resource["scopeSpans"]:
                            collector.spans += scope["spans"]
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def span(self, name):
        return eventually(lambda: next((s for s in self.spans if s["name"] == name), None))


def attributes(span):
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


class Gateway(GatewayAlone):
    """With two routes to one upstream, and two loops."""

    def __init__(self, folder, upstream_url, **settings):
        super().__init__(folder, [{"name": "a", "prefix": "/a", "service": upstream_url},
                                  {"name": "rest", "prefix": "/", "service": upstream_url}],
                         threads=2, **settings)


@pytest.fixture
def upstream():
    with RawUpstream() as server:
        yield server


@pytest.fixture
def collector():
    with Collector() as server:
        yield server


def test_an_own_access_log_is_written_to_a_file_and_follows_its_rotation(upstream, tmp_path):
    path = tmp_path / "access.log"
    log = {"path": str(path), "format": "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %ROUTE_NAME%"}
    with Gateway(tmp_path, upstream.url, access_log=log) as gateway:
        requests.get(gateway.url + "/a/b?token=secret", timeout=SECONDS)
        eventually(path.read_text)
        path.rename(tmp_path / "access.log.1")
        gateway.hang_up()
        eventually(path.exists)
        requests.get(gateway.url + "/c", timeout=SECONDS)
        eventually(lambda: "/c" in path.read_text())
    assert (tmp_path / "access.log.1").read_text() == "GET /a/b 200 a\n"
    assert path.read_text() == "GET /c 200 rest\n"
    assert "/a/b" not in gateway.log.read_text()


def test_json_lines_of_a_file_tell_their_time(upstream, tmp_path):
    path = tmp_path / "access.log"
    with Gateway(tmp_path, upstream.url, access_log={"path": str(path), "form": "json"}) as gateway:
        requests.get(gateway.url + "/a", timeout=SECONDS)
    line = json.loads(path.read_text())
    assert line["path"] == "/a" and re.fullmatch(r"\d{4}-.*Z", line["time"])


@pytest.mark.parametrize("agent", ["Müller".encode(), b"M\xfcller", b"\xed\xa0\x80 \xc0\xae"], ids=repr)
def test_bytes_beyond_ascii_break_no_line_and_no_span(upstream, collector, tmp_path, agent):
    own, field = tmp_path / "access.log", "%REQ(user-agent)%"
    settings = {"tracing": {"endpoint": collector.url, "tags": [{"name": "agent", "value": field}]},
                "access_log": {"path": str(own), "format": '{"agent": "' + field + '"}'}}
    with Gateway(tmp_path, upstream.url, **settings) as gateway:
        requests.get(gateway.url + "/a", timeout=SECONDS, headers={"User-Agent": agent})
        span = collector.span("GET a")
        line = eventually(own.read_bytes)
    assert line.isascii() and line.count(b"\n") == 1
    escaped = "".join(chr(byte) if byte < 0x80 else f"\\x{byte:02x}" for byte in agent)
    assert line.decode() == '{"agent": "' + escaped + '"}\n'
    assert attributes(span)["agent"] == escaped
    assert attributes(span)["user_agent.original"] == agent.decode(errors="replace")


def test_bytes_beyond_ascii_leave_each_line_of_the_log_json(upstream, tmp_path):
    gateway = Gateway(tmp_path, upstream.url, access_log={"format": "agent %REQ(user-agent)%"})
    gateway.config.write_text(json.dumps({"log": {"format": "json"}, **json.loads(gateway.config.read_text())}))
    with gateway:
        requests.get(gateway.url + "/a", timeout=SECONDS, headers={"User-Agent": b"M\xfcller"})
    lines = [json.loads(line) for line in gateway.log.read_bytes().splitlines()]
    assert "agent M\\xfcller" in [line["message"] for line in lines]


def test_a_trace_goes_through(upstream, collector, tmp_path):
    tracing = {"endpoint": collector.url, "service_name": "front"}
    with Gateway(tmp_path, upstream.url, tracing=tracing) as gateway:
        requests.get(gateway.url + "/a?token=secret", timeout=SECONDS, headers={
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "tracestate": "a=1", "b3": "0", "Authorization": "Bearer secret"})
        span = collector.span("GET a")
    assert span["traceId"] == "0af7651916cd43dd8448eb211c80319c"
    assert span["parentSpanId"] == "b7ad6b7169203331"
    head = upstream.requests[-1].decode()
    told = re.search(r"(?im)^traceparent: (\S+)\r$", head)[1]
    assert told == f"00-0af7651916cd43dd8448eb211c80319c-{span['spanId']}-01"
    assert re.search(r"(?im)^tracestate: a=1\r$", head) and re.search(r"(?im)^b3: 0\r$", head)
    assert attributes(span)["http.response.status_code"] == "200"
    assert attributes(span)["url.path"] == "/a"
    assert "secret" not in json.dumps(collector.spans)


def test_spans_wait_for_a_collector_that_is_not_well(upstream, collector, tmp_path):
    collector.statuses = [503]
    with Gateway(tmp_path, upstream.url, tracing={"endpoint": collector.url}) as gateway:
        requests.get(gateway.url + "/a", timeout=SECONDS)
        collector.span("GET a")
        eventually(lambda: gateway.metric("gatehouse_spans_total", outcome="exported") == 1)
        assert gateway.metric("gatehouse_spans_total", outcome="dropped") == 0


def test_metrics_tell_of_routes_services_and_the_process(upstream, tmp_path):
    with Gateway(tmp_path, upstream.url) as gateway:
        for path in ("/a", "/a", "/b"):
            requests.get(gateway.url + path, timeout=SECONDS)
        assert gateway.metric("gatehouse_requests_total", route="a", code="200") == 2
        assert gateway.metric("gatehouse_requests_total", route="rest", status="2xx") == 1
        # Each loop tells of its services from time to time.
        eventually(lambda: gateway.metric("gatehouse_upstream_requests_total",
                                          service=upstream.url) == 3)
        assert gateway.metric("gatehouse_upstream_endpoints_usable", service=upstream.url) == 1
        assert gateway.metric("gatehouse_build_info") == 1
        assert gateway.metric("gatehouse_reloads_total") == 0


def test_a_reload_is_counted_and_routes_keep_their_counters(upstream, tmp_path):
    with Gateway(tmp_path, upstream.url) as gateway:
        requests.get(gateway.url + "/a", timeout=SECONDS)
        gateway.settings["routes"].insert(
            0, {"name": "new", "prefix": "/new", "service": upstream.url})
        gateway.write()
        gateway.hang_up()
        eventually(lambda: gateway.metric("gatehouse_reloads_total", result="applied") == 1)
        for path in ("/a", "/new"):
            eventually(lambda: requests.get(gateway.url + path, timeout=SECONDS).ok)
        assert gateway.metric("gatehouse_requests_total", route="a") == 2
        assert gateway.metric("gatehouse_requests_total", route="new") == 1
        gateway.config.write_text("gateway: [")
        gateway.hang_up()
        eventually(lambda: gateway.metric("gatehouse_reloads_total", result="refused") == 1)
        page = gateway.diagnosis()
        assert not page["reloads"][0]["applied"] and page["reloads"][1]["applied"]
        assert {"new", "a", "rest"} == {route["name"] for route in page["routes"]}


def test_problems_are_counted_from_the_start(upstream, tmp_path):
    wrong = mapping("wrong", "no-slash", upstream.url)
    odd = mapping("odd", "/odd/", upstream.url, envoy_override={"x": 1})
    with GatewayAlone(tmp_path, [{"prefix": "/", "service": upstream.url}],
                      manifests=[wrong, odd]) as gateway:
        severities = [problem["severity"] for problem in gateway.diagnosis()["problems"]]
        assert sorted(severities) == ["error", "warning"]
        assert gateway.metric("gatehouse_configuration_problems") == 2


def test_the_page_of_diagnostics(upstream, tmp_path):
    with Gateway(tmp_path, upstream.url) as gateway:
        requests.get(gateway.url + "/a", timeout=SECONDS)
        page = gateway.operations("/ambassador/v0/diag/")
        eventually(lambda: gateway.cluster(upstream.url)["requests"] == 1)
        facts = gateway.diagnosis()
        assert gateway.operations("/ambassador/v0/diag/style.css").status_code == 200
        assert gateway.operations("/ambassador/v0/check_alive").status_code == 200
        assert gateway.operations("/ambassador/v0/check_ready").status_code == 200
    assert page.status_code == 200 and "<script" not in page.text
    assert facts["ready"] and facts["authorizer"] == "none"
    assert [(r["name"], r["match"], r["hits"]) for r in facts["routes"]] == [
        ("a", "prefix /a", 1), ("rest", "prefix /", 0)]
    cluster, = facts["clusters"]
    assert cluster["service"] == upstream.url
    assert cluster["endpoints"][0]["healthy"] and cluster["endpoints"][0]["requests"] == 1
    assert {listener["serves"] for listener in facts["listeners"]} == {"gateway", "operations"}


def test_tcp_connections_are_counted_and_logged(upstream, tmp_path):
    good, bad, gone = free_port(), free_port(), free_port()
    path = tmp_path / "access.log"
    tcp = [{"name": "good", "listen": f"127.0.0.1:{good}", "service": upstream.url},
           {"listen": f"127.0.0.1:{bad}", "service": f"http://127.0.0.1:{gone}"}]
    log = {"path": str(path), "form": "json"}
    with GatewayAlone(tmp_path, tcp=tcp, access_log=log) as gateway:
        request = b"GET / HTTP/1.1\r\n\r\n"
        with socket.create_connection(("127.0.0.1", good), SECONDS) as client:
            client.sendall(request)
            answer = client.recv(65536)
        with (pytest.raises(ConnectionError),
              socket.create_connection(("127.0.0.1", bad), SECONDS) as client):
            client.recv(1)
        eventually(lambda: gateway.metric("gatehouse_tcp_connections_total") == 2)
        connections = "gatehouse_tcp_connections_total"
        assert gateway.metric(connections, route="good", outcome="ok") == 1
        assert gateway.metric(connections, route=f"127.0.0.1:{bad}", outcome="upstream_connect") == 1
        transferred = "gatehouse_tcp_bytes_total"
        assert gateway.metric(transferred, route="good", direction="received") == len(request)
        assert gateway.metric(transferred, route="good", direction="sent") == len(answer)
    lines = {line["route"]: line for line in map(json.loads, path.read_text().splitlines())}
    served, failed = lines["good"], lines[f"127.0.0.1:{bad}"]
    assert served["protocol"] == "tcp" and served["client"] == "127.0.0.1"
    assert served["upstream"] == upstream.url.removeprefix("http://")
    assert served["received"] == len(request) and "failure" not in served
    assert failed["failure"] == "upstream_connect" and failed["reason"]


def test_the_log_names_every_address_once_all_are_open(upstream, tmp_path):
    tcp, second = free_port(), free_port()
    gateway = GatewayAlone(tmp_path, tcp=[{"listen": f"127.0.0.1:{tcp}", "service": upstream.url}])
    gateway.role.arguments += ["--listen", f":{gateway.port},127.0.0.1:{second}"]
    with gateway:
        pass
    assert (f"ready on http://[::]:{gateway.port}, http://127.0.0.1:{second}, tcp://127.0.0.1:{tcp}; "
            f"operations on http://127.0.0.1:{gateway.operations_port}\n") in gateway.log.read_text()


def test_every_metric_is_documented(upstream, tmp_path):
    documented = (pathlib.Path(__file__).parents[2] / "docs/observability.md").read_text()
    with GatewayAlone(tmp_path) as gateway:
        names = re.findall(r"(?m)^# TYPE (\w+)", gateway.operations("/metrics").text)
    assert names and [name for name in names if f"`{name}`" not in documented] == []
