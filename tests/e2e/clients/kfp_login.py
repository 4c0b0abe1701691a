"""The script that Kubeflow's users have: log in as a browser would, keep the cookies, call the API.

    KUBEFLOW_USERNAME=… KUBEFLOW_PASSWORD=… python kfp_login.py http://localhost:8080

Prints the JSON of /pipeline/. It knows of the front door only what the recipes for Kubeflow's
pipelines client know: that the first page leads by redirects to a page with the fields `login` and
`password`, which are posted to where that page stands. So it must go on working unchanged.
"""

import argparse
import json
import os
import sys
from urllib.parse import urljoin, urlsplit

import requests

TIMEOUT_SECONDS = 30


class LoginFailed(Exception):
    """What went wrong, for the person who runs this."""


def login_page_url(session: requests.Session, endpoint: str) -> str | None:
    """Where the redirects from the front page end; None if no login is asked for."""
    page = session.get(endpoint, timeout=TIMEOUT_SECONDS)
    if page.status_code != 200:
        raise LoginFailed(f"GET {endpoint}: HTTP {page.status_code} from {page.url}")
    return page.url if page.history else None


def local_connector_url(session: requests.Session, url: str) -> str:
    """Some providers show a choice of connectors first: take the local one."""
    parts = urlsplit(url)
    if not parts.path.endswith("/auth"):
        return url
    chosen = parts._replace(path=parts.path + "/local").geturl()
    page = session.get(chosen, timeout=TIMEOUT_SECONDS)
    if page.status_code != 200:
        raise LoginFailed(f"GET {chosen}: HTTP {page.status_code}")
    return page.url


def log_in(endpoint: str, username: str, password: str) -> requests.Session:
    """A session whose cookies the API accepts."""
    session = requests.Session()
    session.trust_env = False
    url = login_page_url(session, endpoint)
    if url is None:
        return session
    url = local_connector_url(session, url)
    answer = session.post(url, data={"login": username, "password": password},
                          timeout=TIMEOUT_SECONDS)
    if not answer.history:
        raise LoginFailed("the login page came back: wrong user or password?")
    if answer.status_code != 200:
        raise LoginFailed(f"after the login: HTTP {answer.status_code} from {answer.url}")
    return session


def call_api(session: requests.Session, endpoint: str) -> dict:
    """With the cookies as one header, as the pipelines client takes them."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
    answer = requests.get(urljoin(endpoint, "/pipeline/"), headers={"Cookie": cookies},
                          allow_redirects=False, timeout=TIMEOUT_SECONDS)
    if answer.status_code != 200:
        raise LoginFailed(f"GET {answer.url}: HTTP {answer.status_code}")
    return answer.json()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("endpoint", help="the front door, as http://localhost:8080")
    endpoint = parser.parse_args().endpoint
    try:
        session = log_in(endpoint, os.environ["KUBEFLOW_USERNAME"], os.environ["KUBEFLOW_PASSWORD"])
        print(json.dumps(call_api(session, endpoint), indent=2))
    except KeyError as missing:
        print(f"the variable {missing} is not set", file=sys.stderr)
        return 2
    except (LoginFailed, requests.RequestException, ValueError) as failure:
        print(f"kfp_login: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
