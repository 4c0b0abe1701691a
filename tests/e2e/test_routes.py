"""Routes of a file and Mappings: what they match, which one wins, what they change, how they share."""

import dataclasses

import pytest
from gateway_alone import GatewayAlone, Service, allow_by_name, answer, asking, mapping

HERE = "gateway.test"


@dataclasses.dataclass
class Row:
    """What a route matches, as the file and a Mapping say it (None: one of them cannot)."""
    name: str
    file: dict | None
    spec: dict | None
    hits: list[tuple]
    misses: list[tuple]


def get(path, host=HERE, **headers):
    return "GET", path, {"Host": host, **{k.replace("_", "-"): v for k, v in headers.items()}}


def call(method, path, **headers):
    return method, path, {"Host": HERE, **headers}


ROWS = [
    Row("segment", {"prefix": "/P"}, {"prefix": "/P"},
        [get("/P"), get("/P/"), get("/P/x?y"), get("/P?y")],
        [get("/P1"), get("/p"), get("/x/P"), get("/%50/%2e")]),
    Row("slash", {"prefix": "/P/"}, {"prefix": "/P/"},
        [get("/P/"), get("/P/x")], [get("/P"), get("/Px")]),
    Row("string", {"prefix": "/P/a", "match": "string"}, None,
        [get("/P/a"), get("/P/ab/c")], [get("/P/"), get("/P/b")]),
    Row("exact", {"prefix": "/P", "match": "exact"}, {"prefix": "/P", "prefix_exact": True},
        [get("/P"), get("/P?y")], [get("/P/"), get("/P/x")]),
    Row("escaped", None, {"prefix": "/P/%C3%A9"},
        [get("/P/%C3%A9/x"), get("/P/%c3%a9")], [get("/P/%C3%A8"), get("/P/e")]),
    Row("regex", {"prefix": "/P/[0-9]+(/x)?", "match": "regex"},
        {"prefix": "/P/[0-9]+(/x)?", "prefix_regex": True},
        [get("/P/12"), get("/P/1/x?y=z")], [get("/P/12y"), get("/z/P/12"), get("/P/")]),
    Row("any-case", {"prefix": "/P/Mixed", "case_sensitive": False},
        {"prefix": "/P/Mixed", "case_sensitive": False},
        [get("/P/Mixed"), get("/p/mixed/x"), get("/P/MIXED")], [get("/P/mixe")]),
    Row("method", {"prefix": "/P", "methods": ["PUT"]}, {"prefix": "/P", "method": "PUT"},
        [call("PUT", "/P")], [call("GET", "/P"), call("POST", "/P")]),
    Row("methods", {"prefix": "/P", "methods": ["PUT", "POST"]}, None,
        [call("PUT", "/P"), call("POST", "/P")], [call("GET", "/P")]),
    Row("method-regex", {"prefix": "/P", "method_regex": "P.+"},
        {"prefix": "/P", "method": "P.+", "method_regex": True},
        [call("PUT", "/P"), call("POST", "/P")], [call("GET", "/P"), call("OPTIONS", "/P")]),
    Row("header", {"prefix": "/P", "headers": {"X-A": "one"}},
        {"prefix": "/P", "headers": {"X-A": "one"}},
        [get("/P", x_a="one")], [get("/P"), get("/P", x_a="One"), get("/P", x_a="one,two")]),
    Row("header-there", {"prefix": "/P", "headers": [{"name": "X-A"}]},
        {"prefix": "/P", "headers": {"X-A": True}},
        [get("/P", x_a="one"), get("/P", x_a="")], [get("/P"), get("/P", x_b="one")]),
    Row("header-regex", {"prefix": "/P", "headers": [{"name": "X-A", "regex": "v[0-9]+"}]},
        {"prefix": "/P", "regex_headers": {"X-A": "v[0-9]+"}},
        [get("/P", x_a="v12")], [get("/P", x_a="v12b"), get("/P", x_a="av1"), get("/P")]),
    Row("headers", {"prefix": "/P", "headers": {"X-A": "one", "X-B": "two"}},
        {"prefix": "/P", "headers": {"X-A": "one", "X-B": "two"}},
        [get("/P", x_a="one", x_b="two")], [get("/P", x_a="one"), get("/P", x_b="two")]),
    Row("query", {"prefix": "/P", "query": {"a": "one"}},
        {"prefix": "/P", "query_parameters": {"a": "one"}},
        [get("/P?a=one"), get("/P?b=1&a=one"), get("/P?%61=o%6Ee")],
        [get("/P"), get("/P?a=two"), get("/P?A=one"), get("/P?a=one&a=two"), get("/P?xa=one")]),
    Row("query-there", {"prefix": "/P", "query": [{"name": "a"}]},
        {"prefix": "/P", "query_parameters": {"a": True}},
        [get("/P?a"), get("/P?a="), get("/P?a=x")], [get("/P?b=a"), get("/P?aa")]),
    Row("query-regex", {"prefix": "/P", "query": [{"name": "a", "regex": "v[0-9]"}]},
        {"prefix": "/P", "regex_query_parameters": {"a": "v[0-9]"}},
        [get("/P?a=v1")], [get("/P?a=v10"), get("/P?a=v")]),
    Row("host", {"prefix": "/P", "host": "a.test"}, {"prefix": "/P", "hostname": "a.test"},
        [get("/P", host="a.test"), get("/P", host="A.TEST:8080")],
        [get("/P"), get("/P", host="b.a.test"), get("/P", host="a.test.evil")]),
    Row("host-suffix", {"prefix": "/P", "host": "*.a.test"},
        {"prefix": "/P", "hostname": "*.a.test"},
        [get("/P", host="x.a.test"), get("/P", host="y.x.a.test:1")],
        [get("/P", host="a.test"), get("/P", host="xa.test")]),
    Row("host-prefix", {"prefix": "/P", "host": "a.*"}, {"prefix": "/P", "hostname": "a.*"},
        [get("/P", host="a.test"), get("/P", host="a.other")], [get("/P", host="b.a.test")]),
    Row("old-host", None, {"prefix": "/P", "hostname": None, "host": "a.test"},
        [get("/P", host="a.test")], [get("/P", host="b.test")]),
    Row("host-regex", {"prefix": "/P", "host_regex": "[ab]\\.test"},
        {"prefix": "/P", "hostname": None, "host": "[ab]\\.test", "host_regex": True},
        [get("/P", host="a.test"), get("/P", host="B.test:99")],
        [get("/P", host="c.test"), get("/P", host="xa.test"), get("/P", host="axtest")]),
]


# Each row once by a file and once by a Mapping, under a name of its own.
CASES = {f"{form}-{row.name}": row for row in ROWS
         for form, settings in (("file", row.file), ("mapping", row.spec)) if settings}


def at(path: str, name: str) -> str:
    """In the place of P: what no other route has. In lower case where that is asked for."""
    return path.replace("P", f"Q-{name}", 1).replace("/p", f"/q-{name}", 1)


def named(name: str, **more) -> dict:
    return {"name": name, "add_response_headers": {"x-route": name}, **more}


@pytest.fixture(scope="module")
def service():
    with Service() as one:
        yield one


@pytest.fixture(scope="module")
def gateway(service, tmp_path_factory):
    routes, manifests = [], []
    for row in ROWS:
        if row.file:
            name = f"file-{row.name}"
            prefix = at(row.file["prefix"], name)
            routes.append(named(name, service=service.url, **{**row.file, "prefix": prefix}))
        if row.spec:
            name = f"mapping-{row.name}"
            spec = {**row.spec, "prefix": at(row.spec["prefix"], name),
                    "add_response_headers": {"x-route": name}}
            one = mapping(name, service=service.url, **spec)
            one["spec"] = {k: v for k, v in one["spec"].items() if v is not None}
            manifests.append(one)
    with GatewayAlone(tmp_path_factory.mktemp("routes"), routes, manifests) as served:
        yield served


@pytest.mark.parametrize("name, row", CASES.items(), ids=CASES)
def test_what_matches(gateway, name, row):
    for method, path, headers in row.hits:
        answer = gateway.request(method, at(path, name), headers=headers)
        assert answer.headers.get("x-route") == name, (method, path, headers)
    for method, path, headers in row.misses:
        answer = gateway.request(method, at(path, name), headers=headers)
        assert answer.status_code == 404 or (answer.status_code == 400 and "%2e" in path), path


@pytest.mark.parametrize("name, row", CASES.items(), ids=CASES)
def test_route_explain_says_the_same(gateway, name, row):
    """One that matches and one that does not: each is a process."""
    method, path, headers = row.hits[-1]
    told = gateway.explain(method, at(path, name), headers)
    assert told["outcome"] == "route"
    assert told["members"][0]["route"] in (name, f"default/{name}")
    method, path, headers = row.misses[0]
    told = gateway.explain(method, at(path, name), headers)
    assert told["outcome"] == "none"
    assert any(loser["route"] in (name, f"default/{name}") for loser in told["losers"])


def test_several_fields_of_a_name_are_joined_before_they_are_compared(service, tmp_path):
    routes = [named("joined", prefix="/", service=service.url, headers={"X-A": "one,two"})]
    with GatewayAlone(tmp_path, routes) as gateway:
        one = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-A: one\r\n"
        assert gateway.raw(one + b"x-a: two\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert gateway.raw(one + b"\r\n").startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("city", ["Zürich".encode(), b"Z\xfcrich"], ids=["UTF-8", "Latin-1"])
def test_a_value_beyond_ascii_is_matched_and_copied_byte_by_byte(service, tmp_path, city):
    routes = [{"prefix": "/", "service": service.url,
               "headers": [{"name": "X-City", "regex": "Z.+rich"}],
               "add_request_headers": {"X-Copy": "in %REQ(x-city)% or Genève"},
               "add_response_headers": {"X-Answer": "%REQ(x-city)%"}}]
    with GatewayAlone(tmp_path, routes) as gateway:
        one = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-City: "
        got = gateway.raw(one + city + b"\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 200 ") and b"\r\nX-Answer: " + city + b"\r\n" in got
        assert gateway.raw(one + city + b"\xa0\r\n\r\n").startswith(b"HTTP/1.1 404 ")
    assert service.last.get("x-copy").encode("latin-1") == b"in " + city + " or Genève".encode()


# In each, the routes match the request all; the one named "wins" has to.
ORDERS = {
    "longer prefix": [{"prefix": "/"}, {"prefix": "/a/b", "name": "wins"}, {"prefix": "/a"}],
    "precedence": [{"prefix": "/a/b"}, {"prefix": "/", "precedence": 1, "name": "wins"}],
    "exact host": [{"prefix": "/a/b", "host": "*.test"}, {"prefix": "/a/b"},
                   {"prefix": "/a", "host": "gateway.test", "name": "wins"}],
    "host pattern": [{"prefix": "/a/b"}, {"prefix": "/a", "host": "*.test", "name": "wins"}],
    "more headers": [{"prefix": "/a"}, {"prefix": "/a", "headers": {"x-a": "1"}, "name": "wins"}],
    "more parameters": [{"prefix": "/a"}, {"prefix": "/a", "query": {"c": "d"}, "name": "wins"}],
}


@pytest.mark.parametrize("form", ["file", "mapping"])
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_which_route_wins(service, tmp_path, order, form):
    routes, manifests = [], []
    for i, one in enumerate(order):
        name = one.get("name", f"loses{i}")
        if form == "file":
            routes.append({**named(name, service=service.url), **one})
            continue
        spec = {"hostname": one.get("host", "*"), "prefix": one["prefix"],
                "headers": one.get("headers", {}), "query_parameters": one.get("query", {}),
                "precedence": one.get("precedence", 0), "add_response_headers": {"x-route": name}}
        manifests.append(mapping(name, service=service.url, **spec))
    with GatewayAlone(tmp_path, routes, manifests) as gateway:
        answer = gateway.get("/a/b?c=d", headers={"Host": HERE, "x-a": "1"})
        assert answer.headers["x-route"] == "wins"


# --- what is changed ---

REWRITES = {
    # name: (file, spec, [(asked, as the service saw it)])
    "kept": ({"prefix": "/kept"}, {"prefix": "/kept", "rewrite": ""},
             [("/kept/a%20b?c=%2F", "/kept/a%20b?c=%2F"), ("/kept", "/kept")]),
    "root": ({"prefix": "/root", "rewrite": "/"}, {"prefix": "/root"},
             [("/root/x?y", "/x?y"), ("/root", "/"), ("/root/", "/")]),
    "slash": ({"prefix": "/slash/", "rewrite": "/"}, {"prefix": "/slash/"},
              [("/slash/x/", "/x/"), ("/slash/", "/")]),
    "other": ({"prefix": "/other", "rewrite": "/new/place"},
              {"prefix": "/other", "rewrite": "/new/place"},
              [("/other/x", "/new/place/x"), ("/other", "/new/place")]),
    "escaped": ({"prefix": "/esc", "rewrite": "/e"}, {"prefix": "/esc", "rewrite": "/e"},
                [("/esc/%C3%A9t%20a?%C3%A9", "/e/%C3%A9t%20a?%C3%A9")]),
    "exact": ({"prefix": "/exact", "match": "exact", "rewrite": "/e"},
              {"prefix": "/exact", "prefix_exact": True, "rewrite": "/e"},
              [("/exact?a=b", "/e?a=b")]),
    "regex": ({"prefix": "/regex", "rewrite_regex": "/regex/([^/]+)/(.*)",
               "rewrite_substitution": "/\\2/of/\\1"},
              {"prefix": "/regex",
               "regex_rewrite": {"pattern": "/regex/([^/]+)/(.*)", "substitution": "/\\2/of/\\1"}},
              [("/regex/a/b%20c?d", "/b%20c/of/a?d"), ("/regex/a", "/regex/a")]),
    "regex-match": ({"prefix": "/rm/[a-z]+", "match": "regex", "rewrite_regex": "^/rm",
                     "rewrite_substitution": "/n"},
                    {"prefix": "/rm/[a-z]+", "prefix_regex": True,
                     "regex_rewrite": {"pattern": "^/rm", "substitution": "/n"}},
                    [("/rm/abc", "/n/abc")]),
}


@pytest.fixture(scope="module", params=["file", "mapping"])
def changing(request, service, tmp_path_factory):
    """The gateway with the routes of REWRITES and HOSTS."""
    routes, manifests = [], []
    for name, (file, spec, *_) in {**REWRITES, **HOSTS}.items():
        if request.param == "file":
            routes.append({"name": name, "service": service.url, **file})
        else:
            manifests.append(mapping(name, service=service.url, **spec))
    with GatewayAlone(tmp_path_factory.mktemp("changes"), routes, manifests) as served:
        yield served


HOSTS = {
    "host": ({"prefix": "/host"}, {"prefix": "/host"}, "gateway.test:8080"),
    "rewritten": ({"prefix": "/rewritten", "host_rewrite": "inner.test:99"},
                  {"prefix": "/rewritten", "host_rewrite": "inner.test:99"}, "inner.test:99"),
    "auto": ({"prefix": "/auto", "auto_host_rewrite": True},
             {"prefix": "/auto", "auto_host_rewrite": True}, None),
}


@pytest.mark.parametrize("name", REWRITES)
def test_paths_are_rewritten(changing, service, name):
    for asked, arrived in REWRITES[name][2]:
        assert changing.get(asked).status_code == 200
        assert service.last.line == f"GET {arrived} HTTP/1.1"


@pytest.mark.parametrize("path", ["/regex/a/..", "/regex/a/%2e%2e/x"])
def test_a_rewrite_never_sees_a_path_that_leads_up(changing, service, path):
    before = len(service.seen)
    got = changing.raw(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert got.startswith(b"HTTP/1.1 400 ") and len(service.seen) == before


@pytest.mark.parametrize("name", HOSTS)
def test_the_service_is_told_the_host(changing, service, name):
    changing.get(f"/{name}/", headers={"Host": "Gateway.Test:8080"})
    assert service.last.get("Host") == (HOSTS[name][2] or f"127.0.0.1:{service.port}")
    assert service.last.get("X-Forwarded-Host") == "gateway.test:8080"


ASKED = "http://gateway.test:8080"
REDIRECTS = {
    # name: (file, spec, asked, status, Location)
    "host": ({"host": "other.test"}, {"service": "other.test"},
             "/P/x?y=z", 301, "http://other.test/P/x?y=z"),
    "port": ({"host": "other.test:81"}, {"service": "other.test:81"},
             "/P", 301, "http://other.test:81/P"),
    "path": ({"host": "other.test", "path": "/new", "status": 302},
             {"service": "other.test", "path_redirect": "/new", "redirect_response_code": 302},
             "/P/x?y=z", 302, "http://other.test/new?y=z"),
    "prefix": ({"host": "other.test", "prefix": "/new", "status": 307},
               {"service": "other.test", "prefix_redirect": "/new", "redirect_response_code": 307},
               "/P/x%20y?z", 307, "http://other.test/new/x%20y?z"),
    "regex": ({"host": "other.test", "regex": "^/P/(.*)", "substitution": "/to/\\1", "status": 308},
              {"service": "other.test", "redirect_response_code": 308,
               "regex_redirect": {"pattern": "^/P/(.*)", "substitution": "/to/\\1"}},
              "/P/x?y", 308, "http://other.test/to/x?y"),
    "see-other": ({"path": "/login", "status": 303}, None, "/P", 303, f"{ASKED}/login"),
    "https": ({"host": "other.test", "https": True}, {"service": "https://other.test"},
              "/P", 301, "https://other.test/P"),
}


def under(prefix: str, value):
    """With `prefix` in the place of /P."""
    if isinstance(value, dict):
        return {key: under(prefix, one) for key, one in value.items()}
    return value.replace("/P", prefix) if isinstance(value, str) else value


@pytest.mark.parametrize("form", ["file", "mapping"])
def test_redirects(tmp_path, form):
    cases = [under(f"/{name}", dict(enumerate(case))) for name, case in REDIRECTS.items()
             if form == "file" or case[1]]
    routes = [{"prefix": "/" + case[2].split("/")[1], "redirect": case[0]} for case in cases]
    manifests = [mapping(f"r{i}", routes[i]["prefix"], host_redirect=True, **case[1])
                 for i, case in enumerate(cases) if case[1]]
    with GatewayAlone(tmp_path, *((routes, []) if form == "file" else ([], manifests))) as gateway:
        for _, _, asked, status, location in (case.values() for case in cases):
            answer = gateway.request("POST", asked, headers={"Host": "gateway.test:8080"}, data="x")
            assert (answer.status_code, answer.headers["Location"]) == (status, location), asked


def test_a_service_that_cannot_be_is_a_503_and_the_rest_works(service, tmp_path):
    manifests = [mapping("bad", "/bad/", "http://nowhere.invalid:80"),
                 mapping("refuses", "/refuses/", "http://127.0.0.1:1"),
                 mapping("good", "/good/", service.url)]
    with GatewayAlone(tmp_path, [], manifests) as gateway:
        assert gateway.get("/bad/").status_code == 503
        assert gateway.get("/refuses/").status_code == 503
        assert gateway.get("/good/").text == "ok"


# --- who is asked ---

@pytest.fixture
def authorizer():
    """Lets pass whoever says a name."""
    with Service(allow_by_name) as one:
        yield one


def test_an_authorizer_is_told_a_value_beyond_ascii_and_names_nobody_by_it(service, authorizer, tmp_path):
    """Its answer names the user as the request does."""
    before = len(service.seen)
    authorizer.answer = lambda seen: answer("").replace(
        b"\r\n\r\n", b"\r\nkubeflow-userid: " + seen.get("x-name").encode("latin-1") + b"\r\n\r\n")
    with GatewayAlone(tmp_path, [{"prefix": "/", "service": service.url}],
                      authorizer=asking(authorizer)) as gateway:
        for name, status in (("alice", 200), ("al\xefce", 503), ("alice\xa0", 503)):
            got = gateway.get("/", headers={"x-name": name.encode("latin-1")})
            assert (got.status_code, authorizer.last.get("x-name")) == (status, name)
    assert [seen.get("kubeflow-userid") for seen in service.seen[before:]] == ["alice"]


def test_bypass_auth(service, authorizer, tmp_path):
    routes = [{"prefix": "/open", "service": service.url, "authenticate": False},
              {"prefix": "/shut", "service": service.url}]
    manifests = [mapping("open", "/m-open", service.url, bypass_auth=True),
                 mapping("shut", "/m-shut", service.url)]
    with GatewayAlone(tmp_path, routes, manifests, authorizer=asking(authorizer)) as gateway:
        for path in ("/open/x", "/m-open/x"):
            assert gateway.get(path, headers={"kubeflow-userid": "root"}).status_code == 200
            assert service.last.get("kubeflow-userid") is None
        assert authorizer.seen == []
        for path in ("/shut/x", "/m-shut/x"):
            assert gateway.get(path).status_code == 403
        for path in ("/open/../shut", "/open/..;/shut", "/opened", "//m-open/%2e%2e/m-shut"):
            asked = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            got = gateway.raw(asked.encode())
            assert got.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ")), path
        assert gateway.get("/shut/y", headers={"x-name": "alice"}).status_code == 200
        assert service.last.get("kubeflow-userid") == "alice"
        assert [seen.target for seen in authorizer.seen] == ["/shut/x", "/m-shut/x", "/shut/y"]


# --- shares ---

@pytest.mark.parametrize("form", ["file", "mapping"])
def test_a_canary_gets_its_share_and_each_user_stays(service, authorizer, tmp_path, form):
    routes = [named("canary", prefix="/", service=service.url, weight=25),
              named("rest", prefix="/", service=service.url)]
    manifests = [mapping(r["name"], "/", service.url, **({"weight": 25} if "weight" in r else {}),
                         add_response_headers=r["add_response_headers"]) for r in routes]
    parts = (routes, []) if form == "file" else ([], manifests)
    with GatewayAlone(tmp_path, *parts, authorizer=asking(authorizer), threads=2) as gateway:
        routes_of = [[gateway.get("/", headers={"x-name": f"user-{user}"}).headers["x-route"]
                      for _ in range(2)] for user in range(80)]
    assert all(first == second for first, second in routes_of)
    assert 5 <= routes_of.count(["canary"] * 2) <= 40  # 20 are meant


def test_requests_of_nobody_known_are_shared_one_by_one(service, tmp_path):
    """They may all have one address, that of a load balancer."""
    routes = [named("canary", prefix="/", service=service.url, weight=25),
              named("rest", prefix="/", service=service.url)]
    with GatewayAlone(tmp_path, routes) as gateway:
        got = [gateway.get("/").headers["x-route"] for _ in range(80)]
    assert 5 <= got.count("canary") <= 40  # 20 are meant


def test_weights_of_0_and_100_are_meant(service, tmp_path):
    routes = [named("all", prefix="/", service=service.url, weight=100),
              named("none", prefix="/", service=service.url, weight=0)]
    with GatewayAlone(tmp_path, routes) as gateway:
        assert {gateway.get("/").headers["x-route"] for _ in range(20)} == {"all"}


def test_routes_that_match_the_same_share_by_weight_even_if_one_bypasses_auth(
        service, authorizer, tmp_path):
    """A share without a check would be a way around it."""
    routes = [named("open", prefix="/", service=service.url, weight=99, authenticate=False),
              named("shut", prefix="/", service=service.url)]
    with GatewayAlone(tmp_path, routes, authorizer=asking(authorizer)) as gateway:
        assert [gateway.get("/").status_code for _ in range(5)] == [403] * 5
