"""Step 3: a right password, the callback, the cookie, and the way back."""

import base64
import http.cookies
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from deployment import GROUPS, PASSWORD, USER
from person import SESSION_COOKIE, Person


def walk(door, path="/"):
    """The answers of a login, one by one: [login, callback]."""
    person = Person(door.url)
    login = person.submit_login(person.login_page(path), USER, PASSWORD)
    callback = person.get(login.headers["Location"])
    return person, login, callback


def session_cookie(answer) -> http.cookies.Morsel:
    fields = answer.raw.headers.getlist("Set-Cookie")
    own = [f for f in fields if f.startswith(SESSION_COOKIE + "=")]
    assert len(own) == 1, fields
    return http.cookies.SimpleCookie(own[0])[SESSION_COOKIE]


def claims(token: str) -> dict:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_right_password_leads_to_the_callback_with_code_state_and_iss(door):
    _, login, _ = walk(door)
    assert login.status_code == 303
    location = urlsplit(login.headers["Location"])
    assert location.path == "/authservice/oidc/callback"
    query = parse_qs(location.query)
    assert query["code"] and query["state"]
    assert query["iss"] == [f"{door.url}/dex"]


def test_the_callback_sets_a_jwt_and_leads_back(door):
    _, _, callback = walk(door)
    assert callback.status_code in (302, 303)
    cookie = session_cookie(callback)
    assert cookie.value.count(".") == 2
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/"
    assert len(cookie.OutputString()) < 1024
    header = json.loads(base64.urlsafe_b64decode(cookie.value.split(".")[0] + "=="))
    assert header["alg"] == "HS256"
    assert claims(cookie.value)["exp"] > claims(cookie.value)["iat"]


@pytest.mark.parametrize("target", [
    "/pipeline/?ns=a%20b", "/pipeline/a%20b/c%C3%A9?q=1&q=2&empty=&x", "/pipeline/?x=%2F..%2F%00",
    "/pipeline/?u=https://other.example/a?b#".rstrip("#"), "/pipeline/~a/b;c=d?e=f+g",
])
def test_the_person_is_back_at_the_page_byte_for_byte(door, target):
    _, _, callback = walk(door, target)
    assert callback.headers["Location"] == target


def test_each_login_has_a_fresh_session(door):
    first, _, one = walk(door)
    login = first.submit_login(Person(door.url).login_page(), USER, PASSWORD)
    assert login.status_code == 303
    _, _, two = walk(door)
    assert claims(session_cookie(one).value)["sid"] != claims(session_cookie(two).value)["sid"]


def test_a_planted_session_is_replaced_at_login(door):
    person = Person(door.url)
    person.session.cookies.set(SESSION_COOKIE, "planted", domain="localhost.local")
    person.log_in(USER, PASSWORD)
    assert all(c.value != "planted" or c.domain == "localhost.local"
               for c in person.session.cookies)


def test_the_upstream_learns_user_and_groups(alice):
    seen = alice.get("/pipeline/").json()["headers"]
    assert seen["kubeflow-userid"] == USER
    assert sorted(seen["kubeflow-groups"].split(",")) == sorted(GROUPS)


def test_https_makes_the_cookie_secure_and_host_bound(tls_door):
    person = Person(tls_door.url)
    person.session.verify = str(tls_door.tls)
    login = person.submit_login(person.login_page("/pipeline/"), USER, PASSWORD)
    callback = person.get(login.headers["Location"])
    fields = callback.raw.headers.getlist("Set-Cookie")
    own = [f for f in fields if f.startswith(f"__Host-{SESSION_COOKIE}=")]
    assert len(own) == 1, fields
    attributes = [part.strip().lower() for part in own[0].split(";")[1:]]
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= set(attributes)
    assert not any(part.startswith("domain") for part in attributes)
    assert person.get("/pipeline/").status_code == 200
