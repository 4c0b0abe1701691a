"""Logins and token requests, driven over one keep-alive connection each."""

import base64
import hashlib
import http.client
import json
import secrets
import urllib.parse

from processes import CLIENT_ID, CLIENT_SECRET, PASSWORD, USER, Gatehouse

REDIRECT_URI = "http://localhost:9/callback"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BASIC = "Basic " + base64.b64encode(
    f"{urllib.parse.quote(CLIENT_ID)}:{urllib.parse.quote_plus(CLIENT_SECRET)}".encode()).decode()


class Connection:
    def __init__(self, door: Gatehouse) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", door.http, timeout=30)
        self.host = f"localhost:{door.http}"

    def ask(self, method: str, path: str, body: str | None = None, headers: dict | None = None):
        """Status, headers and text of one answer."""
        self.http.request(method, path, body, {"Host": self.host} | (headers or {}))
        answer = self.http.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def local(location: str) -> str:
    parts = urllib.parse.urlsplit(location)
    return parts.path + ("?" + parts.query if parts.query else "")


def logins(door: Gatehouse, count: int) -> int:
    """Whole logins: redirect, authorize, page, password, callback with its token request."""
    connection = Connection(door)
    for _ in range(count):
        _, stranger, _ = connection.ask("GET", "/pipeline/")
        cookies = "; ".join(c.split(";")[0] for c in stranger.get_all("Set-Cookie"))
        _, authorize, _ = connection.ask("GET", local(stranger["Location"]))
        page = local(authorize["Location"])
        connection.ask("GET", page)
        body = urllib.parse.urlencode({"login": USER, "password": PASSWORD})
        _, logged_in, _ = connection.ask("POST", page, body, FORM)
        status, done, text = connection.ask("GET", local(logged_in["Location"]), None,
                                            {"Cookie": cookies})
        if not any("session=" in c for c in done.get_all("Set-Cookie") or []):
            raise SystemExit(f"bench: a login failed: {status} {text[:300]}")
    return count


def tokens(door: Gatehouse) -> dict:
    """A first set of tokens for the bench's own client."""
    connection = Connection(door)
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = urllib.parse.urlencode({
        "client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI, "response_type": "code",
        "scope": "openid email offline_access", "state": "x", "nonce": "y",
        "code_challenge": challenge, "code_challenge_method": "S256"})
    _, authorize, _ = connection.ask("GET", "/dex/auth?" + query)
    body = urllib.parse.urlencode({"login": USER, "password": PASSWORD})
    _, logged_in, _ = connection.ask("POST", local(authorize["Location"]), body, FORM)
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(logged_in["Location"]).query)["code"][0]
    return token_request(connection, {"grant_type": "authorization_code", "code": code,
                                      "redirect_uri": REDIRECT_URI, "code_verifier": verifier})


def token_request(connection: Connection, form: dict) -> dict:
    status, _, text = connection.ask("POST", "/dex/token", urllib.parse.urlencode(form),
                                     FORM | {"Authorization": BASIC})
    if status != 200:
        raise SystemExit(f"bench: a token request failed: {status} {text[:300]}")
    return json.loads(text)


def refreshes(door: Gatehouse, count: int) -> int:
    current = tokens(door)
    connection = Connection(door)
    for _ in range(count):
        current = token_request(connection, {"grant_type": "refresh_token",
                                             "refresh_token": current["refresh_token"]})
    return count


def access_token(door: Gatehouse) -> str:
    return tokens(door)["access_token"]
