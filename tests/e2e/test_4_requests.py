"""Step 4: judged requests, identity headers, streams, WebSockets, bodies."""

import socket
import threading
import time

import pytest
import requests
import websocket
from deployment import USER
from person import SESSION_COOKIE

SPELLINGS = ["kubeflow-userid", "Kubeflow-Userid", "KUBEFLOW-USERID", "kubeflow_userid",
             "Kubeflow_UserId", "kubeflow-groups", "kubeflow_groups", "kubeflow.userid"]


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_client_s_own_identity_headers_never_arrive(alice, name):
    seen = alice.get("/pipeline/", headers={name: "root@example.com"}).json()["headers"]
    assert "root@example.com" not in str(seen)
    assert seen["kubeflow-userid"] == USER


def test_identity_headers_do_not_pass_without_authentication_either(door, raw_upstream):
    before = len(raw_upstream.requests)
    answer = requests.get(door.url + "/dex/healthz", headers={"kubeflow-userid": "root@example.com"})
    assert answer.status_code == 200
    assert len(raw_upstream.requests) == before


def test_connection_header_cannot_drop_the_identity(alice):
    seen = alice.get("/pipeline/", headers={"Connection": "close, kubeflow-userid"}).json()
    assert seen["headers"]["kubeflow-userid"] == USER


def test_the_session_cookie_never_reaches_an_upstream(alice):
    alice.session.cookies.set("other", "kept", domain="localhost.local", path="/")
    seen = alice.get("/pipeline/", headers={"Cookie": f"mine=1; {SESSION_COOKIE}={alice.cookie()}; b=2"})
    cookies = seen.json()["headers"].get("cookie", "")
    assert SESSION_COOKIE not in cookies and alice.cookie() not in seen.text
    assert "mine=1" in cookies and "b=2" in cookies


def test_path_and_query_arrive_byte_for_byte(alice):
    seen = alice.get("/pipeline/a%20b/?ns=a%20b&x=%2F").json()
    assert (seen["path"], seen["query"]) == ("/pipeline/a%20b/", "ns=a%20b&x=%2F")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_methods_pass(alice, method):
    answer = alice.session.request(method, alice.url + "/pipeline/", allow_redirects=False)
    assert answer.status_code == 200
    if method != "HEAD":
        assert answer.json()["method"] == method


def test_a_chunked_upload_is_streamed(alice):
    def pieces():
        for _ in range(64):
            yield b"x" * 65536
    assert alice.post("/pipeline/", data=pieces()).json()["body_bytes"] == 64 * 65536


def test_expect_continue_is_answered(alice, door):
    with socket.create_connection(("127.0.0.1", door.port), 10) as client:
        client.sendall((f"POST /pipeline/ HTTP/1.1\r\nHost: localhost:{door.port}\r\n"
                        f"Cookie: {SESSION_COOKIE}={alice.cookie()}\r\nContent-Length: 5\r\n"
                        "Expect: 100-continue\r\n\r\n").encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"hello")
        assert b'"body_bytes":5' in read_until(client, b"}\n")


def read_until(client: socket.socket, mark: bytes) -> bytes:
    got = b""
    while mark not in got:
        piece = client.recv(65536)
        if not piece:
            break
        got += piece
    return got


def test_server_sent_events_pass_as_they_come(alice):
    with alice.get("/events", stream=True) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        arrivals = []
        for line in answer.iter_lines():
            if line.startswith(b"data:"):
                arrivals.append(time.monotonic())
            if len(arrivals) == 3:
                break
    assert arrivals[2] - arrivals[0] > 1


def open_websocket(person, path="/ws") -> websocket.WebSocket:
    return websocket.create_connection(
        person.url.replace("http", "ws", 1) + path, timeout=30,
        header=[f"Cookie: {SESSION_COOKIE}={person.cookie()}"])


def test_a_websocket_echoes_text_and_big_messages(alice):
    client = open_websocket(alice)
    for message in ("hello", "ü" * 1000, "x" * 1_000_000):
        client.send(message)
        assert client.recv() == message
    client.close()


def test_a_websocket_needs_a_session(door):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(door.url.replace("http", "ws", 1) + "/ws", timeout=30)
    assert refused.value.status_code == 401


def test_many_requests_at_a_time(alice):
    failures = []

    def visit():
        for _ in range(20):
            answer = requests.get(alice.url + "/pipeline/",
                                  cookies={SESSION_COOKIE: alice.cookie()}, allow_redirects=False)
            if answer.status_code != 200:
                failures.append(answer.status_code)

    threads = [threading.Thread(target=visit) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_the_verdict_is_served_to_others_at_verify(alice, stranger):
    good = alice.get("/authservice/verify")
    assert good.status_code in (200, 204) and good.headers["kubeflow-userid"] == USER
    assert stranger.get("/authservice/verify", headers={"X-Requested-With": "x"}).status_code == 401
