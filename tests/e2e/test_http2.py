"""HTTP/2 at the front, as curl and h2load speak it: by prior knowledge, and by ALPN over TLS."""

import re
import subprocess

import pytest
from person import SESSION_COOKIE

DISCOVERY = "/dex/.well-known/openid-configuration"
SECONDS = 60


def curl(*arguments: str) -> str:
    """What curl printed; the status and the version of the protocol come last."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--insecure", "--max-time", str(SECONDS),
         "--write-out", "\n%{http_code} HTTP/%{http_version}", *arguments],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def last_line(text: str) -> str:
    return text.rsplit("\n", 1)[-1]


def test_prior_knowledge(door):
    got = curl("--http2-prior-knowledge", door.url + DISCOVERY)
    assert last_line(got) == "200 HTTP/2"
    assert '"issuer"' in got


def test_an_upgrade_to_h2c_is_not_heeded(door):
    assert last_line(curl("--http2", door.url + DISCOVERY)) == "200 HTTP/1.1"


def test_alpn_chooses_http2(tls_door):
    assert last_line(curl("--http2", tls_door.url + DISCOVERY)) == "200 HTTP/2"
    assert last_line(curl("--http1.1", tls_door.url + DISCOVERY)) == "200 HTTP/1.1"


def test_a_stranger_is_sent_to_log_in(door):
    got = curl("--http2-prior-knowledge", "--include", door.url + "/notebooks/")
    assert re.match(r"HTTP/2 30[123]", got), got
    assert re.search(r"^location: .*/dex/auth", got, re.MULTILINE), got


def test_a_signed_in_person_reaches_the_service(door, alice):
    got = curl("--http2-prior-knowledge", "--cookie", f"{SESSION_COOKIE}={alice.cookie()}",
               door.url + "/")
    assert last_line(got) == "200 HTTP/2"


@pytest.mark.parametrize("path", ["/a/../b", "/a%2fb", "/%2e%2e/x", "/a%00"])
def test_ambiguous_paths_are_refused(door, path):
    got = curl("--http2-prior-knowledge", "--path-as-is", door.url + path)
    assert last_line(got) == "400 HTTP/2"


def test_many_streams_on_few_connections(door):
    done = subprocess.run(["h2load", "-n", "2000", "-c", "4", "-m", "16", door.url + DISCOVERY],
                          capture_output=True, text=True, timeout=SECONDS, check=True)
    assert "2000 succeeded, 0 failed" in done.stdout, done.stdout
    assert "2000 2xx" in done.stdout, done.stdout
