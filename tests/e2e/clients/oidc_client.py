"""An independent relying party (Authlib) against the provider: what OAuth 2 and OpenID Connect ask.

    OIDC_USERNAME=… OIDC_PASSWORD=… OIDC_CLIENT_SECRET=… \
    python oidc_client.py http://localhost:8080/dex --client-id app \
        --redirect-uri http://127.0.0.1:8999/callback

The client must be registered with that redirect URI; without OIDC_CLIENT_SECRET it is a public one.
Nothing listens at the redirect URI: the redirect to it is read, not followed. Prints one line a
check, `ok NAME` or `FAIL NAME: …`; the exit code is 1 if one failed. Checks that need what a failed
one would have given are not run.

--reuse-after is how long to wait before an old refresh token is used again: longer than the
provider's reuse interval (identity.refresh_reuse_interval, 3 s by default).
"""

import argparse
import html.parser
import os
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

TIMEOUT_SECONDS = 30
MAX_REDIRECTS = 10
SCOPES = "openid profile email groups offline_access"
ALGORITHMS = ["RS256", "ES256"]  # never "none", never a symmetric one


class Failure(Exception):
    """A check that failed, and why."""


def expect(condition: bool, why: str) -> None:
    if not condition:
        raise Failure(why)


class FirstForm(html.parser.HTMLParser):
    """The action and the hidden fields of a page's first form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.forms = 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.forms += 1
            if self.forms == 1:
                self.action = attributes.get("action") or ""
        elif tag == "input" and self.forms == 1 and attributes.get("name"):
            self.fields[attributes["name"]] = attributes.get("value") or ""


class Browser:
    """Follows redirects up to the one that leaves for the relying party."""

    def __init__(self, redirect_uri: str) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.redirect_uri = redirect_uri

    def open(self, url: str) -> requests.Response | str:
        """The page that the redirects end at, or the URL that the relying party is sent."""
        return self._follow(self.session.get(url, allow_redirects=False, timeout=TIMEOUT_SECONDS))

    def log_in(self, page: requests.Response, login: str, password: str) -> requests.Response | str:
        form = FirstForm(page.text)
        target = urljoin(page.url, form.action)
        data = form.fields | {"login": login, "password": password}
        return self._follow(self.session.post(target, data=data, allow_redirects=False,
                                              timeout=TIMEOUT_SECONDS))

    def _follow(self, answer: requests.Response) -> requests.Response | str:
        for _ in range(MAX_REDIRECTS):
            if answer.status_code not in (301, 302, 303):
                return answer
            target = urljoin(answer.url, answer.headers["Location"])
            if target.split("?")[0] == self.redirect_uri:
                return target
            answer = self.session.get(target, allow_redirects=False, timeout=TIMEOUT_SECONDS)
        raise Failure(f"more than {MAX_REDIRECTS} redirects")


@dataclass
class RelyingParty:
    """One run: what it is given, and what the checks leave to those after them."""

    issuer: str
    client_id: str
    redirect_uri: str
    username: str
    password: str
    client_secret: str | None
    reuse_after: float

    metadata: dict = field(default_factory=dict)
    nonce: str = field(default_factory=lambda: generate_token(32))
    state: str = field(default_factory=lambda: generate_token(32))
    code_verifier: str = field(default_factory=lambda: generate_token(64))
    answer_url: str = ""
    token: dict = field(default_factory=dict)
    refreshed: dict = field(default_factory=dict)
    subject: str = ""

    def client(self) -> OAuth2Session:
        """A fresh one a request, so that no check leans on another's state."""
        session = OAuth2Session(
            client_id=self.client_id, client_secret=self.client_secret, scope=SCOPES,
            redirect_uri=self.redirect_uri, code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self.client_secret else "none")
        session.trust_env = False
        return session

    # --- the checks, in order ---

    def discovery(self) -> None:
        url = self.issuer + "/.well-known/openid-configuration"
        answer = requests.get(url, timeout=TIMEOUT_SECONDS)
        expect(answer.status_code == 200, f"HTTP {answer.status_code}")
        expect(answer.headers["Content-Type"].startswith("application/json"), "is not JSON")
        self.metadata = answer.json()
        expect(self.metadata["issuer"] == self.issuer, f"issuer is {self.metadata['issuer']}")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
            expect(self.metadata[name].startswith(self.issuer + "/"), f"{name} is elsewhere")
        expect("S256" in self.metadata["code_challenge_methods_supported"], "no S256")
        expect("plain" not in self.metadata["code_challenge_methods_supported"], "PKCE by plain")
        expect("code" in self.metadata["response_types_supported"], "no response type code")

    def public_keys_only(self) -> None:
        keys = self._fetch_keys()["keys"]
        expect(len(keys) > 0, "no key")
        identifiers = [key.get("kid") for key in keys]
        expect(None not in identifiers and len(set(identifiers)) == len(keys), "kids not unique")
        for key in keys:
            expect(key["kty"] in ("RSA", "EC", "OKP"), f"a key of type {key['kty']}")
            expect(not {"d", "p", "q", "k"} & key.keys(), "a private key is published")

    def foreign_redirect_uri_is_refused(self) -> None:
        """RFC 6749 §4.1.2.1: no redirect to an unregistered URI."""
        session = self.client()
        session.redirect_uri = "https://attacker.invalid/callback"
        url, _ = session.create_authorization_url(self.metadata["authorization_endpoint"],
                                                  code_verifier=self.code_verifier)
        answer = requests.get(url, allow_redirects=False, timeout=TIMEOUT_SECONDS)
        expect(400 <= answer.status_code < 500, f"HTTP {answer.status_code}")
        expect("Location" not in answer.headers, "is redirected")

    def login(self) -> None:
        url, _ = self.client().create_authorization_url(
            self.metadata["authorization_endpoint"], state=self.state, nonce=self.nonce,
            code_verifier=self.code_verifier)
        browser = Browser(self.redirect_uri)
        page = browser.open(url)
        expect(not isinstance(page, str), "the provider asked for no login")
        expect(page.status_code == 200, f"login page: HTTP {page.status_code}")
        back = browser.log_in(page, self.username, self.password)
        expect(isinstance(back, str), "the login did not lead back to the relying party")
        self.answer_url = back

    def authorization_response(self) -> None:
        answer = parse_qs(urlsplit(self.answer_url).query)
        expect("error" not in answer, f"error {answer.get('error')}")
        expect(answer.get("state") == [self.state], "state is not ours")
        expect(len(answer.get("code", [])) == 1, "not exactly one code")
        if self.metadata.get("authorization_response_iss_parameter_supported"):
            expect(answer.get("iss") == [self.issuer], "iss is not the issuer (RFC 9207)")

    def exchange(self) -> None:
        self.token = dict(self._exchange_code(self.code_verifier))
        expect(self.token["token_type"].lower() == "bearer", "token_type is not bearer")
        for name in ("access_token", "id_token", "refresh_token", "expires_in"):
            expect(name in self.token, f"no {name}")

    def id_token(self) -> None:
        claims = self._verified_claims(self.token, nonce=self.nonce)
        expect(claims["email"] == self.username, "email is not the user's")
        self.subject = claims["sub"]

    def forged_id_token_is_noticed(self) -> None:
        """That the check above can fail: the same token with another payload."""
        head, payload, signature = self.token["id_token"].split(".")
        other = ("B" if payload[10] == "A" else "A")
        forged = ".".join([head, payload[:10] + other + payload[11:], signature])
        try:
            self._verified_claims(self.token | {"id_token": forged}, nonce=self.nonce)
        except (JoseError, ValueError):
            return
        raise Failure("a changed ID token passes")

    def userinfo(self) -> None:
        answer = self._userinfo(self.token["access_token"])
        expect(answer.status_code == 200, f"HTTP {answer.status_code}")
        expect(answer.json()["sub"] == self.subject, "sub differs from the ID token's")

    def userinfo_needs_a_token(self) -> None:
        answer = self._userinfo("not-a-token")
        expect(answer.status_code == 401, f"HTTP {answer.status_code}")
        expect(answer.headers.get("WWW-Authenticate", "").lower().startswith("bearer"),
               "no WWW-Authenticate: Bearer (RFC 6750 §3)")

    def refresh(self) -> None:
        self.refreshed = self._refresh(self.token["refresh_token"])
        expect(self.refreshed["access_token"] != self.token["access_token"], "same access token")
        expect(self.refreshed.get("refresh_token") not in (None, self.token["refresh_token"]),
               "the refresh token was not rotated")
        if "id_token" in self.refreshed:
            claims = self._verified_claims(self.refreshed, nonce=None)
            expect(claims["sub"] == self.subject, "another sub (OIDC Core §12.2)")

    def userinfo_after_refresh(self) -> None:
        answer = self._userinfo(self.refreshed["access_token"])
        expect(answer.status_code == 200, f"HTTP {answer.status_code}")

    def reused_refresh_token_is_refused(self) -> None:
        time.sleep(self.reuse_after)
        self._expect_invalid_grant(lambda: self._refresh(self.token["refresh_token"]))

    def reuse_revokes_the_family(self) -> None:
        """RFC 9700 §4.14.2: the thief's and the owner's both end."""
        self._expect_invalid_grant(lambda: self._refresh(self.refreshed["refresh_token"]))

    def wrong_code_verifier_is_refused(self) -> None:
        self._log_in_again()
        self._expect_invalid_grant(lambda: self._exchange_code(generate_token(64)))

    def replayed_code_is_refused(self) -> None:
        self._log_in_again()
        self.token = dict(self._exchange_code(self.code_verifier))
        self._expect_invalid_grant(lambda: self._exchange_code(self.code_verifier))

    def replay_revokes_the_tokens(self) -> None:
        """RFC 6749 §4.1.2: tokens issued from a code that comes twice should be revoked."""
        self._expect_invalid_grant(lambda: self._refresh(self.token["refresh_token"]))

    def wrong_client_secret_is_refused(self) -> None:
        if not self.client_secret:
            return
        session = self.client()
        session.client_secret = self.client_secret + "x"
        answer = session.post(self.metadata["token_endpoint"], withhold_token=True,
                              auth=(self.client_id, session.client_secret),
                              data={"grant_type": "refresh_token", "refresh_token": "x"},
                              timeout=TIMEOUT_SECONDS)
        expect(answer.status_code == 401, f"HTTP {answer.status_code}")
        expect(answer.json().get("error") == "invalid_client", f"error {answer.text[:200]}")

    # --- what they share ---

    def _log_in_again(self) -> None:
        self.state, self.nonce = generate_token(32), generate_token(32)
        self.code_verifier = generate_token(64)
        self.login()
        self.authorization_response()

    def _exchange_code(self, code_verifier: str) -> dict:
        return self.client().fetch_token(
            self.metadata["token_endpoint"], authorization_response=self.answer_url,
            state=self.state, code_verifier=code_verifier, timeout=TIMEOUT_SECONDS)

    def _refresh(self, refresh_token: str) -> dict:
        return dict(self.client().refresh_token(self.metadata["token_endpoint"],
                                                refresh_token=refresh_token,
                                                timeout=TIMEOUT_SECONDS))

    def _userinfo(self, access_token: str) -> requests.Response:
        return requests.get(self.metadata["userinfo_endpoint"], timeout=TIMEOUT_SECONDS,
                            headers={"Authorization": f"Bearer {access_token}"})

    def _fetch_keys(self) -> dict:
        answer = requests.get(self.metadata["jwks_uri"], timeout=TIMEOUT_SECONDS)
        expect(answer.status_code == 200, f"HTTP {answer.status_code}")
        return answer.json()

    def _verified_claims(self, token: dict, nonce: str | None) -> dict:
        """Signature, iss, aud, exp, iat, nonce and at_hash (OIDC Core §3.1.3.7)."""
        decoded = jwt.decode(token["id_token"], KeySet.import_key_set(self._fetch_keys()),
                             algorithms=ALGORITHMS)
        parameters = {"client_id": self.client_id, "access_token": token["access_token"]}
        if nonce is not None:
            parameters["nonce"] = nonce
        claims = CodeIDToken(
            decoded.claims, decoded.header, params=parameters,
            options={"iss": {"essential": True, "value": self.issuer},
                     "aud": {"essential": True, "value": self.client_id},
                     "sub": {"essential": True}})
        claims.validate(leeway=60)
        return dict(claims)

    @staticmethod
    def _expect_invalid_grant(attempt) -> None:
        try:
            attempt()
        except OAuthError as refused:
            expect(refused.error == "invalid_grant", f"error {refused.error}")
            return
        raise Failure("was accepted")


CHECKS = ["discovery", "public_keys_only", "foreign_redirect_uri_is_refused", "login",
          "authorization_response", "exchange", "id_token", "forged_id_token_is_noticed",
          "userinfo", "userinfo_needs_a_token", "refresh", "userinfo_after_refresh",
          "reused_refresh_token_is_refused", "reuse_revokes_the_family",
          "wrong_code_verifier_is_refused", "replayed_code_is_refused",
          "replay_revokes_the_tokens", "wrong_client_secret_is_refused"]
# Without these the ones after them say nothing.
NEEDED = {"discovery", "login", "authorization_response", "exchange", "id_token", "refresh"}


def run(party: RelyingParty) -> bool:
    """True if every check passed."""
    passed = True
    for name in CHECKS:
        try:
            getattr(party, name)()
        except Exception as failure:  # whatever a library throws is this check's failure
            print(f"FAIL {name}: {type(failure).__name__}: {failure}", flush=True)
            passed = False
            if name in NEEDED:
                break
        else:
            print(f"ok {name}", flush=True)
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("issuer", help="as http://localhost:8080/dex")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--redirect-uri", required=True)
    parser.add_argument("--reuse-after", type=float, default=4.0, metavar="SECONDS")
    arguments = parser.parse_args()
    for name in ("OIDC_USERNAME", "OIDC_PASSWORD"):
        if name not in os.environ:
            print(f"the variable {name} is not set", file=sys.stderr)
            return 2
    # Authlib refuses to talk over plain HTTP unless told; tests run on loopback.
    os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")
    party = RelyingParty(
        issuer=arguments.issuer.rstrip("/"), client_id=arguments.client_id,
        redirect_uri=arguments.redirect_uri, username=os.environ["OIDC_USERNAME"],
        password=os.environ["OIDC_PASSWORD"],
        client_secret=os.environ.get("OIDC_CLIENT_SECRET") or None,
        reuse_after=arguments.reuse_after)
    return 0 if run(party) else 1


if __name__ == "__main__":
    sys.exit(main())
