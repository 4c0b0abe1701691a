"""Step 2: /dex passes unasked; the login page and its refusals."""

import re
from urllib.parse import parse_qs, urlsplit

import requests
from deployment import PASSWORD, USER
from person import Forms, Person


def test_dex_is_the_one_prefix_that_passes_unasked(door):
    assert requests.get(door.url + "/dex/.well-known/openid-configuration").status_code == 200
    assert requests.get(door.url + "/dex;x/keys", allow_redirects=False).status_code == 400
    for path in ("/dexter", "/DEX/keys", "/pipeline/dex/"):
        assert requests.get(door.url + path, allow_redirects=False).status_code == 301, path


def test_one_connector_leads_straight_to_the_login_page(stranger):
    first = stranger.get("/pipeline/")
    second = stranger.get(first.headers["Location"])
    assert second.status_code in (302, 303)
    location = urlsplit(second.headers["Location"])
    assert location.path == "/dex/auth/local/login"
    assert {"state", "back"} <= set(parse_qs(location.query, keep_blank_values=True))


def test_the_login_page_needs_no_script_and_allows_none(stranger):
    page = stranger.login_page()
    fields = Forms(page.text).forms[0]["fields"]
    assert {"login", "password"} <= set(fields)
    assert "<script" not in page.text and " style=" not in page.text and "<style" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy and "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert len(page.content) < 30_000
    for field in ("login", "password"):
        control = re.search(rf'<input[^>]*name="{field}"[^>]*>', page.text).group()
        identity = re.search(r'id="([^"]+)"', control).group(1)
        assert f'for="{identity}"' in page.text
        assert "autocomplete=" in control


def test_a_wrong_password_does_not_tell_whether_the_user_exists(door):
    texts = []
    for login in (USER, "nobody@example.com"):
        person = Person(door.url)
        answer = person.submit_login(person.login_page(), login, "wrong password")
        assert answer.status_code in (200, 401)
        assert 'role="alert"' in answer.text
        assert not person.cookie()
        texts.append(answer.text.replace(login, "LOGIN"))
    without_state = [re.sub(r"state=[^\"&]+", "state=", text) for text in texts]
    assert without_state[0] == without_state[1]


def test_the_page_answers_after_a_wrong_password_with_the_right_one(door):
    person = Person(door.url)
    page = person.submit_login(person.login_page("/pipeline/?x=1"), USER, "wrong")
    answer = person.submit_login(page, USER, PASSWORD, follow=True)
    assert answer.url == door.url + "/pipeline/?x=1"


def test_the_fifth_failure_slows_down(own_door):
    person = Person(own_door.url)
    page = person.login_page()
    answers = [person.submit_login(page, "victim@example.com", f"wrong {i}") for i in range(6)]
    assert all(a.status_code != 429 for a in answers[:4])
    assert answers[5].status_code == 429
    assert int(answers[5].headers["Retry-After"]) >= 1
    # Starting the flow again, or writing the name differently, does not help.
    again = Person(own_door.url)
    assert again.submit_login(again.login_page(), "  VICTIM@example.com", "x").status_code == 429
    # Others log in all the same.
    assert Person(own_door.url).log_in(USER, PASSWORD).status_code == 200


def test_a_login_form_posted_by_another_site_is_refused(door):
    person = Person(door.url)
    page = person.login_page()
    answer = person.session.post(page.url, data={"login": USER, "password": PASSWORD},
                                 headers={"Origin": "https://evil.example",
                                          "Sec-Fetch-Site": "cross-site"}, allow_redirects=False)
    assert answer.status_code == 403


def test_an_unknown_client_or_redirect_uri_is_never_redirected_to(door):
    for query in ("client_id=nobody&redirect_uri=https://evil.example/&response_type=code",
                  "client_id=authservice-oidc&redirect_uri=https://evil.example/&response_type=code",
                  "client_id=authservice-oidc&redirect_uri=%252Fauthservice%252Foidc%252Fcallback"
                  "&response_type=code"):
        answer = requests.get(f"{door.url}/dex/auth?{query}&scope=openid", allow_redirects=False)
        assert answer.status_code == 400
        assert "Location" not in answer.headers
