"""How services are found by the names that routes and Ambassador's objects give them: a gateway that
asks a name server with the search list of a pod, and services at addresses of their own."""

import contextlib

import pytest
from gateway_alone import GatewayAlone, Service, answer, eventually, mapping, module
from name_server import NameServer
from ports import free_port
from wire import Client

CLUSTER = "svc.cluster.local"
# The gateway's own namespace is "default".
SERVICES = {"quote.default": "127.0.0.2", "quote.team": "127.0.0.3", "judge.team": "127.0.0.4"}


class Cluster:
    """Services that say their names, all at one port, and the name server that knows them."""

    def __init__(self) -> None:
        self.port = free_port()
        self.services = {name: Service(answer(name), host=address, port=self.port)
                         for name, address in SERVICES.items()}
        self.names = NameServer({f"{name}.{CLUSTER}": address for name, address in SERVICES.items()})

    def __enter__(self) -> "Cluster":
        self.parts = contextlib.ExitStack()
        for part in (self.names, *self.services.values()):
            self.parts.enter_context(part)
        return self

    def __exit__(self, *_) -> None:
        self.parts.close()

    def gateway(self, folder, *settings, pod: str = "default", **more) -> GatewayAlone:
        """One whose pod is in the namespace `pod`."""
        gateway = GatewayAlone(folder, *settings, **more)
        gateway.role.before = self.names.before(
            folder, f"{pod}.{CLUSTER}", CLUSTER, CLUSTER.removeprefix("svc."))
        return gateway


@pytest.fixture(scope="module")
def cluster():
    with Cluster() as running:
        yield running


def in_namespace(namespace: str, manifest: dict) -> dict:
    return manifest | {"metadata": manifest["metadata"] | {"namespace": namespace}}


NAMES = {
    # name: (namespace of the Mapping; None: a route of the file), its service, who is reached
    "its own namespace": ("team", "quote:PORT", "quote.team"),
    "its own, with a scheme": ("team", "http://quote:PORT", "quote.team"),
    "its own, named": ("team", "quote.team:PORT", "quote.team"),
    "another": ("team", "quote.default:PORT", "quote.default"),
    "another, with a scheme": ("team", "http://quote.default:PORT", "quote.default"),
    "another, in capitals": ("team", "Quote.Default:PORT", "quote.default"),
    "another, below svc": ("team", "quote.default.svc:PORT", "quote.default"),
    "another, in full": ("team", f"quote.default.{CLUSTER}:PORT", "quote.default"),
    "another, in full and rooted": ("team", f"quote.default.{CLUSTER}.:PORT", "quote.default"),
    "the gateway's": ("default", "quote:PORT", "quote.default"),
    "out of the gateway's": ("default", "quote.team:PORT", "quote.team"),
    "nowhere": ("team", "nobody:PORT", None),
    "only in the gateway's": ("elsewhere", "quote:PORT", None),
    "an address": ("team", "127.0.0.3:PORT", "quote.team"),
    "the file": (None, "http://quote:PORT", "quote.default"),
    "the file, another": (None, "http://quote.team:PORT", "quote.team"),
    "the file, nowhere": (None, "http://nobody.team:PORT", None),
}


@pytest.fixture(scope="module")
def resolving(cluster, tmp_path_factory):
    """A route for each of NAMES, under its number."""
    routes, manifests = [], []
    for number, (namespace, service, _) in enumerate(NAMES.values()):
        service = service.replace("PORT", str(cluster.port))
        if namespace is None:
            routes.append({"prefix": f"/{number}", "service": service})
        else:
            manifests.append(in_namespace(namespace, mapping(f"m{number}", f"/{number}", service)))
    with cluster.gateway(tmp_path_factory.mktemp("names"), routes, manifests) as gateway:
        yield gateway


@pytest.mark.parametrize("name", NAMES)
def test_a_service_is_looked_for_in_the_namespace_that_it_names_or_its_mapping_s(resolving, name):
    reached = NAMES[name][2]
    got = resolving.get(f"/{list(NAMES).index(name)}")
    if reached is None:
        assert got.status_code == 503
    else:
        assert (got.status_code, got.text) == (200, reached)


@pytest.mark.parametrize("how", ["file", "ambassador-s-variable"])
def test_the_gateway_may_run_in_any_namespace(cluster, tmp_path, monkeypatch, how):
    settings = {"ambassador_namespace": "team"} if how == "file" else {}
    if how == "ambassador-s-variable":
        monkeypatch.setenv("AMBASSADOR_NAMESPACE", "team")
    manifests = [in_namespace(namespace, mapping(namespace, f"/{namespace}", f"quote:{cluster.port}"))
                 for namespace in ("default", "team")]
    unsaid = mapping("unsaid", "/unsaid", f"quote:{cluster.port}")
    del unsaid["metadata"]["namespace"]
    with cluster.gateway(tmp_path, [], [*manifests, unsaid], pod="team", **settings) as gateway:
        said = {name: gateway.get(f"/{name}").text for name in ("default", "team", "unsaid")}
        assert said == {"default": "quote.default", "team": "quote.team", "unsaid": "quote.team"}


def test_a_module_has_services_looked_for_where_the_gateway_is(cluster, tmp_path):
    manifests = [
        module(use_ambassador_namespace_for_service_resolution=True),
        in_namespace("team", mapping("bare", "/bare", f"quote:{cluster.port}")),
        in_namespace("default", mapping("named", "/named", f"quote.team:{cluster.port}"))]
    with cluster.gateway(tmp_path, [], manifests) as gateway:
        assert gateway.get("/bare").text == "quote.default"
        assert gateway.get("/named").text == "quote.team"


@pytest.mark.parametrize("service", ["judge:PORT", "judge.team:PORT"])
def test_an_auth_service_is_looked_for_in_its_own_namespace(cluster, tmp_path, service):
    auth = {"apiVersion": "getambassador.io/v3alpha1", "kind": "AuthService",
            "metadata": {"name": "auth", "namespace": "team"},
            "spec": {"auth_service": service.replace("PORT", str(cluster.port)),
                     "allowed_authorization_headers": ["x-user"]}}
    judge, quote = cluster.services["judge.team"], cluster.services["quote.default"]
    judge.answer = answer("", x_user="alice")
    with cluster.gateway(tmp_path, [], [auth, mapping("m", "/", f"quote:{cluster.port}")]) as gateway:
        assert gateway.get("/").text == "quote.default"
    assert quote.last.get("x-user") == "alice"


def test_a_tcp_mapping_is_looked_for_in_its_own_namespace(cluster, tmp_path):
    port = free_port()
    tcp = {"apiVersion": "getambassador.io/v3alpha1", "kind": "TCPMapping",
           "metadata": {"name": "tcp", "namespace": "team"},
           "spec": {"port": port, "service": f"quote:{cluster.port}"}}
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    with cluster.gateway(tmp_path, [], [tcp]), Client(port, request) as client:
        assert client.answer().body == b"quote.team"


def test_a_service_that_moves_is_found_at_its_new_address(cluster, tmp_path):
    """When what the name server said has run out; it says for how long."""
    cluster.names.seconds = 1
    cluster.names.names["moving.team.svc.cluster.local"] = SERVICES["quote.default"]
    route = {"service": f"http://moving.team:{cluster.port}", "respect_dns_ttl": True}
    with cluster.gateway(tmp_path, [route]) as gateway:
        assert gateway.get("/").text == "quote.default"
        cluster.names.names["moving.team.svc.cluster.local"] = SERVICES["quote.team"]
        eventually(lambda: gateway.get("/").text == "quote.team")
