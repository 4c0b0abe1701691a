"""The session's cookie byte by byte: however it is written, who is let in by it has it taken away, and
no upstream can plant one."""

import pytest
from deployment import USER
from raw_site import GET, GUARDED, UPGRADED, WEBSOCKET, front_door, saying
from wire import H2, get, ok, then_close


@pytest.fixture(scope="module")
def site():
    with front_door() as running:
        yield running


# COOKIE is the session's cookie, TOKEN its value. By what is here Alice is let in.
LETS_IN = [
    "COOKIE", "gatehouse_session =TOKEN", "gatehouse_session= TOKEN", "gatehouse_session = TOKEN",
    "gatehouse_session\t=TOKEN", "gatehouse_session=TOKEN\t", " COOKIE", ";COOKIE", ";;;COOKIE;;",
    "COOKIE;", "COOKIE; ", "COOKIE; ;", "$Version=1; COOKIE", '$Version="1"; COOKIE; $Path="/"',
    'a="b; COOKIE; c"', 'a="; COOKIE', 'a=\\"; COOKIE', "a; COOKIE", "=; COOKIE", "a=b=c; COOKIE",
    "a==; COOKIE", "gatehouse_session=bad; COOKIE", "COOKIE; gatehouse_session=bad",
    "gatehouse_session=; COOKIE", "COOKIE; gatehouse_session=", "gatehouse_session; COOKIE",
    "COOKIE; COOKIE", "__Host-gatehouse_session=bad; COOKIE", "COOKIE; __Host-gatehouse_session=bad",
    "gatehouse_other=v; COOKIE", "gatehouse_=v; COOKIE", "Gatehouse_other=v; COOKIE",
    "gatehouse=v; COOKIE", "a=b; " * 200 + "COOKIE", "a=" + "x" * 8_000 + "; COOKIE",
    "COOKIE; a=" + "x" * 8_000, "a=b\r\nCookie: COOKIE", "COOKIE\r\nCookie: a=b",
    "COOKIE\r\ncookie: gatehouse_session=bad", "\r\nCookie: COOKIE", "COOKIE\r\nCookie:",
    "a=b; COOKIE\r\nCookie2: $Version=1"]
# By what is here nobody is: it is another cookie, or another value.
LETS_NOBODY_IN = [
    'gatehouse_session="TOKEN"', "a=b,COOKIE", "a=b, COOKIE", "COOKIE, a=b", "COOKIE,a=b",
    'a="b; COOKIE"', 'a="COOKIE"', "GATEHOUSE_SESSION=TOKEN", "Gatehouse_Session=TOKEN",
    "gatehouse_session%3dTOKEN", "gatehouse%5Fsession=TOKEN", "gatehouse-session=TOKEN",
    "gatehouse.session=TOKEN", "gatehouse_session=TOKEN%20", "gatehouse_session=TOKENx",
    "gatehouse_session=TOKEN=", "gatehouse_session==TOKEN", "=COOKIE", "==COOKIE", "a=b\tCOOKIE",
    "xCOOKIE", "__Secure-COOKIE", "__host-COOKIE", "__Host-COOKIE", "gatehouse_session:TOKEN",
    "gatehouse_sessio=TOKEN", "gatehouse_session_=TOKEN", "a=COOKIE", "a=b COOKIE", "gatehouse_session",
    "gatehouse_session=", "gatehouse_session=" + "x" * 20_000, "", ";", "=", "; ;",
    "a=b\r\nCookie2: COOKIE", "a=b\r\nSet-Cookie: COOKIE", "a=b\r\nX-Cookie: COOKIE",
    "a=b\r\nAuthorization: Basic TOKEN", "a=b\r\nCookie_: COOKIE", "COOKIE\r\nConnection: cookie"]


def names(forms: list[str]) -> list[str]:
    return [form[:60] for form in forms]


def with_cookie(site, head: bytes, form: str) -> bytes:
    """The head with such a Cookie."""
    token = site.cookie.partition(b"=")[2]
    fields = form.encode().replace(b"COOKIE", site.cookie).replace(b"TOKEN", token)
    return head.replace(b"Cookie: COOKIE\r\n", b"") + b"Cookie: " + fields + b"\r\n\r\n"


def assert_private(site, seen) -> None:
    """No upstream sees the session, nor another cookie of the gateway's own."""
    token = site.cookie.partition(b"=")[2]
    assert token not in seen.head
    for value in seen.all("cookie"):
        names = [pair.partition("=")[0].strip() for pair in value.split(";")]
        assert not [name for name in names if name.startswith(("gatehouse_", "__Host-gatehouse_"))]


@pytest.mark.parametrize("head", [GUARDED, GET], ids=["guarded", "open"])
@pytest.mark.parametrize("form", LETS_IN, ids=names(LETS_IN))
def test_who_is_let_in_leaves_the_session_at_the_door(site, form, head):
    before = site.mark()
    with site.client(with_cookie(site, head, form)) as client:
        assert client.answer().status == 200
    (seen,) = site.upstream.since(before)
    assert_private(site, seen)
    assert seen.all("kubeflow-userid") == ([USER] if head == GUARDED else [])


# HTTP/2 lets a client send each cookie in a field of its own (RFC 9113 §8.2.3).
CRUMBS = [["COOKIE"], ["a=b", "COOKIE", "c=d"], ["a=b; COOKIE", "c=d"], ["COOKIE;", "a=b"],
          ["", "COOKIE"], ["gatehouse_session=bad", "COOKIE"], ["COOKIE", "gatehouse_session=bad"],
          ["COOKIE", "COOKIE"], ["gatehouse_other=v", "COOKIE"], ["a", "COOKIE", "b"]]


@pytest.mark.parametrize("path", ["/guarded/x", "/open/x"])
@pytest.mark.parametrize("crumbs", CRUMBS, ids=str)
def test_so_does_who_sends_it_in_crumbs(site, crumbs, path):
    before = site.mark()
    fields = [("cookie", crumb.encode().replace(b"COOKIE", site.cookie)) for crumb in crumbs]
    with H2(site.door.port) as client:
        assert client.ask(*get(path), *fields) == 200
    (seen,) = site.upstream.since(before)
    assert_private(site, seen)
    assert seen.all("kubeflow-userid") == ([USER] if path == "/guarded/x" else [])


BEARERS = ["Bearer TOKEN", "bearer TOKEN", "BEARER TOKEN", "Bearer  TOKEN", "Bearer TOKEN ",
           "Bearer x\r\nAuthorization: Bearer TOKEN", "Bearer TOKEN\r\nAuthorization: Bearer x",
           "Basic x\r\nAuthorization: Bearer TOKEN"]


@pytest.mark.parametrize("value", BEARERS)
def test_so_does_who_is_let_in_by_it_as_a_bearer_token(site, value):
    token = site.cookie.partition(b"=")[2]
    before = site.mark()
    field = b"Authorization: " + value.encode().replace(b"TOKEN", token)
    with site.client(GUARDED.replace(b"Cookie: COOKIE", field) + b"\r\n") as client:
        assert client.answer().status == 200
    (seen,) = site.upstream.since(before)
    assert_private(site, seen)
    assert seen.all("kubeflow-userid") == [USER]


@pytest.mark.parametrize("form", LETS_NOBODY_IN, ids=names(LETS_NOBODY_IN))
def test_nobody_is_let_in_by_another_cookie(site, form):
    before = site.mark()
    with site.client(with_cookie(site, GUARDED, form)) as client:
        assert client.answer().status in (301, 401)
    assert site.upstream.since(before) == []


@pytest.mark.parametrize("byte", [bytes([c]) for c in [*range(9), *range(10, 0x20), 0x7f]], ids=repr)
def test_a_cookie_with_a_control_byte_is_refused(site, byte):
    before = site.mark()
    for raw in (b"a=" + byte + b"; " + site.cookie, site.cookie + byte, byte + site.cookie):
        with site.client(GET + b"Cookie: " + raw + b"\r\n\r\n") as client:
            assert client.answer().status == 400
    assert site.upstream.since(before) == []


# --- what upstreams would plant ---

PLANTED = [
    "gatehouse_session=evil", " gatehouse_session=evil", "gatehouse_session =evil",
    "gatehouse_session\t=evil", "gatehouse_session", "gatehouse_session;", "gatehouse_session=",
    "gatehouse_session=evil; Path=/; HttpOnly", "gatehouse_session=evil, a=b", "gatehouse_=evil",
    "gatehouse_login_x=evil", "__Host-gatehouse_session=evil; Secure; Path=/",
    # A browser takes a cookie without a name for one whose value it then sends alone.
    "=gatehouse_session=evil", "==gatehouse_session=evil", " =gatehouse_session=evil",
    "= gatehouse_session=evil", "=gatehouse_session", "=__Host-gatehouse_session=evil"]
OTHERS = [
    "a=evil", "Gatehouse_Session=evil", "GATEHOUSE_SESSION=evil", "a=b, gatehouse_session=evil",
    "a=b; gatehouse_session=evil", '"gatehouse_session"=evil', "gatehouse%5fsession=evil",
    "xgatehouse_session=evil", "$gatehouse_session=evil", "gatehouse=evil", "; gatehouse_session=evil"]
ANSWERS = {
    "length": lambda field: ok(b"ok", field),
    "chunks": lambda field: ok(b"2\r\nok\r\n0\r\n\r\n", field).replace(
        b"Content-Length: 12", b"Transfer-Encoding: chunked"),
    "until the end": lambda field: then_close(b"HTTP/1.1 200 OK\r\n" + field + b"\r\nok"),
    "an error": lambda field: ok(b"ok", field).replace(b"200 OK", b"500 X"),
}


@pytest.mark.parametrize("reply", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("cookie", PLANTED)
def test_no_upstream_plants_a_cookie_of_the_gateway_s(site, cookie, reply):
    field = f"Set-Cookie: {cookie}\r\nSet-Cookie: a=b\r\nset-cookie: {cookie}\r\n".encode()
    site.upstream.scripts["plant"] = reply(field)
    with site.client(saying("plant") + b"\r\n") as client:
        got = client.answer()
    assert got.body == b"ok" and got.all("set-cookie") == ["a=b"]


@pytest.mark.parametrize("cookie", OTHERS)
def test_what_only_looks_like_one_goes_on(site, cookie):
    site.upstream.scripts["plant"] = ok(b"ok", f"Set-Cookie: {cookie}\r\n".encode())
    with site.client(saying("plant") + b"\r\n") as client:
        assert client.answer().all("set-cookie") == [cookie]


@pytest.mark.parametrize("cookie", PLANTED)
def test_nor_with_the_answer_to_an_upgrade(site, cookie):
    fields = f"Set-Cookie: {cookie}\r\nSet-Cookie: a=b\r\n\r\n".encode()
    site.upstream.scripts["plant"] = then_close(UPGRADED[:-2] + fields)
    with site.client(saying("plant", GUARDED) + WEBSOCKET) as client:
        got = client.answer()
    assert got.status == 101 and got.all("set-cookie") == ["a=b"]


@pytest.mark.parametrize("cookie", PLANTED)
def test_nor_behind_an_answer_s_chunks(site, cookie):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
    site.upstream.scripts["plant"] = head + f"Set-Cookie: {cookie}\r\n\r\n".encode()
    with site.client(saying("plant") + b"Connection: close\r\n\r\n") as client:
        while client.more():
            pass
        assert b"set-cookie" not in client.buffer.lower()
