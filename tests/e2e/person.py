"""Somebody with a browser's habits: keeps cookies, follows redirects, fills in the login form."""

import html.parser
from urllib.parse import urljoin

import requests

NAVIGATION = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate",
              "Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"}
SESSION_COOKIE = "gatehouse_session"


class Forms(html.parser.HTMLParser):
    """The forms of a page: action, method and the names of the fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[dict] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.forms.append({"action": attributes.get("action", ""),
                               "method": attributes.get("method", "get"), "fields": {}})
        if tag == "input" and self.forms and attributes.get("name"):
            self.forms[-1]["fields"][attributes["name"]] = attributes.get("value", "")


class Person:
    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, follow: bool = False, headers: dict | None = None, **more):
        return self.session.get(urljoin(self.url, path), allow_redirects=follow, timeout=30,
                                headers=NAVIGATION | (headers or {}), **more)

    def post(self, path: str, follow: bool = False, headers: dict | None = None, **more):
        return self.session.post(urljoin(self.url, path), allow_redirects=follow, timeout=60,
                                 headers=headers, **more)

    def login_page(self, path: str = "/"):
        """The login page that a first visit to `path` ends at."""
        page = self.get(path, follow=True)
        assert page.status_code == 200 and "/dex/auth/local/login" in page.url, page.url
        return page

    def submit_login(self, page, login: str, password: str, follow: bool = False):
        form = Forms(page.text).forms[0]
        return self.session.post(urljoin(page.url, form["action"]),
                                 data=form["fields"] | {"login": login, "password": password},
                                 headers=NAVIGATION | {"Origin": self.url,
                                                       "Sec-Fetch-Site": "same-origin"},
                                 allow_redirects=follow, timeout=60)

    def log_in(self, login: str, password: str, path: str = "/"):
        """Through the whole flow; gives the page it ends at."""
        answer = self.submit_login(self.login_page(path), login, password, follow=True)
        assert self.cookie(), f"{answer.status_code} {answer.url} {answer.text[:500]}"
        return answer

    def cookie(self) -> str | None:
        return next((c.value for c in self.session.cookies if c.name == SESSION_COOKIE), None)
