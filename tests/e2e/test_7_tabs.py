"""Step 7: several tabs, stale and replayed callbacks."""

from deployment import PASSWORD, USER
from person import Person


def test_two_tabs_that_log_in_at_once_both_end_at_their_own_page(door):
    person = Person(door.url)
    one = person.login_page("/pipeline/?tab=1")
    two = person.login_page("/pipeline/?tab=2")
    assert person.submit_login(two, USER, PASSWORD, follow=True).url.endswith("/pipeline/?tab=2")
    assert person.submit_login(one, USER, PASSWORD, follow=True).url.endswith("/pipeline/?tab=1")


def test_many_open_logins_do_not_outgrow_the_header_limit(door):
    person = Person(door.url)
    for i in range(30):
        page = person.login_page(f"/pipeline/?tab={i}")
    size = sum(len(c.name) + len(c.value) for c in person.session.cookies)
    assert size < 12_000
    assert person.submit_login(page, USER, PASSWORD, follow=True).url.endswith("?tab=29")


def test_a_replayed_callback_with_a_live_session_leads_on(door):
    person = Person(door.url)
    login = person.submit_login(person.login_page("/pipeline/?x=1"), USER, PASSWORD)
    person.get(login.headers["Location"])
    again = person.get(login.headers["Location"])
    assert again.status_code in (302, 303)
    assert person.get(again.headers["Location"], follow=True).status_code == 200


def test_a_replayed_callback_without_a_session_starts_afresh(door):
    person = Person(door.url)
    login = person.submit_login(person.login_page("/pipeline/?x=1"), USER, PASSWORD)
    person.get(login.headers["Location"])
    thief = Person(door.url)
    answer = thief.get(login.headers["Location"])
    assert answer.status_code in (301, 302, 303)
    page = thief.get(answer.headers["Location"], follow=True)
    assert "/dex/auth/local/login" in page.url
    assert not thief.cookie()


def test_a_foreign_state_starts_afresh(stranger):
    answer = stranger.get("/authservice/oidc/callback?code=stolen&state=foreign")
    assert answer.status_code in (301, 302, 303)
    assert not stranger.cookie()


def test_a_callback_without_parameters_is_no_raw_error(stranger, alice):
    page = stranger.get("/authservice/oidc/callback")
    assert page.status_code == 400 and 'href="/"' in page.text
    assert alice.get("/authservice/oidc/callback").status_code in (302, 303)
