"""Health, metrics and the log."""

import json
import re
import signal
import time

import requests
from deployment import Deployment
from gateway_alone import eventually


def operations(door, path):
    return requests.get(f"http://127.0.0.1:{door.operations_port}{path}", timeout=10)


def test_live_and_ready(door):
    assert operations(door, "/healthz/live").status_code == 200
    assert operations(door, "/healthz/ready").status_code == 200


def test_metrics_count_requests_by_route_and_status(door, alice):
    def count() -> float:
        text = operations(door, "/metrics").text
        return sum(float(value) for labels, value in
                   re.findall(r"^gatehouse_\w*requests_total\{([^}]*)\} (\S+)$", text, re.M)
                   if 'route="samples"' in labels and "2" in labels)
    # An answer may be with its client before it is counted: those of the login too.
    before = count()
    while before != (before := count()):
        pass
    for _ in range(5):
        alice.get("/pipeline/")
    eventually(lambda: count() - before >= 5)
    assert count() - before == 5


def test_metrics_are_not_on_the_front_port(door):
    assert requests.get(door.url + "/metrics", allow_redirects=False).status_code == 301


def test_the_access_log_has_no_query_and_no_cookie(door, alice):
    alice.get("/pipeline/logged?secret=in-the-query")
    cookie = alice.cookie()
    logs = door.logs()
    assert "in-the-query" not in logs and cookie not in logs


def test_a_request_id_is_passed_on_and_fresh(alice):
    ids = {alice.get("/pipeline/", headers={"X-Request-Id": "forged"}).json()["headers"]["x-request-id"]
           for _ in range(3)}
    assert len(ids) == 3 and "forged" not in ids


def test_forwarded_headers_tell_the_truth(alice):
    seen = alice.get("/pipeline/", headers={
        "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil.example",
        "X_Forwarded_For": "1.2.3.4", "Forwarded": "for=1.2.3.4", "X-Forwarded-Prefix": "/evil",
        "X-Real-Ip": "1.2.3.4", "X-Original-Uri": "/evil"}).json()["headers"]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert seen["x-forwarded-host"].startswith("localhost:")
    assert "1.2.3.4" not in str(seen) and "evil" not in str(seen)


def test_the_access_log_may_be_a_file_that_is_opened_again(tmp_path):
    path = tmp_path / "access.log"
    own = Deployment("one", all={"gateway": {"access_log": {"form": "json", "path": str(path)}}})
    own.start()
    try:
        wait_for_line(own, path)
        path.rename(tmp_path / "access.log.1")
        own.roles[0].process.send_signal(signal.SIGHUP)
        wait_for_line(own, path)
    finally:
        own.close()


def wait_for_line(door, path) -> None:
    """Asks until the file has a line."""
    end = time.monotonic() + 30
    while not path.exists() or not path.read_text():
        assert time.monotonic() < end, door.logs()[-2000:]
        requests.get(door.url + "/", allow_redirects=False, timeout=10)
        time.sleep(0.05)
    assert json.loads(path.read_text().splitlines()[0])["status"] in (200, 301)
