"""Step 6: nothing is lost by a restart."""

import signal
import threading

import pytest
import requests
from deployment import PASSWORD, USER
from person import SESSION_COOKIE, Person


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_a_restart_loses_no_session_no_user_and_no_key(own_door, sig):
    person = Person(own_door.url)
    person.log_in(USER, PASSWORD)
    keys = requests.get(own_door.url + "/dex/keys").json()
    own_door.restart(sig)
    assert person.get("/pipeline/").status_code == 200
    assert requests.get(own_door.url + "/dex/keys").json() == keys
    assert Person(own_door.url).log_in(USER, PASSWORD).status_code == 200


def test_a_login_in_progress_survives_a_restart(own_door):
    person = Person(own_door.url)
    page = person.login_page("/pipeline/?kept=1")
    own_door.restart()
    answer = person.submit_login(page, USER, PASSWORD, follow=True)
    assert answer.url == own_door.url + "/pipeline/?kept=1"


def test_sigterm_finishes_what_is_under_way(own_door):
    person = Person(own_door.url)
    person.log_in(USER, PASSWORD)
    sending = threading.Event()
    release = threading.Event()

    def slow_body():
        yield b"first"
        sending.set()
        release.wait(30)
        yield b"last"

    result = {}

    def upload():
        result["answer"] = requests.post(own_door.url + "/pipeline/", data=slow_body(),
                                         cookies={SESSION_COOKIE: person.cookie()})

    thread = threading.Thread(target=upload)
    thread.start()
    assert sending.wait(30)
    stopping = [role for role in own_door.roles if role.name in ("all", "gateway")]
    for role in stopping:
        role.process.send_signal(signal.SIGTERM)
    release.set()
    thread.join()
    assert result["answer"].json()["body_bytes"] == 9
    for role in stopping:
        assert role.process.wait(timeout=60) == 0
        role.start()
