"""How many questions to an authorizer may be under way: one that is over is not put, and its request
is denied at once, as if the authorizer had failed."""

import contextlib
import threading

import pytest
from gateway_alone import SECONDS, GatewayAlone, Service, answer, eventually, mapping, module
from grpc_authorizer import GrpcAuthorizer, allow
from wire import Client

LIMIT = 2


class HttpJudge(Service):
    """Allows, when it is let, what asks for /held; all else at once."""

    def __init__(self) -> None:
        super().__init__(self._judge)
        self.let = threading.Event()

    def __exit__(self, *_) -> None:
        self.let.set()
        super().__exit__()

    def _judge(self, request) -> bytes:
        if request.target == "/held":
            self.let.wait(SECONDS)
        return answer("", kubeflow_userid="alice")

    @property
    def asked(self) -> list[str]:
        return [seen.target for seen in self.seen]


class GrpcJudge(GrpcAuthorizer):
    """The same over gRPC."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()
        self.answer = self._judge

    def __exit__(self, *_) -> None:
        self.let.set()
        super().__exit__()

    def _judge(self, request, _):
        if request.attributes.request.http.path == "/held":
            self.let.wait(SECONDS)
        return allow({"kubeflow-userid": "alice"})

    @property
    def asked(self) -> list[str]:
        return [request.attributes.request.http.path for request in self.requests]


JUDGES = {"http": HttpJudge, "grpc": GrpcJudge}
PROTOCOLS = pytest.mark.parametrize("protocol", JUDGES)
FORMS = pytest.mark.parametrize("form", ["file", "manifest"])


@contextlib.contextmanager
def guarded(folder, form: str, protocol: str, service: Service, breakers: dict,
            defaults: dict | None = None, **more):
    """A gateway in front of the service, and the authorizer that it asks."""
    with JUDGES[protocol]() as judge:
        routes, manifests, settings = [], [], {}
        if form == "file":
            routes = [{"service": service.url}]
            settings = {"authorizer": {
                "kind": protocol, "url": judge.url, "allowed_authorization_headers": ["kubeflow-userid"],
                "circuit_breakers": {name.removeprefix("max_"): n for name, n in breakers.items()},
                **more}}
        else:
            spec = {"auth_service": judge.url, "proto": protocol,
                    "allowed_authorization_headers": ["kubeflow-userid"],
                    **({"circuit_breakers": [breakers]} if breakers else {}), **more}
            manifests = [{"apiVersion": "getambassador.io/v3alpha1", "kind": "AuthService",
                          "metadata": {"name": "auth", "namespace": "default"}, "spec": spec},
                         mapping("m", "/", service.url, rewrite="")]
            manifests += [module(**defaults)] if defaults else []
        with GatewayAlone(folder, routes, manifests, **settings) as gateway:
            yield gateway, judge


@PROTOCOLS
@FORMS
@pytest.mark.parametrize("status", [None, 429], ids=["usual", "status_on_error"])
def test_a_question_too_many_is_denied_at_once(service, pool, tmp_path, form, protocol, status):
    says = {} if status is None else {
        "status_on_error": status if form == "file" else {"code": status}}
    usual = 503 if form == "file" else 403
    with guarded(tmp_path, form, protocol, service, {"max_requests": LIMIT}, **says) as (gateway, judge):
        held = [pool.submit(gateway.get, "/held") for _ in range(LIMIT)]
        eventually(lambda: len(judge.asked) == LIMIT)
        assert gateway.metric("gatehouse_authorizer_under_way") == LIMIT
        over = [gateway.get("/over") for _ in range(3)]
        assert [got.status_code for got in over] == [status or usual] * 3
        assert not any(h.done() for h in held) and service.seen == []
        judge.let.set()
        assert [h.result().text for h in held] == ["ok"] * LIMIT
        assert gateway.get("/behind").text == "ok"
        assert judge.asked == ["/held"] * LIMIT + ["/behind"]
        assert gateway.metric("gatehouse_authorizer_over_limit_total") == 3
        assert gateway.metric("gatehouse_authorizer_verdicts_total", verdict="failed") == 3
        assert gateway.metric("gatehouse_authorizer_verdicts_total", verdict="allowed") == LIMIT + 1
        assert gateway.metric("gatehouse_authorizer_under_way") == 0
    assert [seen.target for seen in service.seen] == ["/held"] * LIMIT + ["/behind"]
    assert {seen.get("kubeflow-userid") for seen in service.seen} == {"alice"}


@PROTOCOLS
@FORMS
def test_who_is_let_pass_when_the_authorizer_fails_is_nobody_when_it_is_not_asked(
        service, pool, tmp_path, form, protocol):
    with guarded(tmp_path, form, protocol, service, {"max_requests": LIMIT},
                 failure_mode_allow=True) as (gateway, judge):
        held = [pool.submit(gateway.get, "/held") for _ in range(LIMIT)]
        eventually(lambda: len(judge.asked) == LIMIT)
        assert gateway.get("/over", headers={"Kubeflow-UserId": "root"}).status_code == 200
        assert (service.last.target, service.last.get("kubeflow-userid")) == ("/over", None)
        assert gateway.metric("gatehouse_authorizer_over_limit_total") == 1
        assert gateway.metric("gatehouse_authorizer_verdicts_total", verdict="let_pass") == 1
        judge.let.set()
        assert [h.result().status_code for h in held] == [200] * LIMIT


@FORMS
def test_a_client_that_goes_gives_its_place_back(service, tmp_path, form):
    with guarded(tmp_path, form, "http", service, {"max_requests": 1}) as (gateway, judge):
        with Client(gateway.port, b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n"):
            eventually(lambda: judge.asked == ["/held"])
            assert gateway.get("/over").status_code >= 400
        eventually(lambda: gateway.metric("gatehouse_authorizer_under_way") == 0)
        assert gateway.get("/behind").text == "ok"


def test_a_module_s_breakers_hold_for_an_auth_service_that_says_nothing(service, pool, tmp_path):
    with guarded(tmp_path, "manifest", "http", service, {},
                 {"circuit_breakers": [{"max_requests": 1}]}) as (gateway, judge):
        held = pool.submit(gateway.get, "/held")
        eventually(lambda: judge.asked == ["/held"])
        assert gateway.get("/over").status_code == 403
        judge.let.set()
        assert held.result().text == "ok"


@PROTOCOLS
def test_connections_to_an_authorizer_are_limited(service, pool, tmp_path, protocol):
    """Who finds none free is denied, or asks by one that is there, as over gRPC."""
    with guarded(tmp_path, "manifest", protocol, service, {"max_connections": LIMIT}) as (gateway, judge):
        asking = [pool.submit(gateway.get, "/held") for _ in range(LIMIT * 2)]
        eventually(lambda: len(judge.asked) + sum(a.done() for a in asking) == LIMIT * 2)
        judge.let.set()
        statuses = [a.result().status_code for a in asking]
        assert set(statuses) <= {200, 403} and statuses.count(200) == len(judge.asked) >= LIMIT
        if protocol == "http":
            assert judge.connections == LIMIT
    assert len(service.seen) == statuses.count(200)
