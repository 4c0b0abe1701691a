"""What the gateway does to requests and answers on their way: CORS, header fields, errors, limits,
compression, gRPC-Web, copies for a shadow, and the line of the access log."""

import base64
import concurrent.futures
import contextlib
import datetime
import gzip
import json
import re
import socket
import struct
import subprocess
import threading

import grpc
import pytest
import requests
from certificates import make_certificate
from gateway_alone import (SECONDS, GatewayAlone, Service, allow_by_name, answer, asking,
                           eventually, mapping, module)
from wire import Client

FORMS = pytest.mark.parametrize("form", ["file", "mapping"])


def parts(form: str, file: dict, spec: dict, service: Service) -> tuple[list, list]:
    """One route, for / if it does not say another prefix: as a file has it, or as a Mapping."""
    if form == "file":
        return [{"name": "r", "service": service.url, **file}], []
    return [], [mapping("r", **{"prefix": "/", "service": service.url, **spec})]


@pytest.fixture
def other():
    with Service() as one:
        yield one


@pytest.fixture
def authorizer():
    """Lets pass whoever says a name."""
    with Service(allow_by_name) as one:
        yield one


# --- CORS ---

CORS = {"origins": ["https://a.test", "https://*.b.test"], "methods": ["GET", "PUT"],
        "headers": ["X-A", "X-B"], "exposed_headers": ["X-C"], "credentials": True}
PREFLIGHT = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-a"}


def cors_fields(answer: requests.Response) -> dict:
    fields = {name.lower(): value for name, value in answer.headers.items()}
    return {name: value for name, value in fields.items() if name.startswith("access-control-")}


@FORMS
def test_a_preflight_is_answered_before_anybody_is_asked(service, authorizer, tmp_path, form):
    routes = parts(form, {"cors": {**CORS, "max_age": "10m"}}, {"cors": {**CORS, "max_age": "600"}},
                   service)
    with GatewayAlone(tmp_path, *routes, authorizer=asking(authorizer)) as gateway:
        for origin in ("https://a.test", "https://x.b.test"):
            got = gateway.request("OPTIONS", "/x", headers={"Origin": origin, **PREFLIGHT})
            assert got.status_code in (200, 204) and not got.content
            assert cors_fields(got) == {
                "access-control-allow-origin": origin,
                "access-control-allow-credentials": "true",
                "access-control-allow-methods": "GET, PUT",
                "access-control-allow-headers": "X-A, X-B",
                "access-control-max-age": "600"}
            assert "Origin" in got.headers["Vary"]
    assert service.seen == [] and authorizer.seen == []


OTHERS = ["https://evil.test", "http://a.test", "https://b.test", "https://a.test.evil.test",
          "https://evil.test/.b.test", "https://xb.test", "null"]


@FORMS
def test_other_origins_are_told_nothing(service, tmp_path, form):
    with GatewayAlone(tmp_path, *parts(form, {"cors": CORS}, {"cors": CORS}, service)) as gateway:
        for origin in OTHERS:
            service.answer = answer(Access_Control_Allow_Origin=origin,
                                    Access_Control_Allow_Credentials="true")
            preflight = gateway.request("OPTIONS", "/", headers={"Origin": origin, **PREFLIGHT})
            actual = gateway.get("/", headers={"Origin": origin})
            assert cors_fields(preflight) == cors_fields(actual) == {}, origin
            assert "Origin" in actual.headers["Vary"]


@FORMS
def test_an_actual_request_of_another_origin(service, authorizer, tmp_path, form):
    service.answer = answer(Access_Control_Allow_Origin="*", Access_Control_Allow_Methods="DELETE",
                            Vary="Cookie")
    routes = parts(form, {"cors": CORS}, {"cors": CORS}, service)
    with GatewayAlone(tmp_path, *routes, authorizer=asking(authorizer)) as gateway:
        expected = {"access-control-allow-origin": "https://a.test",
                    "access-control-allow-credentials": "true",
                    "access-control-expose-headers": "X-C"}
        got = gateway.get("/", headers={"Origin": "https://a.test", "x-name": "alice"})
        assert (got.text, cors_fields(got)) == ("ok", expected)
        assert got.headers["Vary"] == "Cookie, Origin"
        refused = gateway.get("/", headers={"Origin": "https://a.test"})
        assert (refused.status_code, cors_fields(refused)) == (403, expected)
        plain_options = gateway.request("OPTIONS", "/", headers={"x-name": "alice"})
        assert plain_options.text == "ok"  # no preflight: the service's affair
        assert service.last.method == "OPTIONS"


@FORMS
def test_every_origin_may_read_where_that_is_said(service, tmp_path, form):
    cors = {"origins": ["*"], "methods": ["GET"]}
    with GatewayAlone(tmp_path, *parts(form, {"cors": cors}, {"cors": cors}, service)) as gateway:
        got = gateway.get("/", headers={"Origin": "https://any.test"})
        assert cors_fields(got) == {"access-control-allow-origin": "*"}


# --- header fields ---

@FORMS
def test_request_headers_are_added_and_removed(service, tmp_path, form):
    edits = {"add_request_headers": {"X-Set": "new", "X-Fresh": "v"},
             "remove_request_headers": ["X-Gone"]}
    if form == "file":
        edits["add_request_headers"] = [
            {"name": "X-Set", "value": "new"}, {"name": "X-Fresh", "value": "v"},
            {"name": "X-More", "value": "more", "append": True}]
    else:
        edits["add_request_headers"]["X-Set"] = {"value": "new", "append": False}
        edits["add_request_headers"]["X-More"] = {"value": "more", "append": True}
    with GatewayAlone(tmp_path, *parts(form, edits, edits, service)) as gateway:
        gateway.get("/", headers={"x-set": "old", "X-MORE": "some", "x-gone": "1", "x_gone": "2",
                                  "x-stays": "3"})
    seen = service.last
    assert seen.all("x-set") == ["new"] and seen.all("x-fresh") == ["v"]
    assert seen.all("x-more") == ["some", "more"] and seen.all("x-stays") == ["3"]
    assert "gone" not in str(seen.fields)  # under any spelling


@FORMS
def test_response_headers_are_added_and_removed(service, tmp_path, form):
    service.answer = answer(X_Set="old", X_More="some", Server="secret/1", X_Stays="3")
    edits = {"add_response_headers": {"X-Set": "new", "X-More": {"value": "more", "append": True}},
             "remove_response_headers": ["server"]}
    file = {**edits, "add_response_headers": [
        {"name": "X-Set", "value": "new"}, {"name": "X-More", "value": "more", "append": True}]}
    spec = {**edits, "add_response_headers": {
        **edits["add_response_headers"], "X-Set": {"value": "new", "append": False}}}
    with GatewayAlone(tmp_path, *parts(form, file, spec, service)) as gateway:
        got = gateway.get("/").raw.headers
        assert got.getlist("x-set") == ["new"] and got.getlist("x-more") == ["some", "more"]
        assert got["x-stays"] == "3" and "server" not in got
        service.answer = None
        assert gateway.get("/").headers["X-Set"] == "new"  # the gateway's own errors too


def all_operators(port: int) -> dict[str, tuple[str, str]]:
    """Of each operator an example, and what it has to give as a regular expression."""
    return {
        "method": ("%REQ(:METHOD)%", "GET"),
        "path": ("%REQ(:PATH)%", "/a/b"),
        "authority": ("%REQ(:AUTHORITY)%", f"localhost:{port}"),
        "scheme": ("%REQ(:SCHEME)%", "https"),
        "field": ("<%REQ(X-A)%>", "<abcdef>"),
        "cut": ("%REQ(X-A):3%", "abc"),
        "other": ("%REQ(X-None?X-A)%", "abcdef"),
        "client": ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "192\\.0\\.2\\.9"),
        "client-port": ("%DOWNSTREAM_REMOTE_ADDRESS%", "192\\.0\\.2\\.9:0"),
        "peer": ("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%", "127\\.0\\.0\\.1"),
        "peer-port": ("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%", "127\\.0\\.0\\.1:[1-9]\\d*"),
        "local-port": ("%DOWNSTREAM_LOCAL_PORT%", str(port)),
        "tls": ("%DOWNSTREAM_TLS_VERSION%", "TLSv1\\.3"),
        "subject": ("%DOWNSTREAM_PEER_SUBJECT%", ".*CN ?= ?localhost.*"),
        "sni": ("%REQUESTED_SERVER_NAME%", "localhost"),
        "protocol": ("%PROTOCOL%", "HTTP/1\\.1"),
        "route": ("%ROUTE_NAME%", "r"),
        "host": ("%HOSTNAME%", re.escape(socket.gethostname())),
        "percent": ("100%%", "100%"),
    }


def answer_operators(service: Service) -> dict[str, tuple[str, str]]:
    """Those that need an answer."""
    return {
        "status": ("%RESPONSE_CODE%", "200"),
        "details": ("%RESPONSE_CODE_DETAILS%", "-?"),
        "flags": ("%RESPONSE_FLAGS%", "-"),
        "answer-field": ("%RESP(X-B)%", "from-service"),
        "upstream": ("%UPSTREAM_HOST%", f"127\\.0\\.0\\.1:{service.port}"),
        "cluster": ("%UPSTREAM_CLUSTER%", re.escape(service.url)),
    }


def log_operators() -> dict[str, tuple[str, str]]:
    """Those that need the end of the exchange."""
    return {
        "trailer": ("%TRAILER(SERVER-TIMING)%", "at-the-end"),
        "received": ("%BYTES_RECEIVED%", "0"),
        "sent": ("%BYTES_SENT%", "5"),
        "duration": ("%DURATION%", "\\d+"),
        "answer-duration": ("%RESPONSE_DURATION%", "\\d+"),
        "start": ("%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%", "20\\d\\d-\\d\\d-\\d\\dT.*\\.\\d{3}Z"),
        "start-seconds": ("%START_TIME(%s)%", "1\\d{9}|2\\d{9}"),
    }


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost")


def test_every_operator_in_header_values_and_in_the_access_log(service, tls, tmp_path):
    service.answer = (b"HTTP/1.1 200 OK\r\nX-B: from-service\r\nTransfer-Encoding: chunked\r\n\r\n"
                      b"5\r\nhello\r\n0\r\nServer-Timing: at-the-end\r\n\r\n")
    log = tmp_path / "access.log"
    gateway = GatewayAlone(tmp_path, [], tls=tls, trusted_proxies=["127.0.0.1"])
    asked = all_operators(gateway.port)
    answered = {**asked, **answer_operators(service)}
    logged = {**answered, **log_operators()}
    gateway.settings["listen"][0]["tls"] |= {"client_ca": str(tls), "client_required": True}
    gateway.settings["access_log"] = {"path": str(log), "format": "|".join(
        f"{name}={operator}" for name, (operator, _) in logged.items())}
    gateway.settings["routes"] = [{
        "name": "r", "service": service.url,
        "add_request_headers": {f"O-{k}": v for k, (v, _) in asked.items()},
        "add_response_headers": {f"O-{k}": v for k, (v, _) in answered.items()}}]
    gateway.write()
    with gateway:
        got = requests.get(f"https://localhost:{gateway.port}/a/b?code=secret", verify=str(tls),
                           cert=(str(tls.certificate), str(tls.key)), timeout=SECONDS,
                           headers={"X-A": "abcdef", "X-Forwarded-For": "192.0.2.9"})
        assert got.text == "hello"
    wrong = {}
    line = dict(part.split("=", 1) for part in log.read_text().splitlines()[-1].split("|"))
    for place, fields, operators in (
            ("request", dict(service.last.fields), asked),
            ("answer", {k.lower(): v for k, v in got.headers.items()}, answered),
            ("log", line, logged)):
        for name, (_, pattern) in operators.items():
            value = fields.get(name if place == "log" else f"o-{name}".lower())
            if name == "path" and place != "log":
                pattern += "\\?code=secret"  # a header may hold the query, a log line not
            if not re.fullmatch(pattern, value or ""):
                wrong[place, name] = value
    assert not wrong, wrong


FLAGS = {"NR": "/none", "UF": "/down", "UT": "/slow", "UPE": "/garbage", "UAEX": "/denied",
         "RL": "/limited", "UO": "/full"}


def test_the_access_log_says_why_an_answer_is_the_gateway_s_own(service, authorizer, tmp_path):
    log = tmp_path / "access.log"
    hold = threading.Event()

    def reply(request):
        if request.target in ("/slow", "/full/first"):
            hold.wait(SECONDS)
        return b"garbage\r\n\r\n" if request.target == "/garbage" else answer()

    service.answer = reply
    open_to_all = {"service": service.url, "authenticate": False}
    limit = {"key": "all", "requests": 1, "period": "1h"}
    routes = [
        {"prefix": "/down", "service": "http://127.0.0.1:1", "authenticate": False},
        {"prefix": "/slow", "timeout": "100ms", **open_to_all},
        {"prefix": "/garbage", **open_to_all},
        {"prefix": "/denied", "service": service.url},
        {"prefix": "/limited", **open_to_all, "rate_limits": [limit]},
        {"prefix": "/full", **open_to_all, "circuit_breakers": {"requests": 1}},
    ]
    with GatewayAlone(tmp_path, routes, authorizer=asking(authorizer), access_log={
            "path": str(log), "format": "%REQ(:PATH)% %RESPONSE_FLAGS%"}) as gateway, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        gateway.get("/limited")
        first = pool.submit(gateway.get, "/full/first")
        eventually(lambda: any(r.target == "/full/first" for r in service.seen))
        for path in FLAGS.values():
            assert gateway.get(path).status_code >= 400, path
        hold.set()
        assert first.result().status_code == 200
    lines = [line.split(" ") for line in log.read_text().splitlines()]
    assert dict(lines[1:]) == {**{path: flags for flags, path in FLAGS.items()}, "/full/first": "-"}
    assert lines[0] == ["/limited", "-"]


def test_values_that_come_in_cannot_break_a_header_or_a_log_line(service, tmp_path):
    log = tmp_path / "access.log"
    routes = [{"service": service.url, "add_request_headers": {"X-Copy": "%REQ(X-A)%"}}]
    with GatewayAlone(tmp_path, routes, access_log={
            "path": str(log), "format": "[%REQ(X-A)%] [%REQ(COOKIE)%]"}) as gateway:
        gateway.raw(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: s=1\r\n"
                    b"X-A: \"q\" |\t\\\r\n\r\n")
    assert service.last.get("X-Copy") == '"q" |\t\\'
    assert log.read_text() == '[\\"q\\" |\\x09\\\\] [-]\n'


@pytest.mark.parametrize("value", ["%NOTHING%", "%REQ(COOKIE)%", "100%", "%REQ(a b)%"])
def test_a_header_value_that_cannot_be_is_refused(tmp_path, value):
    gateway = GatewayAlone(tmp_path, [{"service": "http://a", "add_request_headers": {"X": value}}])
    with pytest.raises(AssertionError, match="ended with 3"):
        gateway.role.start()


# --- what is sent instead of errors ---

def overrides(form: str, folder) -> dict:
    """A text, JSON and a file for 404, 503 and 403."""
    page = folder / "page.html"
    page.write_text("<p style='width: 100%'>%REQ(X-A)%</p>")
    if form == "file":
        return {"error_overrides": [
            {"status": 404, "text": "no %REQ(:PATH)% (%RESPONSE_CODE%)"},
            {"status": 503, "json": {"status": "%RESPONSE_CODE%", "say": "\"%REQ(X-A)%\""}},
            {"status": 403, "file": str(page)}]}
    return {"error_response_overrides": [
        {"on_status_code": 404, "body": {"text_format": "no %REQ(:PATH)% (%RESPONSE_CODE%)"}},
        {"on_status_code": 503, "body": {"json_format": {"status": "%RESPONSE_CODE%",
                                                         "say": "\"%REQ(X-A)%\""}}},
        {"on_status_code": 403, "body": {"content_type": "text/html; charset=utf-8",
                                         "text_format_source": {"filename": str(page)}}}]}


@FORMS
def test_error_overrides(service, authorizer, tmp_path, form):
    service.answer = answer("<b>theirs</b>", "404 Not Found", Content_Type="text/html", ETag='"x"',
                            Content_Encoding="br", X_Kept="1")
    given = overrides(form, tmp_path)
    routes = parts(form, given, given, service)
    with GatewayAlone(tmp_path, *routes, authorizer=asking(authorizer)) as gateway:
        alice = {"x-name": "alice", "x-a": "<&\"'>"}
        got = gateway.get("/x", headers=alice)
        assert (got.status_code, got.text) == (404, "no /x (404)")
        assert got.headers["Content-Type"].startswith("text/plain") and got.headers["X-Kept"] == "1"
        assert "ETag" not in got.headers and "Content-Encoding" not in got.headers
        head = gateway.request("HEAD", "/x", headers=alice)
        assert (head.content, head.headers["Content-Length"]) == (b"", str(len("no /x (404)")))
        service.answer = answer("theirs", "503 Service Unavailable")
        got = gateway.get("/x", headers=alice)
        assert got.headers["Content-Type"] == "application/json"
        assert json.loads(got.text) == {"status": 503, "say": "\"<&\"'>\""}
        denied = gateway.get("/x", headers={"x-a": "<&\"'>"})
        assert denied.status_code == 403 and "theirs" not in denied.text
        assert denied.text == "<p style='width: 100%'>&lt;&amp;&quot;&#39;&gt;</p>"
        service.answer = answer("fine")
        assert gateway.get("/x", headers=alice).text == "fine"
        service.answer = answer("theirs", "500 Internal Server Error")
        assert gateway.get("/x", headers=alice).text == "theirs"


def test_the_gateway_s_own_overrides_stand_behind_the_route_s(service, tmp_path):
    service.answer = answer("theirs", "404 Not Found")
    both = [{"status": 404, "text": "gateway's 404"}, {"status": 503, "text": "gateway's 503"}]
    routes = [
        {"prefix": "/own", "service": service.url,
         "error_overrides": [{"status": 404, "text": "route's"}]},
        {"prefix": "/bypass", "service": service.url, "bypass_error_overrides": True},
        {"prefix": "/down", "service": "http://127.0.0.1:1"}]
    manifests = [mapping("bypass", "/m-bypass", service.url, bypass_error_response_overrides=True)]
    with GatewayAlone(tmp_path, routes, manifests, error_overrides=both) as gateway:
        assert {path: gateway.get(path).text for path in
                ("/own", "/bypass", "/m-bypass", "/down", "/no-route")} == {
            "/own": "route's", "/bypass": "theirs", "/m-bypass": "theirs",
            "/down": "gateway's 503", "/no-route": "gateway's 404"}


def test_a_module_s_error_response_overrides(service, tmp_path):
    service.answer = answer("theirs", "404 Not Found")
    manifests = [mapping("r", "/", service.url), module(error_response_overrides=[
        {"on_status_code": 404, "body": {"text_format": "the module's"}}])]
    with GatewayAlone(tmp_path, [], manifests) as gateway:
        got = gateway.get("/")
        assert (got.status_code, got.text) == (404, "the module's")


# --- rate limits ---

LIMITS = {
    # key: who shares a limit with whom; each is a list of header fields
    "address": ([{"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.1", "x-name": "b"}],
                {"X-Forwarded-For": "192.0.2.2"}),
    "user": ([{"x-name": "alice"}, {"x-name": "alice", "X-Forwarded-For": "192.0.2.2"}],
             {"x-name": "bob"}),
    "token": ([{"Authorization": "Bearer t1"}, {"Authorization": "bearer  t1"}],
              {"Authorization": "Bearer t2"}),
    "header:x-team": ([{"x-team": "red"}, {"X-Team": "red", "x-name": "b"}], {"x-team": "blue"}),
    "all": ([{"x-name": "alice"}, {"X-Forwarded-For": "192.0.2.3"}], None),
}


@pytest.mark.parametrize("place", ["route", "gateway"])
@pytest.mark.parametrize("key", LIMITS)
def test_rate_limits(service, authorizer, tmp_path, key, place):
    same, other = LIMITS[key]
    limits = [{"key": key, "requests": 2, "period": "1h"}]
    routes = [{"prefix": "/", "service": service.url,
               **({"rate_limits": limits} if place == "route" else {})}]
    gateway = GatewayAlone(tmp_path, routes, threads=2, trusted_proxies=["127.0.0.1"],
                           authorizer=asking(authorizer),
                           **({"rate_limits": limits} if place == "gateway" else {}))
    with gateway:
        for headers in same:
            assert gateway.get("/", headers={"x-name": "any", **headers}).status_code == 200
        over = gateway.get("/", headers={"x-name": "any", **same[0]})
        assert over.status_code == 429
        assert 1 <= int(over.headers["Retry-After"]) <= 1800  # one of two in an hour
        assert "request_id" in over.json()
        before = len(service.seen)
        if other:
            assert gateway.get("/", headers={"x-name": "any", **other}).status_code == 200
            before += 1
        assert len(service.seen) == before
        # A reload gives nobody a new allowance.
        gateway.settings["routes"].append({"prefix": "/new", "service": service.url})
        gateway.write()
        gateway.hang_up()
        eventually(lambda: len(gateway.diagnosis()["routes"]) == 2)
        assert gateway.get("/", headers={"x-name": "any", **same[0]}).status_code == 429


def test_who_is_over_the_limit_costs_the_authorizer_nothing(service, authorizer, tmp_path):
    routes = [{"service": service.url, "rate_limits": [
        {"key": "address", "requests": 5, "burst": 1, "period": "1h"}]}]
    with GatewayAlone(tmp_path, routes, authorizer=asking(authorizer)) as gateway:
        assert [gateway.get("/").status_code for _ in range(4)] == [403, 429, 429, 429]
    assert len(authorizer.seen) == 1 and service.seen == []


# --- compression ---

PAGE = "".join(f"<li>line {i}</li>\n" for i in range(2000))
ETAG = '"v1"'


@pytest.fixture(scope="module")
def compressing(tmp_path_factory):
    """The gateway and what it compresses for."""
    with Service() as service, GatewayAlone(
            tmp_path_factory.mktemp("compression"), [{"service": service.url}],
            compression={"algorithms": ["br", "zstd", "gzip"], "min_bytes": "100"}) as gateway:
        yield gateway, service


def curl(gateway, accepted: str, *words: str) -> tuple[dict[str, str], str]:
    """Header fields and the decoded body, as curl has them."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--include", "--compressed", "--max-time",
         str(SECONDS), "--header", f"Accept-Encoding: {accepted}", *words, gateway.url + "/"],
        capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    head, _, body = done.stdout.decode().replace("\r\n", "\n").partition("\n\n")
    fields = dict(line.split(": ", 1) for line in head.split("\n")[1:])
    return {k.lower(): v for k, v in fields.items()}, body


@pytest.mark.parametrize("accepted, coding", [
    ("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip, br, zstd", "br"),
    ("gzip, zstd", "zstd"), ("gzip;q=1.0, br;q=0.5", "gzip"), ("br;q=0, gzip", "gzip"),
    ("*", "br"), ("*;q=0", None), ("identity", None), ("deflate", None), ("gzip;q=0", None),
    ("x-gzip", "gzip"), ("identity;q=1, gzip;q=0.5", None)])
@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_answers_are_compressed_as_the_client_accepts(compressing, accepted, coding, version):
    gateway, service = compressing
    service.answer = answer(PAGE, Content_Type="text/html", ETag=ETAG, Accept_Ranges="bytes")
    fields, body = curl(gateway, accepted, version)
    assert body == PAGE
    assert fields.get("content-encoding") == coding
    assert "accept-encoding" in fields["vary"].lower()
    if coding:
        assert fields["etag"] == f"W/{ETAG}"
        assert "content-length" not in fields or int(fields["content-length"]) < len(PAGE)
        assert "accept-ranges" not in fields
    else:
        assert (fields["etag"], fields["content-length"]) == (ETAG, str(len(PAGE)))


AS_THEY_ARE = {
    "compressed already": answer(gzip.compress(PAGE.encode()), Content_Type="text/html",
                                 Content_Encoding="gzip", ETag=ETAG),
    "no-transform": answer(PAGE, Content_Type="text/html", Cache_Control="public, no-transform"),
    "an image": answer(PAGE, Content_Type="image/png"),
    "short": answer("x" * 99, Content_Type="text/html"),
    "events": answer(PAGE, Content_Type="text/event-stream"),
    "a range": answer(PAGE, "206 Partial Content", Content_Type="text/html",
                      Content_Range="bytes 0-9/10"),
    "without a type": answer(PAGE),
}


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_what_is_not_compressed(compressing, name):
    gateway, service = compressing
    service.answer = AS_THEY_ARE[name]
    head, _, body = service.answer.partition(b"\r\n\r\n")
    got = gateway.raw(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\n"
                      b"Connection: close\r\n\r\n")
    assert got.partition(b"\r\n\r\n")[2] == body
    for field in head.split(b"\r\n")[1:]:
        assert field.lower() in got.lower()


def test_head_says_what_get_would_without_a_body(compressing):
    gateway, service = compressing
    service.answer = answer(PAGE, Content_Type="text/html", ETag=ETAG)
    whole = service.answer
    service.answer = lambda request: (whole if request.method == "GET"
                                      else whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    asked = b"%s / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    head = gateway.raw(asked % b"HEAD")
    assert head.startswith(b"HTTP/1.1 200 ") and head.endswith(b"\r\n\r\n")
    assert b"accept-encoding" in head.lower()
    # RFC 9110, section 8.6: the length is that of GET's answer or is not said.
    get = gateway.raw(asked % b"GET")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length is None or int(length[1]) == len(get.partition(b"\r\n\r\n")[2])


def test_a_compressed_stream_passes_as_it_comes(compressing):
    gateway, service = compressing
    first = "first " * 100
    more = threading.Event()

    def stream(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n%s\r\n" % (len(first), first.encode()))
        assert more.wait(SECONDS)
        connection.sendall(b"4\r\nlast\r\n0\r\n\r\n")

    service.script = stream
    try:
        with gateway.get("/", headers={"Accept-Encoding": "gzip"}, stream=True) as got:
            assert got.headers["Content-Encoding"] == "gzip"
            pieces = got.iter_content(None)
            text = b""
            while len(text) < len(first):
                text += next(pieces)
            assert text.decode() == first and not more.is_set()
            more.set()
            assert b"".join(pieces) == b"last"
    finally:
        more.set()
        service.script = None


@FORMS
def test_the_types_that_are_compressed_can_be_chosen(service, tmp_path, form):
    settings = {"algorithms": ["gzip"], "content_types": ["application/x-own"], "min_bytes": 10}
    gzip_of_module = module(gzip={"content_type": ["application/x-own"], "min_content_length": 10})
    routes = parts(form, {}, {}, service)
    if form == "mapping":
        routes[1].append(gzip_of_module)
    more = {"compression": settings} if form == "file" else {}
    with GatewayAlone(tmp_path, *routes, **more) as gateway:
        for content_type, coding in (("application/x-own; a=b", "gzip"), ("text/html", None)):
            service.answer = answer(PAGE, Content_Type=content_type)
            got = gateway.get("/", headers={"Accept-Encoding": "gzip"})
            assert (got.headers.get("Content-Encoding"), got.text) == (coding, PAGE)


# --- gRPC-Web ---

def frame(message: bytes, flags: int = 0) -> bytes:
    return struct.pack(">BI", flags, len(message)) + message


def frames(body: bytes) -> list[tuple[int, bytes]]:
    out = []
    while body:
        flags, size = struct.unpack(">BI", body[:5])
        out.append((flags, body[5:5 + size]))
        body = body[5 + size:]
    return out


class Words(grpc.GenericRpcHandler):
    """Answers each message of any bytes with the same twice; `/w.Words/Fail` fails."""

    def __init__(self):
        self.metadata = []

    def service(self, call):
        self.metadata.append(dict(call.invocation_metadata))

        def twice(message, context):
            if call.method.endswith("/Fail"):
                context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
            context.send_initial_metadata([("x-first", "1")])
            context.set_trailing_metadata([("x-last", "2")])
            yield message
            yield message
        return grpc.unary_stream_rpc_method_handler(twice)


@pytest.fixture
def words():
    handler = Words()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((handler,))
    handler.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield handler
    server.stop(None).wait()


@pytest.fixture(params=["file", "mapping"])
def grpc_web(request, words, tmp_path):
    file = [{"service": words.url, "grpc": True}]
    manifests = [mapping("w", "/", words.url, grpc=True, rewrite=""), module(enable_grpc_web=True)]
    served = (GatewayAlone(tmp_path, file, grpc_web=True) if request.param == "file"
              else GatewayAlone(tmp_path, [], manifests))
    with served as gateway:
        yield gateway


def trailers_of(message: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in message.decode().split("\r\n")[:-1])


@pytest.mark.parametrize("text", [False, True], ids=["binary", "text"])
def test_grpc_web(grpc_web, words, text):
    body = frame(b"hello")
    kind = "application/grpc-web-text+proto" if text else "application/grpc-web+proto"
    got = grpc_web.request("POST", "/w.Words/Twice",
                           headers={"Content-Type": kind, "X-Grpc-Web": "1", "x-me": "alice"},
                           data=base64.b64encode(body) if text else body)
    assert (got.status_code, got.headers["Content-Type"]) == (200, kind)
    assert got.headers["x-first"] == "1"
    content = decode_base64_pieces(got.content) if text else got.content
    *messages, (flags, last) = frames(content)
    assert messages == [(0, b"hello"), (0, b"hello")]
    assert flags == 0x80
    trailers = trailers_of(last)
    assert (trailers["grpc-status"], trailers["x-last"]) == ("0", "2")
    assert words.metadata[-1]["x-me"] == "alice" and "x-grpc-web" not in words.metadata[-1]


def decode_base64_pieces(text: bytes) -> bytes:
    """Each piece may be padded for itself."""
    return b"".join(base64.b64decode(piece) for piece in re.findall(rb"[^=]+=*", text))


def test_a_grpc_web_call_that_fails(grpc_web):
    got = grpc_web.request("POST", "/w.Words/Fail", data=frame(b"hello"),
                           headers={"Content-Type": "application/grpc-web+proto"})
    told = {**got.headers, **(trailers_of(frames(got.content)[-1][1]) if got.content else {})}
    assert (told["grpc-status"], told["grpc-message"]) == ("5", "no such thing")


def test_grpc_web_text_that_is_no_base64(grpc_web):
    got = grpc_web.request("POST", "/w.Words/Twice", data=b"@@@@",
                           headers={"Content-Type": "application/grpc-web-text"})
    assert got.status_code >= 400 or got.headers.get("grpc-status") not in (None, "0")


# --- copies for a shadow ---

SHADOWS = {
    "answers": answer("the shadow's", X_Shadow="1"),
    "fails": answer("", "500 Internal Server Error"),
    "garbage": b"nonsense\r\n\r\n",
    "cuts": lambda request: None,
}


@FORMS
@pytest.mark.parametrize("reply", SHADOWS.values(), ids=SHADOWS)
def test_a_shadow_gets_a_copy_and_its_answer_is_dropped(service, other, tmp_path, form, reply):
    other.answer = reply
    routes = [{"name": "main", "service": service.url},
              {"name": "copy", "service": other.url, "shadow": True}]
    manifests = [mapping("main", "/", service.url, rewrite=""),
                 mapping("copy", "/", other.url, shadow=True, rewrite="")]
    given = (routes, []) if form == "file" else ([], manifests)
    with GatewayAlone(tmp_path, *given) as gateway:
        got = gateway.request("POST", "/x?y", data=b"body", headers={
            "Host": "gateway.test:80", "Cookie": "a=b", "Authorization": "Bearer t",
            "X-A": "1", "kubeflow-userid": "root"})
        assert got.text == "ok" and "X-Shadow" not in got.headers
        copy = eventually(lambda: other.seen and other.last)
    assert (copy.line, copy.body) == ("POST /x?y HTTP/1.1", b"body")
    assert copy.get("Host") == "gateway.test-shadow:80" and copy.get("X-A") == "1"
    for name in ("Cookie", "Authorization", "kubeflow-userid"):
        assert copy.get(name) is None
    assert service.last.get("Authorization") == "Bearer t" and service.last.get("Cookie") == "a=b"


def test_a_shadow_gets_a_body_that_comes_behind_its_head(service, other, tmp_path):
    routes = [{"name": "main", "service": service.url},
              {"name": "copy", "service": other.url, "shadow": True}]
    with GatewayAlone(tmp_path, routes) as gateway, Client(gateway.port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                    b"Expect: 100-continue\r\n\r\n")
        assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        client.send(b"body")
        assert client.answer().body == b"ok"
        assert eventually(lambda: other.seen and other.last).body == b"body"


def test_a_shadow_that_is_down_or_never_answers_holds_nobody_up(service, other, tmp_path):
    release = threading.Event()
    other.answer = lambda request: release.wait(SECONDS) and None
    routes = [{"name": "main", "service": service.url},
              {"name": "slow", "service": other.url, "shadow": True},
              {"name": "down", "service": "http://127.0.0.1:1", "shadow": True}]
    try:
        with GatewayAlone(tmp_path, routes) as gateway:
            assert [gateway.get("/").text for _ in range(5)] == ["ok"] * 5
            eventually(lambda: len(other.seen) == 5)
            release.set()
    finally:
        release.set()


def test_a_shadow_may_get_a_share_or_nothing(service, other, tmp_path):
    routes = [{"name": "main", "service": service.url},
              {"name": "none", "service": other.url, "shadow": True, "weight": 0}]
    with GatewayAlone(tmp_path, routes) as gateway:
        assert [gateway.get("/").text for _ in range(20)] == ["ok"] * 20
    assert other.seen == []


# --- what is let in at all ---

def test_http_10_is_answered_in_its_own_way(service, tmp_path):
    service.answer = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      b"5\r\nhello\r\n0\r\n\r\n")
    with GatewayAlone(tmp_path, [{"service": service.url}]) as gateway:
        got = gateway.raw(b"GET /x HTTP/1.0\r\nHost: a\r\n\r\n")
        assert got.endswith(b"\r\n\r\nhello") and b"chunked" not in got.lower()
        service.answer = answer("kept")
        two = gateway.raw(b"GET /1 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
                          b"GET /2 HTTP/1.0\r\nHost: a\r\n\r\n")
        assert two.count(b"\r\n\r\nkept") == 2 and b"keep-alive" in two.lower()


@FORMS
def test_http_10_can_be_refused(service, tmp_path, form):
    routes = parts(form, {}, {}, service)
    if form == "mapping":
        routes[1].append(module(enable_http10=False))
    with GatewayAlone(tmp_path, *routes,
                      **({"http10": False} if form == "file" else {})) as gateway:
        assert gateway.raw(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n").startswith(b"HTTP/1.1 426 ")
        assert gateway.get("/").text == "ok"
    assert len(service.seen) == 1


@FORMS
@pytest.mark.parametrize("merge", [True, False])
def test_runs_of_slashes(service, tmp_path, form, merge):
    routes = parts(form, {"prefix": "/a"}, {"prefix": "/a", "rewrite": ""}, service)
    if form == "mapping":
        routes[1].append(module(merge_slashes=merge))
    with GatewayAlone(tmp_path, *routes,
                      **({"merge_slashes": merge} if form == "file" else {})) as gateway:
        got = gateway.raw(b"GET //a///b?c//d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    if merge:
        assert got.startswith(b"HTTP/1.1 200 ") and service.last.target == "/a/b?c//d"
    else:
        assert got.startswith(b"HTTP/1.1 400 ") and service.seen == []


@FORMS
def test_the_longest_body(service, tmp_path, form):
    routes = parts(form, {}, {}, service)
    if form == "mapping":
        routes[1].append(module(buffer={"max_request_bytes": 10}))
    with GatewayAlone(tmp_path, *routes,
                      **({"limits": {"body_bytes": 10}} if form == "file" else {})) as gateway:
        assert gateway.request("POST", "/", data=b"x" * 10).text == "ok"
        assert gateway.request("POST", "/", data=b"x" * 11).status_code == 413
        waiting = (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n"
                   b"Connection: close\r\n\r\n")
        assert gateway.raw(waiting).startswith(b"HTTP/1.1 413 ")  # before the body is asked for
        assert len(service.seen) == 1

        def pieces():
            for _ in range(11):
                yield b"x"
        assert gateway.request("POST", "/", data=pieces()).status_code == 413
        assert gateway.request("POST", "/", data=iter([b"x" * 10])).text == "ok"
    assert [seen.body for seen in service.seen] == [b"x" * 10] * 2  # never one that is cut


def test_a_body_that_comes_too_slowly_is_cut(service, tmp_path):
    limits = {"body_idle_timeout": "200ms", "body_bytes_per_second": "100KiB"}
    with GatewayAlone(tmp_path, [{"service": service.url}], limits=limits) as gateway, \
            Client(gateway.port) as client:
        client.send(b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        ended = threading.Event()

        def drip():
            with contextlib.suppress(OSError):
                while not ended.wait(0.02):  # never a pause as long as body_idle_timeout
                    client.send(b"x")
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            got = client.answer()
        finally:
            ended.set()
            thread.join()
        assert got.status == 408 and got.closes
        assert service.seen == []


def test_addresses(service, tmp_path):
    """With one proxy in front that is trusted."""
    listen_with_hop = {"trusted_proxies": ["127.0.0.1"]}
    rules = {"ip_allow": ["192.0.2.0/24", "2001:db8::/32"], "ip_deny": ["192.0.2.66"]}
    with GatewayAlone(tmp_path, [{"service": service.url}], **listen_with_hop, **rules) as gateway:
        for address, status in (("192.0.2.1", 200), ("2001:db8::1", 200), ("192.0.2.66", 403),
                                ("198.51.100.1", 403), ("::ffff:192.0.2.66", 403),
                                ("192.0.2.1, 198.51.100.1", 403), ("junk", 403)):
            got = gateway.get("/", headers={"X-Forwarded-For": address})
            assert got.status_code == status, address
        assert gateway.get("/").status_code == 403


def test_a_module_s_addresses(service, tmp_path):
    manifests = [mapping("r", "/", service.url), module(ip_deny=[{"remote": "127.0.0.1"}])]
    with GatewayAlone(tmp_path, [], manifests) as gateway:
        assert gateway.get("/").status_code == 403
    assert service.seen == []


@pytest.mark.parametrize("keep", [True, False])
def test_request_ids(service, tmp_path, keep):
    with GatewayAlone(tmp_path, [{"service": service.url}], keep_request_id=keep,
                      trusted_proxies=["127.0.0.1"]) as gateway:
        gateway.get("/", headers={"X-Request-Id": "from-a-proxy"})
        kept = service.last.get("X-Request-Id")
        gateway.get("/")
        fresh = service.last.get("X-Request-Id")
    assert (kept == "from-a-proxy") is keep and kept != fresh and len(fresh) >= 8


@FORMS
def test_the_server_s_name(service, tmp_path, form):
    service.answer = answer(Server="secret/1")
    routes = parts(form, {}, {}, service)
    if form == "mapping":
        routes[1].append(module(server_name="front"))
    with GatewayAlone(tmp_path, *routes,
                      **({"server_name": "front"} if form == "file" else {})) as gateway:
        assert gateway.get("/").headers["Server"] == "front"


@pytest.mark.parametrize("trust", [{"trusted_proxies": ["127.0.0.1"]}, {"trusted_hops": 1}],
                         ids=["by-address", "by-hops"])
@pytest.mark.parametrize("form", ["text", "json", "own"])
def test_the_access_log_names_the_client_behind_proxies(service, tmp_path, trust, form):
    log = tmp_path / "access.log"
    gateway = GatewayAlone(tmp_path, [{"service": service.url, "add_request_headers": {
        "X-Client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}}])
    place = gateway.settings if "trusted_proxies" in trust else gateway.settings["listen"][0]
    place |= trust
    gateway.settings["access_log"] = {"path": str(log), "form": "text" if form == "own" else form}
    if form == "own":
        gateway.settings["access_log"]["format"] = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
    gateway.write()
    with gateway:
        gateway.get("/", headers={"X-Forwarded-For": "192.0.2.9"})
    assert service.last.get("X-Client") == "192.0.2.9"
    assert {"text": 'client="192.0.2.9"', "json": '"client":"192.0.2.9"',
            "own": "192.0.2.9\n"}[form] in log.read_text()


def test_json_lines_of_the_access_log(service, tmp_path):
    log = tmp_path / "access.log"
    with GatewayAlone(tmp_path, [{"name": "r", "service": service.url}],
                      access_log={"path": str(log), "form": "json"}) as gateway:
        gateway.request("POST", "/a?token=secret", data=b"body", headers={"Host": "a.test"})
    line = json.loads(log.read_text())
    told = datetime.datetime.fromisoformat(line.pop("time"))
    assert abs(told - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=5)
    assert line.pop("request_id") and line.pop("answer_us") <= line.pop("total_us")
    assert line == {"method": "POST", "host": "a.test", "path": "/a", "client": "127.0.0.1",
                    "route": "r", "upstream": f"127.0.0.1:{service.port}", "status": 200,
                    "received": 4, "sent": 2, "complete": True}
