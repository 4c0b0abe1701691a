"""Step 1: a request without a session, from the gateway through the gatekeeper's verdict."""

from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from person import SESSION_COOKIE, Person

TARGET = "/pipeline/?ns=a%20b"


def test_a_stranger_is_sent_to_log_in(stranger):
    answer = stranger.get(TARGET)
    assert answer.status_code == 301
    assert answer.headers["Cache-Control"] == "no-store"
    location = urlsplit(answer.headers["Location"])
    assert (location.scheme, location.netloc, location.path) == ("", "", "/dex/auth")
    names = [name for name, _ in parse_qsl(location.query)]
    assert names == ["client_id", "redirect_uri", "response_type", "scope", "state", "nonce",
                     "code_challenge", "code_challenge_method"]
    query = dict(parse_qsl(location.query))
    assert query["redirect_uri"] == "/authservice/oidc/callback"
    assert query["response_type"] == "code"
    assert "scope=openid+profile+email+groups" in location.query
    assert query["code_challenge_method"] == "S256"


def test_each_login_has_its_own_state_nonce_and_challenge(door):
    seen = [dict(parse_qsl(urlsplit(Person(door.url).get(TARGET).headers["Location"]).query))
            for _ in range(3)]
    for name in ("state", "nonce", "code_challenge"):
        assert len({query[name] for query in seen}) == 3


def test_a_script_without_accept_header_is_redirected_too(door):
    answer = requests.get(door.url + TARGET, headers={"Accept": None}, allow_redirects=False)
    assert answer.status_code == 301


@pytest.mark.parametrize("method, headers", [
    ("POST", {"Accept": "application/json"}),
    ("GET", {"X-Requested-With": "XMLHttpRequest"}),
    ("GET", {"Accept": "text/html", "Sec-Fetch-Mode": "cors"}),
    ("GET", {"Accept": "text/html", "Sec-Fetch-Mode": "no-cors"}),
    ("POST", {"Content-Type": "application/grpc"}),
    ("POST", {"Content-Type": "application/grpc-web+proto"}),
    ("GET", {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}),
], ids=["json-post", "xhr", "fetch-cors", "fetch-no-cors", "grpc", "grpc-web", "websocket"])
def test_what_no_person_can_answer_gets_401(door, method, headers):
    answer = requests.request(method, door.url + TARGET, headers=headers, allow_redirects=False)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"]
    assert answer.json()["error"]
    assert "Location" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("cookie", [
    "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "." * 50, "A" * 5000, '"quoted"', "%00",
], ids=["short", "three-parts", "alg-none", "dots", "oversized", "quoted", "nul"])
def test_a_malformed_cookie_is_a_stranger_s(door, cookie):
    answer = requests.get(door.url + TARGET, headers={"Cookie": f"{SESSION_COOKIE}={cookie}"},
                          allow_redirects=False)
    assert answer.status_code == 301


@pytest.mark.parametrize("form", ["one", "three"])
@pytest.mark.parametrize("status", [302, 303])
def test_the_redirect_s_status_is_a_setting(form, status):
    from deployment import Deployment
    role = "all" if form == "one" else "gatekeeper"
    door = Deployment(form, **{role: {"gatekeeper": {"redirect_status": status}}})
    for process in door.roles:
        process.start()
    try:
        assert Person(door.url).get("/").status_code == status
    finally:
        door.close()
