"""Step 5: the end of a session, everywhere."""

import time

import pytest
import requests
import websocket
from deployment import PASSWORD, USER
from person import NAVIGATION, SESSION_COOKIE, Forms, Person
from test_4_requests import open_websocket


def is_refused(url: str, cookie: str) -> bool:
    """By every loop: fresh connections are spread over all of them."""
    answers = [requests.get(url + "/pipeline/", cookies={SESSION_COOKIE: cookie},
                            allow_redirects=False).status_code for _ in range(24)]
    assert set(answers) <= {200, 301}
    return set(answers) == {301}


def log_out(person):
    return person.post("/authservice/logout", headers=NAVIGATION | {
        "Origin": person.url, "Sec-Fetch-Site": "same-origin"})


def test_logout_ends_the_session_in_every_loop(alice):
    cookie = alice.cookie()
    assert not is_refused(alice.url, cookie)
    answer = log_out(alice)
    assert answer.status_code in (302, 303)
    assert is_refused(alice.url, cookie)
    assert alice.cookie() is None


def test_logout_ends_one_session_only(door, alice):
    other = Person(door.url)
    other.log_in(USER, PASSWORD)
    log_out(alice)
    assert not is_refused(door.url, other.cookie())


def test_the_signed_out_page_does_not_log_in_again(alice):
    page = alice.get(log_out(alice).headers["Location"], follow=True)
    assert page.status_code == 200
    assert "/dex/auth" not in page.url
    assert "http-equiv" not in page.text and "<script" not in page.text


def test_a_get_shows_a_page_whose_button_ends_the_session(alice):
    cookie = alice.cookie()
    page = alice.get("/authservice/logout", headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200
    assert not is_refused(alice.url, cookie)
    form = Forms(page.text).forms[0]
    assert (form["method"], form["action"]) == ("post", "/authservice/logout")
    log_out(alice)
    assert is_refused(alice.url, cookie)


def test_another_site_cannot_end_a_session(alice):
    cookie = alice.cookie()
    answer = alice.post("/authservice/logout", headers={"Origin": "https://evil.example",
                                                        "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert not is_refused(alice.url, cookie)


def test_scripts_log_out_with_the_cookie_s_value_as_bearer(alice):
    cookie = alice.cookie()
    answer = requests.post(alice.url + "/authservice/logout",
                           headers={"Authorization": f"Bearer {cookie}"})
    assert answer.status_code == 201
    assert "afterLogoutURL" in answer.json()
    assert is_refused(alice.url, cookie)


def test_open_websockets_close_within_a_second_of_the_logout(alice):
    client = open_websocket(alice)
    client.send("before")
    assert client.recv() == "before"
    log_out(alice)
    started = time.monotonic()
    with pytest.raises((websocket.WebSocketConnectionClosedException, OSError)):
        if client.recv() == "":
            raise websocket.WebSocketConnectionClosedException("closed")
    # The promise is one second; a sanitizer's build on a busy machine gets some more.
    assert time.monotonic() - started < 5


def test_open_event_streams_end_too(alice):
    with alice.get("/events", stream=True) as events:
        lines = events.iter_lines()
        next(lines)
        log_out(alice)
        started = time.monotonic()
        with pytest.raises(requests.RequestException):
            for _ in lines:
                pass
            raise requests.ConnectionError("ended")
    assert time.monotonic() - started < 5


def test_a_logged_out_session_is_refused_after_a_restart(own_door):
    person = Person(own_door.url)
    person.log_in(USER, PASSWORD)
    cookie = person.cookie()
    log_out(person)
    own_door.restart()
    assert is_refused(own_door.url, cookie)
