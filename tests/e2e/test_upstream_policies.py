"""How the gateway deals with services: retries, time-outs, breakers, health, the choice of an
address, TLS, HTTP/2, gRPC, WebSockets and streams."""

import base64
import collections
import concurrent.futures
import contextlib
import hashlib
import itertools
import json
import queue
import socket
import ssl
import threading
import time

import grpc
import h2.config
import h2.connection
import h2.events
import pytest
import requests
import yaml_text
from certificates import make_certificate
from gateway_alone import (SECONDS, GatewayAlone, Request, Service, answer, eventually, mapping,
                           module)
from http2_service import Http2Service, say_ok
from upstreams import RawUpstream
from wire import Client

FORMS = pytest.mark.parametrize("form", ["file", "mapping"])


def parts(form: str, url: str, file: dict, spec: dict | None = None) -> tuple[list, list]:
    """One route for / as a file says it, or as a Mapping does."""
    if form == "file":
        return [{"name": "r", "service": url, **file}], []
    return [], [mapping("r", "/", url, **{"rewrite": "", **(file if spec is None else spec)})]


@pytest.fixture
def hold():
    """An event that answers may wait for; it is set at the end."""
    event = threading.Event()
    yield event
    event.set()


class Pair:
    """A service named localhost, at 127.0.0.1 and at ::1; each says which of them it is."""

    def __init__(self) -> None:
        self.four = Service(answer("four"))
        self.six = Service(answer("six"), host="::1", port=self.four.port)
        self.url = f"http://localhost:{self.four.port}"

    def __enter__(self) -> "Pair":
        self.four.__enter__()
        self.six.__enter__()
        return self

    def __exit__(self, *_) -> None:
        self.four.__exit__()
        self.six.__exit__()


@pytest.fixture
def pair():
    with Pair() as both:
        yield both


def places(gateway: GatewayAlone) -> set[str]:
    """Where some requests come to; in turn they would come to both."""
    return {gateway.get("/").text for _ in range(6)}


# --- retries ---

# Each on a connection of its own: what fails on a kept one is a case for itself.
OK = answer("ok", Connection="close")
STATUS = {status: answer("", f"{status} Any", Connection="close")
          for status in (404, 409, 418, 500, 502, 503)}
CUT = None
RETRIES = {
    # name: (file, spec of retry_policy, answers in turn, status in the end, requests that came)
    "none": (None, None, [STATUS[503], OK], 503, 1),
    "none, cut": (None, None, [CUT, OK], 503, 1),
    "5xx": ({"on": ["5xx"]}, {"retry_on": "5xx"}, [STATUS[500], OK], 200, 2),
    "5xx, cut": ({"on": ["5xx"]}, {"retry_on": "5xx"}, [CUT, OK], 200, 2),
    "5xx, fine": ({"on": ["5xx"]}, {"retry_on": "5xx"}, [STATUS[404], OK], 404, 1),
    "gateway-error": ({"on": ["gateway-error"]}, {"retry_on": "gateway-error"},
                      [STATUS[502], OK], 200, 2),
    "gateway-error, 500": ({"on": ["gateway-error"]}, {"retry_on": "gateway-error"},
                           [STATUS[500], OK], 500, 1),
    "reset": ({"on": ["reset"]}, {"retry_on": "reset"}, [CUT, OK], 200, 2),
    "reset, 503": ({"on": ["reset"]}, {"retry_on": "reset"}, [STATUS[503], OK], 503, 1),
    "connect-failure, cut": ({"on": ["connect-failure"]}, {"retry_on": "connect-failure"},
                             [CUT, OK], 503, 1),
    "retriable-4xx": ({"on": ["retriable-4xx"]}, {"retry_on": "retriable-4xx"},
                      [STATUS[409], OK], 200, 2),
    "retriable-4xx, 404": ({"on": ["retriable-4xx"]}, {"retry_on": "retriable-4xx"},
                           [STATUS[404], OK], 404, 1),
    "one retry": ({"on": ["5xx"]}, {"retry_on": "5xx"}, [STATUS[503]] * 3, 503, 2),
    "three retries": ({"on": ["5xx"], "retries": 3}, {"retry_on": "5xx", "num_retries": 3},
                      [STATUS[503]] * 3 + [OK], 200, 4),
}


@pytest.fixture(scope="module", params=["file", "mapping"])
def retrying(request, tmp_path_factory):
    """A route for each of RETRIES, under its number, and the service of all."""
    with Service() as service:
        routes, manifests = [], []
        for number, (file, spec, *_) in enumerate(RETRIES.values()):
            prefix = f"/{number}"
            if request.param == "file":
                policy = {"retry": file} if file else {}
                routes.append({"prefix": prefix, "service": service.url, **policy})
            else:
                policy = {"retry_policy": spec} if spec else {}
                manifests.append(mapping(f"r{number}", prefix, service.url, rewrite="", **policy))
        folder = tmp_path_factory.mktemp("retries")
        with GatewayAlone(folder, routes, manifests) as gateway:
            yield gateway, service


@pytest.mark.parametrize("name", RETRIES)
def test_what_is_tried_again(retrying, name):
    gateway, service = retrying
    *_, answers, status, count = RETRIES[name]
    replies = iter(answers)
    service.answer = lambda request: next(replies)
    service.seen.clear()
    path = f"/{list(RETRIES).index(name)}/x?y"
    assert gateway.get(path).status_code == status
    assert [seen.line for seen in service.seen] == [f"GET {path} HTTP/1.1"] * count


def test_statuses_of_one_s_own_choice_are_tried_again(service, tmp_path):
    replies = iter([STATUS[418], OK, STATUS[404]])
    service.answer = lambda request: next(replies)
    retry = {"on": ["retriable-status-codes"], "status_codes": [418]}
    with GatewayAlone(tmp_path, [{"service": service.url, "retry": retry}]) as gateway:
        assert [gateway.get("/").status_code for _ in range(2)] == [200, 404]


@pytest.mark.parametrize("waits", [False, True], ids=["with-its-head", "behind-its-head"])
def test_a_short_body_is_sent_again(service, tmp_path, waits):
    replies = iter([STATUS[503], OK])
    service.answer = lambda request: next(replies)
    with GatewayAlone(tmp_path, [{"service": service.url, "retry": {"on": ["5xx"]}}]) as gateway, \
            Client(gateway.port) as client:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
        if waits:
            client.send(head + b"Expect: 100-continue\r\n\r\n")
            assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
            client.send(b"body")
        else:
            client.send(head + b"\r\nbody")
        assert client.answer().status == 200
    assert [seen.body for seen in service.seen] == [b"body", b"body"]


def test_a_body_that_has_gone_by_is_never_sent_again(service, tmp_path):
    service.answer = lambda request: STATUS[503]
    retry = {"on": ["5xx", "reset"], "retries": 5}
    with GatewayAlone(tmp_path, [{"service": service.url, "retry": retry}]) as gateway:
        assert gateway.request("POST", "/", data=iter([b"one", b"two"])).status_code == 503
        service.answer = CUT
        assert gateway.request("POST", "/", data=iter([b"three"])).status_code in (502, 503)
    assert [seen.body for seen in service.seen] == [b"onetwo", b"three"]


@pytest.mark.parametrize("method, count", [("GET", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1)])
def test_a_kept_connection_that_ends_under_a_request(service, tmp_path, method, count):
    """Whether the service has acted on it nobody knows: RFC 9110, section 9.2.2."""
    replies = iter([answer("kept"), CUT, OK])
    service.answer = lambda request: next(replies)
    with GatewayAlone(tmp_path, [{"service": service.url}]) as gateway:
        assert gateway.get("/first").status_code == 200
        status = gateway.request(method, "/second").status_code
    assert [seen.target for seen in service.seen] == ["/first"] + ["/second"] * count
    assert (status == 200) is (count == 2)


def test_a_module_s_defaults_hold_for_mappings_that_say_nothing(service, tmp_path):
    replies = iter([STATUS[500], OK, STATUS[500]])
    service.answer = lambda request: next(replies)
    manifests = [module(retry_policy={"retry_on": "5xx"}, defaults={
                     "httpmapping": {"add_request_headers": {"X-Default": "1"}}}),
                 mapping("usual", "/usual", service.url),
                 mapping("own", "/own", service.url, retry_policy={"retry_on": "gateway-error"})]
    with GatewayAlone(tmp_path, [], manifests) as gateway:
        assert gateway.get("/usual").status_code == 200
        assert gateway.get("/own").status_code == 500
    assert [seen.get("X-Default") for seen in service.seen] == ["1"] * 3


@FORMS
def test_each_try_has_its_own_time_limit(service, hold, tmp_path, form):
    def reply(request):
        if len(service.seen) == 1:
            hold.wait(SECONDS)
        return OK
    service.answer = reply
    routes = parts(
        form, service.url, {"retry": {"on": ["gateway-error"], "per_try_timeout": "100ms"}},
        {"retry_policy": {"retry_on": "gateway-error", "per_try_timeout": "100ms"}})
    with GatewayAlone(tmp_path, *routes) as gateway:
        assert gateway.get("/").status_code == 200
        hold.set()
    assert len(service.seen) == 2


@pytest.mark.parametrize("breaker, at_once", [({"retries": 2}, 2), ({"retries": 0}, 4)],
                         ids=["breaker", "budget"])
def test_retries_cannot_multiply_an_outage(service, hold, pool, tmp_path, breaker, at_once):
    """Of 20 requests that fail together the breaker's number is retried, or 20 %."""
    together = threading.Barrier(20)
    numbers = itertools.count()

    def reply(request):
        if next(numbers) < 20:
            together.wait(SECONDS)
            return STATUS[503]
        hold.wait(SECONDS)
        return OK
    service.answer = reply
    route = {"service": service.url, "retry": {"on": ["5xx"]}, "circuit_breakers": breaker}
    with GatewayAlone(tmp_path, [route]) as gateway:
        asking = [pool.submit(gateway.get, "/") for _ in range(20)]
        eventually(lambda: sum(a.done() for a in asking) == 20 - at_once)
        hold.set()
        statuses = collections.Counter(a.result().status_code for a in asking)
    assert statuses == {503: 20 - at_once, 200: at_once}
    assert len(service.seen) == 20 + at_once


# --- time-outs ---

@FORMS
def test_an_answer_that_takes_too_long(service, hold, tmp_path, form):
    ended = threading.Event()

    def script(connection, request):
        assert connection.recv(1) == b""
        ended.set()
    service.script = script
    routes = parts(form, service.url, {"timeout": "150ms"}, {"timeout_ms": 150})
    with GatewayAlone(tmp_path, *routes) as gateway:
        got = gateway.get("/", headers={"Accept": "application/json"})
        assert got.status_code == 504 and "127.0.0.1" not in got.text
        assert ended.wait(SECONDS)  # the service need not go on


def test_0_is_no_limit_and_streams_have_none(service, hold, pool, tmp_path):
    """While a request with the time-out of the Module ends, these others go on."""
    messages = threading.Event()

    def script(connection, request):
        if request.target == "/ws":
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                               b"Upgrade: websocket\r\nSec-WebSocket-Accept: "
                               + accept_of(request.get("Sec-WebSocket-Key")) + b"\r\n\r\n")
            connection.sendall(connection.recv(100))
        elif request.target == "/events":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nfirst\n")
            hold.wait(SECONDS)
            connection.sendall(b"second\n")
        else:
            hold.wait(SECONDS)
            connection.sendall(answer(Connection="close"))
    service.script = script
    with GrpcService() as rpc:
        rpc.before_answer = lambda: messages.wait(SECONDS)
        manifests = [
            module(cluster_request_timeout_ms=200),
            mapping("usual", "/usual", service.url, rewrite=""),
            mapping("never", "/never", service.url, rewrite="", timeout_ms=0),
            mapping("events", "/events", service.url, rewrite=""),
            mapping("ws", "/ws", service.url, rewrite="", allow_upgrade=["websocket"]),
            mapping("grpc", "/w.Words/", rpc.url, rewrite="", grpc=True)]
        with GatewayAlone(tmp_path, [], manifests) as gateway, open_websocket(gateway) as tunnel, \
                gateway.get("/events", stream=True) as events, rpc.channel(gateway) as channel:
            lines = events.iter_lines()
            assert next(lines) == b"first"
            never = pool.submit(gateway.get, "/never")
            call = channel.unary_unary("/w.Words/Upper").future(b"hello")
            eventually(lambda: rpc.calls and any(s.target == "/never" for s in service.seen))
            assert [gateway.get("/usual").status_code for _ in range(2)] == [504, 504]
            assert not never.done() and not call.done()
            hold.set()
            messages.set()
            assert never.result().text == "ok"
            assert next(lines) == b"second"
            assert call.result(SECONDS) == b"HELLO"
            tunnel.send(b"still here")
            assert tunnel.exactly(10) == b"still here"


@FORMS
def test_a_pause_within_an_answer(service, hold, tmp_path, form):
    def script(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun")
        hold.wait(SECONDS)
    service.script = script
    routes = parts(form, service.url, {"idle_timeout": "150ms"}, {"idle_timeout_ms": 150})
    with GatewayAlone(tmp_path, *routes) as gateway:
        with pytest.raises(requests.RequestException):  # it never looks complete
            gateway.get("/")


@FORMS
def test_a_service_that_accepts_and_says_nothing(hold, tmp_path, form):
    """Of https, the handshake counts as a part of connecting."""
    with RawUpstream() as silent:
        silent.answer = lambda connection, head: hold.wait(SECONDS)
        routes = parts(form, silent.url.replace("http", "https"), {"connect_timeout": "150ms"},
                       {"connect_timeout_ms": 150})
        with GatewayAlone(tmp_path, *routes) as gateway:
            assert gateway.get("/").status_code in (503, 504)


CONNECTIONS = {
    # name: (file, spec, connections that two requests take)
    "kept": ({}, {}, 1),
    "for ever": ({"pool_idle_timeout": "0s"}, {"cluster_idle_timeout_ms": 0}, 1),
    "short-lived": ({"connection_lifetime": "1ms"}, {"cluster_max_connection_lifetime_ms": 1}, 2),
}


@FORMS
@pytest.mark.parametrize("name", CONNECTIONS)
def test_connections_are_used_again(service, tmp_path, form, name):
    file, spec, count = CONNECTIONS[name]
    with GatewayAlone(tmp_path, *parts(form, service.url, file, spec)) as gateway:
        assert gateway.get("/").text == "ok"
        time.sleep(0.02)  # longer than the short lifetime, by the gateway's clock too
        assert gateway.get("/").text == "ok"
        assert service.connections == count


@FORMS
def test_an_idle_connection_ends(service, tmp_path, form):
    routes = parts(form, service.url, {"pool_idle_timeout": "50ms"},
                   {"cluster_idle_timeout_ms": 50})
    with GatewayAlone(tmp_path, *routes) as gateway:
        gateway.get("/")
        eventually(lambda: service.closed == 1)
        assert gateway.get("/").text == "ok"


# --- circuit breakers ---

@FORMS
def test_requests_over_a_breaker_are_refused_at_once(service, hold, pool, tmp_path, form):
    service.answer = lambda request: hold.wait(SECONDS) and OK
    routes = parts(form, service.url, {"circuit_breakers": {"requests": 2}},
                   {"circuit_breakers": [{"max_requests": 2}]})
    with GatewayAlone(tmp_path, *routes) as gateway:
        held = [pool.submit(gateway.get, "/held") for _ in range(2)]
        eventually(lambda: len(service.seen) == 2)
        assert gateway.get("/over").status_code == 503
        hold.set()
        assert [h.result().text for h in held] == ["ok", "ok"]
        assert gateway.get("/after").text == "ok"
        assert gateway.metric("gatehouse_failures_total", reason="upstream exhausted") == 1
    assert "/over" not in [seen.target for seen in service.seen]


@FORMS
def test_who_finds_all_connections_in_use_waits_for_one(service, hold, pool, tmp_path, form):
    service.answer = lambda request: hold.wait(SECONDS) and OK
    routes = parts(form, service.url,
                   {"circuit_breakers": {"connections": 2, "pending_requests": 1}},
                   {"circuit_breakers": [{"max_connections": 2, "max_pending_requests": 1}]})
    with GatewayAlone(tmp_path, *routes) as gateway:
        held = []
        for n in range(2):
            held.append(pool.submit(gateway.get, "/held"))
            eventually(lambda: len(service.seen) == len(held))
        both = [pool.submit(gateway.get, "/waits") for _ in range(2)]
        done, waits = concurrent.futures.wait(both, SECONDS, concurrent.futures.FIRST_COMPLETED)
        assert [d.result().status_code for d in done] == [503] and len(waits) == 1
        assert [seen.target for seen in service.seen] == ["/held", "/held"]
        hold.set()
        assert [w.result().text for w in [*held, *waits]] == ["ok"] * 3
    assert [seen.target for seen in service.seen] == ["/held", "/held", "/waits"]


def test_the_wait_for_a_connection_ends_with_the_time_out(service, hold, pool, tmp_path):
    service.answer = lambda request: hold.wait(SECONDS) and OK
    shared = {"service": service.url, "circuit_breakers": {"connections": 1}}
    with GatewayAlone(tmp_path, [{**shared, "prefix": "/held"},
                                 {**shared, "timeout": "100ms"}]) as gateway:
        held = pool.submit(gateway.get, "/held")
        eventually(lambda: service.seen)
        assert gateway.get("/waits").status_code == 504
        hold.set()
        assert held.result().text == "ok"
    assert [seen.target for seen in service.seen] == ["/held"]


def test_requests_that_wait_for_a_connection_are_limited(hold, pool, tmp_path):
    with RawUpstream() as silent:
        silent.answer = lambda connection, head: hold.wait(SECONDS)
        route = {"service": silent.url.replace("http", "https"), "protocol": "http1",
                 "connect_timeout": "1s", "circuit_breakers": {"pending_requests": 1}}
        with GatewayAlone(tmp_path, [route]) as gateway:
            waiting = [pool.submit(gateway.get, "/") for _ in range(3)]
            done, _ = concurrent.futures.wait(waiting, SECONDS, concurrent.futures.FIRST_COMPLETED)
            assert all(d.result().status_code == 503 for d in done)
            eventually(lambda: sum(w.done() for w in waiting) >= 2)
            assert sum(w.done() for w in waiting) == 2


# --- which address ---

def test_round_robin(pair, tmp_path):
    with GatewayAlone(tmp_path, [{"service": pair.url}]) as gateway:
        got = [gateway.get("/").text for _ in range(10)]
    assert set(got[0::2]) != set(got[1::2]) and set(got) == {"four", "six"}


@FORMS
def test_least_request(pair, hold, pool, tmp_path, form):
    def held(request):
        if request.target == "/hold":
            hold.wait(SECONDS)
        return answer("six")
    pair.six.answer = held
    pair.four.answer = lambda r: held(r) and answer("four")
    with GatewayAlone(tmp_path, *parts(form, pair.url, {"load_balancer": {
            "policy": "least_request"}})) as gateway:
        busy = pool.submit(gateway.get, "/hold")
        eventually(lambda: pair.four.seen + pair.six.seen)
        idle = "six" if pair.four.seen else "four"
        assert [gateway.get("/").text for _ in range(10)] == [idle] * 10
        hold.set()
        busy.result()


HASHED = {
    # by: (settings, header fields that tell the client numbered n)
    "header": ({"header": "x-user"}, lambda n: {"X-User": f"user-{n}"}),
    "cookie": ({"cookie": "stick"}, lambda n: {"Cookie": f"a=b; stick=value-{n}"}),
    "address": ({"source_ip": True}, lambda n: {"X-Forwarded-For": f"192.0.2.{n}"}),
}


def spec_of(balancer: dict) -> dict:
    """The load_balancer of a Mapping."""
    if "cookie" not in balancer:
        return {"load_balancer": balancer}
    cookie = {"name": balancer["cookie"], "path": balancer.get("cookie_path", "/"),
              "ttl": balancer.get("cookie_ttl", "0s")}
    return {"load_balancer": {"policy": balancer["policy"], "cookie": cookie}}


@FORMS
@pytest.mark.parametrize("policy", ["ring_hash", "maglev"])
@pytest.mark.parametrize("by", HASHED)
def test_who_is_the_same_comes_to_the_same_address(pair, tmp_path, form, policy, by):
    settings, fields = HASHED[by]
    balancer = {"policy": policy, **settings}
    routes = parts(form, pair.url, {"load_balancer": balancer}, spec_of(balancer))
    with GatewayAlone(tmp_path, *routes, threads=2, trusted_proxies=["127.0.0.1"]) as gateway:
        where = {n: {gateway.get("/", headers=fields(n)).text for _ in range(3)} for n in range(20)}
        assert all(len(one) == 1 for one in where.values()), where
        assert set.union(*where.values()) == {"four", "six"}
        pair.six.__exit__()  # only those who were there move
        after = {n: gateway.get("/", headers=fields(n)).text for n in range(20)}
        assert set(after.values()) == {"four"}


@FORMS
def test_a_client_without_the_cookie_is_given_one(pair, tmp_path, form):
    balancer = {"policy": "ring_hash",
                "cookie": "stick", "cookie_path": "/app", "cookie_ttl": "10m"}
    routes = parts(form, pair.url, {"load_balancer": balancer}, spec_of(balancer))
    with GatewayAlone(tmp_path, *routes) as gateway:
        came_to = set()
        for _ in range(20):
            first = gateway.get("/")
            cookie, *attributes = first.headers["Set-Cookie"].split("; ")
            assert cookie.startswith("stick=")
            assert {"Path=/app", "Max-Age=600", "HttpOnly"} <= set(attributes)
            again = gateway.get("/", headers={"Cookie": cookie})
            assert again.text == first.text and "Set-Cookie" not in again.headers
            came_to.add(first.text)
        assert came_to == {"four", "six"}


DNS = {"all": ({}, {}, {"four", "six"}),
       "without IPv6": ({"ipv6": False}, {"enable_ipv6": False}, {"four"}),
       "without IPv4": ({"ipv4": False}, {"enable_ipv4": False}, {"six"})}


@FORMS
@pytest.mark.parametrize("name", DNS)
def test_the_addresses_of_a_name(pair, tmp_path, form, name):
    file, spec, expected = DNS[name]
    with GatewayAlone(tmp_path, *parts(form, pair.url, file, spec)) as gateway:
        assert places(gateway) == expected


@FORMS
def test_one_address_at_a_time(pair, tmp_path, form):
    routes = parts(form, pair.url, {"dns": "logical"}, {"dns_type": "logical_dns"})
    with GatewayAlone(tmp_path, *routes) as gateway:
        assert len(places(gateway)) == 1


def test_an_address_that_is_down_costs_nobody_a_request(pair, tmp_path):
    pair.six.__exit__()
    with GatewayAlone(tmp_path, [{"service": pair.url}]) as gateway:
        assert [gateway.get("/").text for _ in range(10)] == ["four"] * 10
        got = gateway.request("POST", "/", data=iter([b"a", b"b"]))  # not a byte of it had gone
        assert got.text == "four" and pair.four.last.body == b"ab"


# --- outlier detection and health checks ---

@FORMS
def test_an_address_that_fails_is_left_out_for_a_while(pair, tmp_path, form):
    pair.six.answer = STATUS[500]
    file = {"outlier_detection": {"consecutive_5xx": 3, "base_ejection": "300ms", "interval": "1s",
                                  "max_ejection_percent": 50}}
    spec = {"outlier_detection": json.dumps({
        "consecutive_5xx": 3, "base_ejection_time": "300ms", "interval": "1s",
        "max_ejection_percent": 50})}
    with GatewayAlone(tmp_path, *parts(form, pair.url, file, spec)) as gateway:
        got = [gateway.get("/").status_code for _ in range(6)]
        assert got.count(500) == 3  # in turn, the third of them ends it
        pair.six.answer = answer("six")
        eventually(lambda: gateway.get("/").text == "six")


def test_a_manifest_s_durations_may_be_parts_of_a_second(service, tmp_path):
    """As Go and protobuf's JSON write them; a Mapping with another is left out."""
    service.answer = STATUS[503]
    spec = {"retry_policy": {"retry_on": "5xx", "per_try_timeout": "0.25s"},
            "outlier_detection": json.dumps({"interval": "1.500s", "base_ejection_time": "0.5m"})}
    with GatewayAlone(tmp_path, [], [mapping("r", "/", service.url, **spec)]) as gateway:
        assert gateway.get("/").status_code == 503
    assert len(service.seen) == 2


def test_the_last_address_is_not_left_out_for_its_errors_alone(service, tmp_path):
    service.answer = STATUS[500]
    detection = {"consecutive_5xx": 1, "base_ejection": "1h", "max_ejection_percent": 100}
    route = {"service": service.url, "outlier_detection": detection}
    with GatewayAlone(tmp_path, [route]) as gateway:
        assert [gateway.get("/").status_code for _ in range(3)] == [500] * 3
        service.answer = OK
        assert gateway.get("/").text == "ok"


@FORMS
def test_health_checks_over_http(pair, tmp_path, form):
    well = {"six": False}

    def reply(name):
        def of(request):
            if request.target == "/healthz?deep":
                return answer("", "204 No Content" if well.get(name, True) else "200 OK")
            return answer(name)
        return of
    pair.four.answer, pair.six.answer = reply("four"), reply("six")
    file = {"health_checks": [{"path": "/healthz?deep", "host": "health.test", "interval": "40ms",
                               "headers": {"x-check": "1"}, "remove_headers": ["user-agent"],
                               "expected": [{"min": 204, "max": 299}]}]}
    spec = {"health_checks": [{
        "interval": "40ms", "unhealthy_threshold": 2, "healthy_threshold": 1, "health_check": {
            "http": {"path": "/healthz?deep", "hostname": "health.test",
                     "add_request_headers": {"x-check": {"value": "1", "append": False}},
                     "remove_request_headers": ["user-agent"],
                     "expected_statuses": [{"min": 204, "max": 299}]}}}]}
    with GatewayAlone(tmp_path, *parts(form, pair.url, file, spec)) as gateway:
        eventually(lambda: places(gateway) == {"four"})
        check = next(seen for seen in pair.six.seen if seen.target.startswith("/healthz"))
        assert check.get("Host") == "health.test" and check.get("x-check") == "1"
        assert check.get("User-Agent") is None
        well["six"] = True
        eventually(lambda: places(gateway) == {"four", "six"})


@FORMS
def test_health_checks_over_grpc(tmp_path, form):
    with GrpcService() as four, GrpcService(f"[::1]:{four.port}") as six:
        six.health = NOT_SERVING
        url = f"http://localhost:{four.port}"
        file = {"grpc": True, "health_checks": [
            {"kind": "grpc", "grpc_service": "w.Words", "interval": "40ms"}]}
        spec = {"grpc": True, "health_checks": [
            {"interval": "40ms", "health_check": {"grpc": {"upstream_name": "w.Words"}}}]}
        with GatewayAlone(tmp_path, *parts(form, url, file, spec)) as gateway, \
                four.channel(gateway) as channel:
            upper = channel.unary_unary("/w.Words/Upper")

            def calls_at_six() -> int:
                before = len(six.calls)
                assert [upper(b"x", timeout=SECONDS) for _ in range(6)] == [b"X"] * 6
                return len(six.calls) - before
            eventually(lambda: calls_at_six() == 0)
            eventually(lambda: {four.asked_about, six.asked_about} == {b"\x0a\x07w.Words"})
            six.health = SERVING
            eventually(lambda: calls_at_six() == 3)


# --- TLS ---

def server_context(certificate, alpn=(), client_ca=None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(str(client_ca))
    return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Certificates for localhost and for another host; each is its own authority."""
    folder = tmp_path_factory.mktemp("upstream-tls")
    return {name: make_certificate(folder, name) for name in ("localhost", "other.test")}


def secret(name: str, namespace: str = "default", **files) -> dict:
    return {"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": name, "namespace": namespace},
            "data": {key: base64.b64encode(file.read_bytes()).decode()
                     for key, file in files.items()}}


def tls_context(name: str, **spec) -> dict:
    return {"apiVersion": "getambassador.io/v3alpha1", "kind": "TLSContext",
            "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def tls_manifests(certificates, ca: str, **context) -> list[dict]:
    """A TLSContext that trusts one of them, with its Secret."""
    return [secret("ca", **{"ca.crt": certificates[ca].certificate}),
            tls_context("up", ca_secret="ca", **context)]


ORIGINATION = {
    # name: (the service's certificate, whom the route trusts, the name it wants, works)
    "good": ("localhost", "localhost", None, True),
    "another authority": ("localhost", "other.test", None, False),
    "the system's authorities": ("localhost", None, None, False),
    "another host": ("other.test", "other.test", None, False),
    "the name that is asked for": ("other.test", "other.test", "other.test", True),
}


@FORMS
@pytest.mark.parametrize("name", ORIGINATION)
def test_tls_to_a_service_is_verified(service, certificates, tmp_path, form, name):
    its_own, trusted, wanted, works = ORIGINATION[name]
    service.tls = server_context(certificates[its_own])
    asked_for = []
    service.tls.sni_callback = lambda connection, host, context: asked_for.append(host)
    file, spec, manifests = {}, {}, []
    if trusted:
        file["ca_file"] = str(certificates[trusted])
        manifests = tls_manifests(certificates, trusted, **({"sni": wanted} if wanted else {}))
        spec["tls"] = "up"
    if wanted:
        file["tls_server_name"] = wanted
    routes, mappings = parts(form, f"https://localhost:{service.port}", file, spec)
    with GatewayAlone(tmp_path, routes, mappings and mappings + manifests) as gateway:
        got = gateway.get("/")
        assert (got.status_code, got.text == "ok") == (200 if works else 503, works)
    assert set(asked_for) == {wanted or "localhost"}
    assert len(service.seen) == works  # a service that is not the right one sees no request


@FORMS
def test_a_service_that_asks_for_a_certificate(service, certificates, tmp_path, form):
    """By the certificate of its own the gateway is served, without one or by another it is not."""
    own, other = certificates["other.test"], certificates["localhost"]
    service.tls = server_context(certificates["localhost"], client_ca=own)
    shown = {"/with": own, "/without": None, "/wrong": other}
    url = f"https://localhost:{service.port}"
    routes, manifests = [], []
    if form == "file":
        for prefix, certificate in shown.items():
            pair = {"client_certificate": str(certificate.certificate),
                    "client_key": str(certificate.key)} if certificate else {}
            routes.append({"prefix": prefix, "service": url,
                           "ca_file": str(certificates["localhost"]), **pair})
    else:
        manifests = tls_manifests(certificates, "localhost")
        for prefix, certificate in shown.items():
            name = prefix.removeprefix("/")
            secret_of_own = {"secret": name} if certificate else {}
            if certificate:
                manifests.append(secret(name, **{"tls.crt": certificate.certificate,
                                                 "tls.key": certificate.key}))
            manifests += [tls_context(name, ca_secret="ca", **secret_of_own),
                          mapping(name, prefix, url, rewrite="", tls=name)]
    with GatewayAlone(tmp_path, routes, manifests) as gateway:
        assert gateway.get("/with").text == "ok"
        for prefix in ("/without", "/wrong"):
            assert gateway.get(prefix).status_code in (502, 503)
    assert [seen.target for seen in service.seen] == ["/with"]


SECRETS = {
    # where: (its namespace, what the TLSContext calls it, more of that, works)
    "beside it": ("default", "own", {}, True),
    "elsewhere": ("elsewhere", "own.elsewhere", {}, True),
    "elsewhere, the Mapping's own": ("elsewhere", "own", {}, False),
    "with a dot": ("default", "own.crt", {"secret_namespacing": False}, True),
}


@pytest.mark.parametrize("where", SECRETS)
def test_where_the_secret_of_a_client_s_certificate_is(service, certificates, tmp_path, where):
    """One that is not there leaves the Mapping out: never does it do without."""
    namespace, name, more, works = SECRETS[where]
    own = certificates["other.test"]
    service.tls = server_context(certificates["localhost"], client_ca=own)
    of_secret = name if namespace == "default" else name.removesuffix(".elsewhere")
    manifests = [
        secret(of_secret, namespace, **{"tls.crt": own.certificate, "tls.key": own.key}),
        *tls_manifests(certificates, "localhost", secret=name, **more),
        mapping("m", "/", f"https://localhost:{service.port}", tls="up")]
    with GatewayAlone(tmp_path, [], manifests) as gateway:
        assert gateway.get("/").status_code == (200 if works else 404)
    assert len(service.seen) == works


class Asking(Service):
    """Keeps the certificate that is shown on each connection."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[bytes] = []

    def _talk(self, connection: ssl.SSLSocket) -> None:
        self.shown.append(connection.getpeercert(binary_form=True))
        super()._talk(connection)


def test_a_client_s_certificate_is_renewed_by_its_secret(certificates, tmp_path):
    """Kept connections are those of the old one; no request fails meanwhile."""
    old, new = certificates["localhost"], certificates["other.test"]

    def secret_of(certificate) -> dict:
        return secret("own", **{"tls.crt": certificate.certificate, "tls.key": certificate.key})

    def der(certificate) -> bytes:
        return ssl.PEM_cert_to_DER_cert(certificate.certificate.read_text())

    with Asking() as service:
        service.tls = server_context(certificates["localhost"], client_ca=old)
        service.tls.load_verify_locations(str(new))
        manifests = [secret_of(old), *tls_manifests(certificates, "localhost", secret="own"),
                     mapping("m", "/", f"https://localhost:{service.port}", tls="up")]
        with GatewayAlone(tmp_path, [], manifests) as gateway:
            assert [gateway.get("/").text for _ in range(3)] == ["ok"] * 3
            assert service.shown == [der(old)]
            fresh = tmp_path / "fresh"
            fresh.write_text(yaml_text.dump(secret_of(new)))
            fresh.rename(tmp_path / "manifests" / "0.yaml")
            eventually(lambda: gateway.get("/").text == "ok" and len(service.shown) > 1)
            assert service.shown == [der(old), der(new)]


# --- HTTP/2 ---

@FORMS
def test_http2_in_cleartext_by_prior_knowledge(tmp_path, form):
    with Http2Service() as service:
        routes = parts(form, service.url, {"protocol": "http2"}, {"grpc": True})
        with GatewayAlone(tmp_path, *routes) as gateway:
            for number in (1, 2):
                got = gateway.request("POST", f"/a?b={number}", data=b"body",
                                      headers={"Host": "a.test", "X-A": "1"})
                assert (got.text, got.headers["x-stream"]) == ("ok", str(2 * number - 1))
        fields = service.seen[0].fields
        assert fields[":method"] == "POST" and fields[":path"] == "/a?b=1"
        assert fields[":authority"] == "a.test" and fields["x-a"] == "1"
        assert not {"host", "connection", "transfer-encoding"} & set(fields)
        assert service.seen[0].body == b"body"


@pytest.mark.parametrize("offered, protocol, version", [
    (["h2", "http/1.1"], "auto", 2), (["http/1.1"], "auto", 1), ([], "auto", 1),
    (["h2", "http/1.1"], "http1", 1), (["h2"], "http2", 2), (["http/1.1"], "http2", None)])
def test_alpn_chooses_the_protocol(certificates, tmp_path, offered, protocol, version):
    context = server_context(certificates["localhost"], alpn=offered)
    route = {"ca_file": str(certificates["localhost"]), "protocol": protocol}

    class Either(Http2Service):
        """Over HTTP/1.1 where that was chosen."""
        def _serve_connection(self, connection):
            if connection.selected_alpn_protocol() == "h2":
                return super()._serve_connection(connection)
            connection.recv(65536)
            connection.sendall(answer("one", Connection="close"))

    with Either(context) as service, GatewayAlone(tmp_path, [
            {"service": service.url.replace("http://127.0.0.1", "https://localhost"),
             **route}]) as gateway:
        got = gateway.get("/")
        expected = {2: (200, "ok"), 1: (200, "one"), None: (503, got.text)}
        assert (got.status_code, got.text) == expected[version]


def test_a_stream_that_was_refused_is_sent_again_whatever_the_method(tmp_path):
    """RFC 9113, section 8.7."""
    def reply(state, stream, request):
        if request is service.seen[0]:
            state.reset_stream(stream, error_code=7)  # REFUSED_STREAM
        else:
            say_ok(state, stream, request)
    with Http2Service(reply=reply) as service, GatewayAlone(tmp_path, [
            {"service": service.url, "protocol": "http2"}]) as gateway:
        assert gateway.request("POST", "/").text == "ok"
        assert [seen.fields[":method"] for seen in service.seen] == ["POST", "POST"]


def test_a_websocket_to_a_service_over_http2(tmp_path):
    """RFC 8441: an extended CONNECT."""
    def reply(state, stream, request):
        state.send_headers(stream, [(":status", "200")])
    with Http2Service(reply=reply) as service:
        service.settings = {8: 1}  # SETTINGS_ENABLE_CONNECT_PROTOCOL
        with GatewayAlone(tmp_path, [{"service": service.url, "protocol": "http2"}]) as gateway, \
                open_websocket(gateway) as tunnel:
            tunnel.send(b"to and fro")
            assert tunnel.exactly(10) == b"to and fro"
        fields = service.seen[0].fields
        assert (fields[":method"], fields[":protocol"], fields[":path"]) == (
            "CONNECT", "websocket", "/ws")


def http2_client(gateway: GatewayAlone, fields: list[tuple[str, str]], end_stream: bool):
    """A stream of a client over HTTP/2: its socket, h2's state, and the events as they come."""
    connection = socket.create_connection(("127.0.0.1", gateway.port), SECONDS)
    state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    state.initiate_connection()
    connection.sendall(state.data_to_send())

    def events():
        while received := connection.recv(65536):
            happened = state.receive_data(received)
            connection.sendall(state.data_to_send())
            yield from happened

    coming = events()
    next(e for e in coming if isinstance(e, h2.events.RemoteSettingsChanged))
    state.send_headers(1, fields, end_stream)
    connection.sendall(state.data_to_send())
    return connection, state, coming


def test_a_websocket_of_a_client_over_http2(service, tmp_path):
    def script(connection, request):
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                           b"Upgrade: websocket\r\nSec-WebSocket-Accept: "
                           + accept_of(request.get("Sec-WebSocket-Key")) + b"\r\n\r\n")
        connection.sendall(connection.recv(100)[::-1])
    service.script = script
    with GatewayAlone(tmp_path, [{"service": service.url}]) as gateway:
        connection, state, events = http2_client(gateway, [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
            (":path", "/ws"), (":authority", "a.test"), ("sec-websocket-version", "13")], False)
        with connection:
            answered = next(e for e in events if isinstance(e, h2.events.ResponseReceived))
            assert dict(answered.headers)[":status"] == "200"
            state.send_data(1, b"abc")
            connection.sendall(state.data_to_send())
            assert next(e for e in events if isinstance(e, h2.events.DataReceived)).data == b"cba"
    assert service.last.line == "GET /ws HTTP/1.1"
    assert service.last.get("Upgrade") == "websocket"
    assert service.last.get("Connection") == "Upgrade"


# --- WebSockets ---

def accept_of(key: str) -> bytes:
    digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return base64.b64encode(digest)


def handshake(protocol: str = "websocket") -> bytes:
    return (f"GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "\r\n").encode()


@contextlib.contextmanager
def open_websocket(gateway: GatewayAlone):
    """The bytes behind a handshake that went well."""
    with Client(gateway.port, handshake()) as client:
        head = client.until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head  # RFC 6455, section 1.3
        yield client


def echo_upgraded(connection, request: Request) -> None:
    """Takes whatever protocol is asked for, and sends back what comes."""
    accept = b"Sec-WebSocket-Accept: " + accept_of(request.get("Sec-WebSocket-Key") or "") + b"\r\n"
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
                       + request.get("Upgrade").encode() + b"\r\n" + accept + b"\r\n")
    while received := connection.recv(65536):
        connection.sendall(received)


@FORMS
def test_a_websocket_survives_a_change_of_the_configuration(service, tmp_path, form):
    service.script = echo_upgraded
    routes = parts(form, service.url, {}, {"allow_upgrade": ["websocket"]})
    with GatewayAlone(tmp_path, *routes) as gateway, open_websocket(gateway) as tunnel:
        tunnel.send(b"before")
        assert tunnel.exactly(6) == b"before"
        gateway.settings["routes"] = [{"name": "new", "prefix": "/new", "service": service.url}]
        gateway.settings.pop("manifests", None)
        gateway.write()
        gateway.hang_up()
        eventually(lambda: [r["name"] for r in gateway.diagnosis()["routes"]] == ["new"])
        tunnel.send(b"behind")
        assert tunnel.exactly(6) == b"behind"


UPGRADES = {
    # name: (file, spec, protocol, may switch)
    "websocket": ({}, {"allow_upgrade": ["websocket"]}, "websocket", True),
    "old name": ({}, {"use_websocket": True}, "websocket", True),
    "SPDY": ({"upgrades": ["spdy/3.1"]}, {"allow_upgrade": ["spdy/3.1"]}, "SPDY/3.1", True),
    "not allowed": ({"upgrades": []}, {}, "websocket", False),
    "another": ({"upgrades": ["websocket"]}, {"allow_upgrade": ["websocket"]}, "SPDY/3.1", False),
}


@FORMS
@pytest.mark.parametrize("name", UPGRADES)
def test_upgrades(service, tmp_path, form, name):
    file, spec, protocol, allowed = UPGRADES[name]
    service.script = lambda connection, request: (
        echo_upgraded(connection, request) if request.get("Upgrade")
        else connection.sendall(answer("plain", Connection="close")))
    with GatewayAlone(tmp_path, *parts(form, service.url, file, spec)) as gateway, \
            Client(gateway.port, handshake(protocol)) as client:
        if allowed:
            assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
            client.send(b"bytes")
            assert client.exactly(5) == b"bytes"
        else:
            assert client.answer().body == b"plain"
    assert (service.last.get("Upgrade") or "").lower() == (protocol.lower() if allowed else "")


# --- streams ---

def test_server_sent_events_come_one_by_one(service, tmp_path):
    """Over HTTP/1.1 and HTTP/2: the next one is sent when the client has the last."""
    got = [threading.Event() for _ in range(3)]

    def script(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
        for number, event in enumerate(got):
            line = f"data: {number}\n\n".encode()
            connection.sendall(b"%x\r\n%s\r\n" % (len(line), line))
            assert event.wait(SECONDS)
        connection.sendall(b"0\r\n\r\n")
    service.script = script
    compression = {"algorithms": ["gzip"], "min_bytes": 1}
    with GatewayAlone(tmp_path, [{"service": service.url}], compression=compression) as gateway:
        with gateway.get("/", stream=True, headers={"Accept-Encoding": "gzip"}) as answered:
            lines = answered.iter_lines()
            for number, event in enumerate(got):
                assert (next(lines), next(lines)) == (f"data: {number}".encode(), b"")
                event.set()
            assert list(lines) == []
        for event in got:
            event.clear()
        connection, _, events = http2_client(gateway, [
            (":method", "GET"), (":scheme", "http"), (":path", "/"),
            (":authority", "a.test")], True)
        with connection:
            for number, event in enumerate(got):
                data = next(e for e in events if isinstance(e, h2.events.DataReceived))
                assert data.data == f"data: {number}\n\n".encode()
                event.set()


def test_an_upload_arrives_as_it_is_sent(service, tmp_path):
    arrived = [threading.Event() for _ in range(3)]

    class Reading(Service):
        """Reads bodies by itself."""
        def _one(self, connection):
            with connection:
                client = connection.makefile("rb")
                while client.readline() != b"\r\n":
                    pass
                for event in arrived:
                    assert client.readline() == b"5\r\n" and client.read(7) == b"piece\r\n"
                    event.set()
                assert client.readline() == b"0\r\n"
                connection.sendall(answer("all", Connection="close"))

    def pieces():
        for event in arrived:
            yield b"piece"
            assert event.wait(SECONDS)

    with Reading() as reading, GatewayAlone(tmp_path, [{"service": reading.url}]) as gateway:
        assert gateway.request("POST", "/", data=pieces()).text == "all"


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_long_bodies_both_ways(tmp_path, protocol):
    """4 MiB up and down, byte for byte: more than the windows of HTTP/2 hold."""
    body = hashlib.shake_256(b"seed").digest(1 << 20) * 4

    if protocol == "http1":
        with Service(lambda request: answer(request.body)) as service, \
                GatewayAlone(tmp_path, [{"service": service.url}]) as gateway:
            for data in (body, iter([body[:1000], body[1000:]])):
                assert gateway.request("POST", "/", data=data).content == body
        return
    with GrpcService() as rpc, GatewayAlone(tmp_path, [
            {"service": rpc.url, "grpc": True}]) as gateway, rpc.channel(gateway) as channel:
        assert channel.unary_unary("/w.Words/Echo")(body, timeout=SECONDS) == body


# --- gRPC ---

SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class GrpcService(grpc.GenericRpcHandler):
    """Methods of w.Words over any bytes, and grpc.health.v1.Health."""

    def __init__(self, address: str = "127.0.0.1:0") -> None:
        self.calls, self.metadata = [], []
        self.health, self.asked_about, self.remaining = SERVING, None, None
        self.before_answer = lambda: None
        self.waiting, self.cancelled = threading.Event(), threading.Event()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=16),
                                  options=UNLIMITED)
        self.server.add_generic_rpc_handlers((self,))
        self.port = self.server.add_insecure_port(address)
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "GrpcService":
        self.server.start()
        return self

    def __exit__(self, *_) -> None:
        self.server.stop(None).wait()

    @staticmethod
    def channel(gateway: GatewayAlone) -> grpc.Channel:
        return grpc.insecure_channel(f"127.0.0.1:{gateway.port}", options=UNLIMITED)

    def service(self, call):
        if call.method == "/grpc.health.v1.Health/Check":
            return grpc.unary_unary_rpc_method_handler(self._check)
        self.calls.append(call.method)
        self.metadata.append(dict(call.invocation_metadata))
        return {
            "/w.Words/Upper": grpc.unary_unary_rpc_method_handler(self._upper),
            "/w.Words/Echo": grpc.unary_unary_rpc_method_handler(lambda message, _: message),
            "/w.Words/Fail": grpc.unary_unary_rpc_method_handler(self._fail),
            "/w.Words/Talk": grpc.stream_stream_rpc_method_handler(self._talk),
            "/w.Words/Wait": grpc.unary_unary_rpc_method_handler(self._wait),
        }[call.method]

    def _check(self, message, _):
        self.asked_about = message
        return self.health

    def _upper(self, message, context):
        self.before_answer()
        self.remaining = context.time_remaining()
        context.send_initial_metadata([("x-first", "1")])
        context.set_trailing_metadata([("x-last", "2"), ("x-last-bin", b"\x00\xff")])
        return message.upper()

    @staticmethod
    def _fail(_, context):
        context.set_trailing_metadata([("x-why", "so")])
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not like this: ü")

    @staticmethod
    def _talk(messages, _):
        for message in messages:
            yield message.upper()

    def _wait(self, _, context):
        context.add_callback(self.cancelled.set)
        self.waiting.set()
        self.cancelled.wait(SECONDS)
        return b""


@pytest.fixture(params=["file", "mapping"])
def rpc(request, tmp_path):
    """A service, and a channel to it through the gateway."""
    with GrpcService() as service:
        routes = parts(request.param, service.url, {"grpc": True})
        with GatewayAlone(tmp_path, *routes) as gateway, service.channel(gateway) as channel:
            yield service, channel


def test_a_grpc_call_with_its_metadata_and_trailers(rpc):
    service, channel = rpc
    answered, call = channel.unary_unary("/w.Words/Upper").with_call(
        b"hello", timeout=SECONDS, metadata=[("x-me", "alice"), ("x-data-bin", b"\x00\x01")])
    assert answered == b"HELLO" and call.code() is grpc.StatusCode.OK
    assert dict(call.initial_metadata())["x-first"] == "1"
    trailers = dict(call.trailing_metadata())
    assert trailers["x-last"] == "2" and trailers["x-last-bin"] == b"\x00\xff"
    told = service.metadata[-1]
    assert told["x-me"] == "alice" and told["x-data-bin"] == b"\x00\x01"


def test_a_grpc_call_that_fails(rpc):
    _, channel = rpc
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/w.Words/Fail")(b"", timeout=SECONDS)
    assert failed.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert failed.value.details() == "not like this: ü"
    assert dict(failed.value.trailing_metadata())["x-why"] == "so"


def test_grpc_messages_go_to_and_fro_one_by_one(rpc):
    _, channel = rpc
    got = threading.Semaphore(0)

    def messages():
        for number in range(5):
            yield f"message {number}".encode()
            assert got.acquire(timeout=SECONDS)  # the next when the last has come back

    call = channel.stream_stream("/w.Words/Talk")(messages(), timeout=SECONDS)
    for number in range(5):
        assert next(call) == f"MESSAGE {number}".encode()
        got.release()
    assert list(call) == [] and call.code() is grpc.StatusCode.OK


@FORMS
def test_a_grpc_stream_may_be_quiet_for_longer_than_any_other(service, tmp_path, form):
    """While it is quiet, a request without gRPC and an answer without it are cut for that."""
    def script(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun")
        connection.recv(1)
    service.script = script
    limits = {"body_idle_timeout": "150ms"}
    other = {"name": "other", "prefix": "/other", "service": service.url, "idle_timeout": "150ms"}
    with GrpcService() as rpc:
        routes, manifests = parts(form, rpc.url, {"grpc": True}, {"grpc": True})
        if form == "mapping":  # a default that is meant for requests
            manifests.append(module(defaults={"httpmapping": {"idle_timeout_ms": 150}}))
        with GatewayAlone(tmp_path, routes + [other], manifests, limits=limits) as gateway, \
                rpc.channel(gateway) as channel:
            to_say = queue.Queue()
            call = channel.stream_stream("/w.Words/Talk")(iter(to_say.get, None), timeout=SECONDS)
            to_say.put(b"before")
            assert next(call) == b"BEFORE"
            with Client(gateway.port) as slow:
                slow.send(b"POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
                assert slow.answer().status == 408
            with pytest.raises(requests.RequestException):
                gateway.get("/other")
            to_say.put(b"behind")
            assert next(call) == b"BEHIND"
            to_say.put(None)
            assert list(call) == []


def test_a_grpc_call_that_the_client_ends_ends_at_the_service(rpc):
    service, channel = rpc
    call = channel.unary_unary("/w.Words/Wait").future(b"", timeout=SECONDS)
    assert service.waiting.wait(SECONDS)
    call.cancel()
    assert service.cancelled.wait(SECONDS)


def test_a_grpc_deadline_is_told(rpc):
    service, channel = rpc
    channel.unary_unary("/w.Words/Upper")(b"", timeout=SECONDS)
    # Told in a unit that may be rounded up, and counted by another clock.
    assert service.remaining is not None and 0 < service.remaining < SECONDS + 1
