"""Upstreams that are down, slow, or break the rules: a clear answer, and never a complete-looking one."""

import http.client
import socket
import time

import pytest
from person import SESSION_COOKIE


def visit(alice, door, path="/raw/"):
    """Status and body, or the exception that a cut-short answer must raise."""
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=20)
    connection.request("GET", path, headers={"Cookie": f"{SESSION_COOKIE}={alice.cookie()}",
                                             "Host": f"localhost:{door.port}"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_an_upstream_that_is_down_gives_503_with_an_id_and_no_address(alice, door):
    status, body = visit(alice, door, "/nobody/")
    assert status == 503
    assert b"127.0.0.1" not in body


def test_a_slow_upstream_gives_504(alice, door, raw_upstream):
    raw_upstream.answer = lambda connection, head: time.sleep(4)
    assert visit(alice, door)[0] == 504


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n",
], ids=["length", "chunked", "bad-chunk"])
def test_an_answer_cut_short_looks_cut_short(alice, door, raw_upstream, answer):
    def cut(connection, head):
        connection.sendall(answer)
    raw_upstream.answer = cut
    with pytest.raises((http.client.IncompleteRead, http.client.HTTPException, ConnectionError)):
        status, _ = visit(alice, door)
        if status == 502:  # found out before the head went on: as good
            raise http.client.IncompleteRead(b"")


GARBAGE = {
    "garbage": b"garbage\r\n\r\n",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "negative-length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
    "both-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bare-lf": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "nul": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "unasked-101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "huge-head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    "status-0": b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
def test_an_upstream_that_breaks_http_gives_502(alice, door, raw_upstream, answer):
    def say(connection, head):
        connection.sendall(answer)
    raw_upstream.answer = say
    assert visit(alice, door)[0] == 502


def test_an_upstream_that_hangs_up_without_an_answer_gives_503(alice, door, raw_upstream):
    raw_upstream.answer = lambda connection, head: None
    assert visit(alice, door)[0] == 503


def test_interim_answers_are_passed_over(alice, door, raw_upstream):
    raw_upstream.answer = (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                           b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert visit(alice, door) == (200, b"ok")


def test_an_upstream_cannot_set_the_session_cookie(alice, door, raw_upstream):
    raw_upstream.answer = (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                           b"Set-Cookie: gatehouse_session=stolen; Path=/\r\n"
                           b"Set-Cookie: theirs=1\r\n\r\nok")
    answer = alice.get("/raw/")
    cookies = answer.raw.headers.getlist("Set-Cookie")
    assert cookies == ["theirs=1"]


def test_bytes_behind_an_answer_do_not_reach_the_next_person(alice, door, raw_upstream):
    def two(connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                           b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
        time.sleep(0.2)
    raw_upstream.answer = two
    assert [visit(alice, door)[1] for _ in range(3)] == [b"ok"] * 3


def test_a_client_that_goes_away_ends_the_upstream_s_work(alice, door, raw_upstream):
    noticed = []

    def wait_for_end(connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        try:
            noticed.append(connection.recv(1) == b"")
        except ConnectionResetError:
            noticed.append(True)
    raw_upstream.answer = wait_for_end
    with socket.create_connection(("127.0.0.1", door.port), 10) as client:
        client.sendall((f"GET /raw/ HTTP/1.1\r\nHost: localhost:{door.port}\r\n"
                        f"Cookie: {SESSION_COOKIE}={alice.cookie()}\r\n\r\n").encode())
        assert client.recv(4096)
    end = time.monotonic() + 10
    while not noticed and time.monotonic() < end:
        time.sleep(0.02)
    assert noticed == [True]
