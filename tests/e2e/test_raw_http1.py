"""HTTP/1.1 byte by byte: what two readers could take for two things is refused, and what goes on, to
the upstream or back to the client, is in one form.

Each case opens a socket, sends bytes, and looks at the answer, at whether the connection closes, and
at what the upstream was sent. One front door, with its gatekeeper in the same process, serves all.
"""

import contextlib
import itertools
import re
import socket
import threading
import urllib.parse

import hpack
import pytest
from deployment import USER
from person import SESSION_COOKIE
from raw_site import (ACCEPT, BEHIND, CHUNKED, GET, GUARDED, KEY, LAST, POST, SWITCHED, UPGRADED,
                      WEBSOCKET, Site, front_door, named, saying, table)
from wire import (END_HEADERS, END_STREAM, H2, HEADERS, RESET, Client, Cut, Seen, at_hand, block, frame,
                  get, ok, then_close)


@pytest.fixture(scope="module")
def site():
    with front_door() as running:
        yield running


# --- heads that are refused ---

REFUSED: dict[str, tuple[bytes, tuple[int, ...]]] = {}


def refuse(statuses: tuple[int, ...], cases: dict[str, bytes]) -> None:
    assert not REFUSED.keys() & cases.keys(), REFUSED.keys() & cases.keys()
    REFUSED.update({name: (raw, statuses) for name, raw in cases.items()})


# Content-Length: digits and nothing else (RFC 9110 §8.6), once.
refuse((400, 413), named("length", [
    b"+5", b"-5", b"-0", b"+0", b"5,5", b"5, 5", b"5,6", b"5,", b",5", b"5;", b"5 5", b"5\t5", b"0x5",
    b"0X05", b"0b101", b"0o5", b"5.0", b"5e0", b"5_0", b"", b" ", b"\t", b"five", b"'5'", b'"5"', b"5h",
    b"h5", b"$5", b"5%", b"%35", b"\x0b5", b"5\x0c", b"5\x00", b"\x005", b"\xa05", b"5\xa0",
    "٥".encode(), "５".encode(), b"- 5", b"5-", b"5/5", b"*", b"nan", b"inf", b"99999999999999999999",
    b"18446744073709551616", b"18446744073709551621", b"9223372036854775808", b"-9223372036854775803",
    b"1" * 40], lambda value: POST + b"Content-Length: %s\r\n\r\nhello" % value))
refuse((400,), {
    f"two lengths {first!r} {second!r}":
        POST + f"Content-Length: {first}\r\n{between}content-length: {second}\r\n\r\nhello".encode()
    for first, second, between in [
        ("5", "5", ""), ("5", "6", ""), ("6", "5", ""), ("0", "5", ""), ("5", "", ""), ("", "5", ""),
        ("5", "0", "X: y\r\n"), ("5", "+5", ""), ("5", "05", "")]})
refuse((400,), {
    "length, folded": POST + b"Content-Length:\r\n 5\r\n\r\nhello",
    "length of GET, twice": GET + b"Content-Length: 0\r\nContent-Length: 30\r\n\r\n",
    "length on HTTP/1.0, twice": POST.replace(b"1.1", b"1.0")
        + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
})

# Transfer-Encoding: only chunked, once and last, is understood (RFC 9112 §6.1).
refuse((400, 501), named("coding", [
    b"xchunked", b"chunkedx", b"chunk", b"chunked, chunked", b"chunked,chunked", b"chunked chunked",
    b"gzip, chunked", b"chunked, gzip", b"gzip", b"deflate", b"compress", b"x-gzip", b"br", b"identity",
    b"identity, chunked", b"chunked, identity", b",chunked", b"chunked,", b", ,chunked", b"\x0bchunked",
    b"chunked\x0b", b"\x0cchunked", b"chunked\x00", b"\x00chunked", b"chu\x00nked", b"chunked\x1f",
    b"\xa0chunked", b"chunked\xa0", b'"chunked"', b"'chunked'", b"chunked;x=1", b"chunked ;q=0.5",
    b"chunked;", b"x, chunked", b"cow", b"cow, chunked", b"trailers", b"trailers, chunked", b"",
    b"chunked\x7f", b"chunked/1", b"chunked:", b"c hunked", b"%63hunked", b"chu\tnked",
    "ｃhunked".encode(), "chun\u212aed".encode(), b"false", b"0", b"null", b"chunked\\", b"<chunked>"],
    lambda value: POST + b"Transfer-Encoding: %s\r\n\r\n0\r\n\r\n" % value))
refuse((400, 501), named("coding by the name", [
    b"Transfer-Encoding ", b"Transfer-Encoding\t", b" Transfer-Encoding", b"\tTransfer-Encoding",
    b"Transfer-Encoding\x00", b"\x00Transfer-Encoding", b"Transfer\x00-Encoding",
    b"Transfer-Encoding\x0b", b"Transfer-Encoding\x0c", b"Transfer-Encoding\xa0",
    b"\xefTransfer-Encoding", b"Transfer Encoding", b"Transfer-Encoding\r", b"X: y\nTransfer-Encoding",
    b"X: y\rTransfer-Encoding", b"Transfer-Encoding:", b"Transfer-Encoding(x)", b"Transfer-Encoding,X",
    b"X, Transfer-Encoding", b'"Transfer-Encoding"', b"Transfer-Encoding;",
    b"Transfer-Encoding=chunked\r\nX"],
    lambda name: POST + b"Content-Length: 5\r\n%s: chunked\r\n\r\n0\r\n\r\n" % name))
refuse((400,), {
    "coding, folded": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "coding, half folded": POST + b"Transfer-Encoding: chunked\r\n , identity\r\n\r\n0\r\n\r\n",
    "coding, quoted over a fold": POST + b'Transfer-Encoding: "\r\n chunked\r\n\r\n0\r\n\r\n',
})
refuse((400, 501), {
    f"two codings {first!r} {second!r}": POST
        + f"Transfer-Encoding: {first}\r\n{between}transfer-encoding: {second}\r\n\r\n".encode()
        + b"0\r\n\r\n"
    for first, second, between in [
        ("chunked", "chunked", ""), ("chunked", "identity", ""), ("identity", "chunked", "X: y\r\n"),
        ("gzip", "chunked", ""), ("chunked", "", ""), ("", "chunked", ""), ("chunked", "cow", "")]})


def with_both(first: bytes, second: bytes, head: bytes = POST) -> bytes:
    return head + first + b"\r\n" + second + b"\r\n\r\n0\r\n\r\n"


# Both together: neither is believed.
refuse((400, 501), {
    f"both, {order}: {length.decode()!r} {coding.decode()!r}":
        with_both(length, coding) if order == "length first" else with_both(coding, length)
    for order in ("length first", "coding first")
    for length in (b"Content-Length: 5", b"Content-Length: 0", b"content-length:6")
    for coding in (b"Transfer-Encoding: chunked", b"transfer-encoding:Chunked",
                   b"Transfer-Encoding: identity", b"Transfer-Encoding: xchunked")})
refuse((400,), {
    "both, of GET": with_both(b"Content-Length: 5", b"Transfer-Encoding: chunked", GET),
    "both, on HTTP/1.0": with_both(b"Content-Length: 5", b"Transfer-Encoding: chunked",
                                   POST.replace(b"1.1", b"1.0")),
    "both, the coding nominated away": with_both(
        b"Content-Length: 5\r\nConnection: transfer-encoding", b"Transfer-Encoding: chunked"),
    "both, the length nominated away": with_both(
        b"Content-Length: 5\r\nConnection: content-length", b"Transfer-Encoding: chunked"),
})
refuse((400, 501), {
    f"coding on HTTP/1.0, {name}": POST.replace(b"1.1", b"1.0") + fields + b"\r\n\r\n0\r\n\r\n"
    for name, fields in {
        "alone": b"Transfer-Encoding: chunked", "identity": b"Transfer-Encoding: identity",
        "kept alive": b"Connection: keep-alive\r\nTransfer-Encoding: chunked"}.items()})

# Lines of a head: CRLF ends them, and nothing else (RFC 9112 §2.2, §5.1, §5.2).
refuse((400,), {
    "bare LF throughout": b"GET /open/x HTTP/1.1\nHost: localhost\n\n",
    "bare LF behind the request line": b"GET /open/x HTTP/1.1\nHost: localhost\r\n\r\n",
    "bare LF behind a field": GET + b"X: y\nZ: z\r\n\r\n",
    "bare LF behind the last field": b"GET /open/x HTTP/1.1\r\nHost: localhost\n\r\n",
    "bare LF as the empty line": GET + b"X: y\r\n\n",
    "LF CR": b"GET /open/x HTTP/1.1\n\rHost: localhost\n\r\n\r",
    "bare CR throughout": b"GET /open/x HTTP/1.1\rHost: localhost\r\r",
    "bare CR behind the request line": b"GET /open/x HTTP/1.1\rHost: localhost\r\n\r\n",
    "bare CR behind a field": GET + b"X: y\rZ: z\r\n\r\n",
    "bare CR as the empty line": GET + b"X: y\r\n\rX: z\r\n\r\n",
    "CR CR LF behind a field": GET + b"X: y\r\r\n\r\n",
    "CR CR LF as the empty line": GET + b"X: y\r\n\r\r\n",
    "fold with a space": GET + b"X: y\r\n z\r\n\r\n",
    "fold with a tab": GET + b"X: y\r\n\tz\r\n\r\n",
    "fold of an empty value": GET + b"X:\r\n y\r\n\r\n",
    "fold of nothing": GET + b"X: y\r\n \r\n\r\n",
    "fold before the first field": b"GET /open/x HTTP/1.1\r\n X: y\r\nHost: localhost\r\n\r\n",
    "fold that hides a length": GET + b"X: y\r\n Content-Length: 30\r\n\r\n",
    "a line without colon": GET + b"X\r\n\r\n",
    "an empty name": GET + b": y\r\n\r\n",
    "an empty name before Content-Length": POST + b":x\r\nContent-Length: 5\r\n\r\nhello",
    "a colon alone": GET + b":\r\n\r\n",
    "space before the colon": GET + b"X : y\r\n\r\n",
    "tab before the colon": GET + b"X\t: y\r\n\r\n",
    "space before the colon of Host": b"GET /open/x HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "space before the colon of Content-Length": POST + b"Content-Length : 5\r\n\r\nhello",
    "two empty lines before the request line": b"\r\n\r\n" + GET + b"\r\n",
    "an LF before the request line": b"\n" + GET + b"\r\n",
    "a NUL before the request line": b"\0" + GET + b"\r\n",
    "a byte order mark": "\ufeff".encode() + GET + b"\r\n",
    "a space before the request line": b" " + GET + b"\r\n",
    "a carriage return before the request line": b"\r" + GET + b"\r\n",
    "a chunk before the request line": b"0\r\n\r\n" + GET + b"\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64 + b"\r\n\r\n",
})
refuse((400,), named("field", [
    # Pseudo-fields of HTTP/2 (RFC 9113 §8.3), which would be another request there.
    b":path: /guarded/x", b":authority: evil", b":method: POST", b":scheme: https", b":status: 200",
    b":protocol: websocket", b": path: /guarded/x", b"::path: /guarded/x"],
    lambda field: GET + field + b"\r\n\r\n"))
refuse((400,), named("name with", [
    bytes([c]) for c in b'()<>@,;\\"/[]?={}' + bytes(range(9)) + b"\x0b\x1f\x7f\x80\xa0\xff"],
    lambda byte: GET + b"X%sY: z\r\n\r\n" % byte))
refuse((400,), named("value with", [bytes([c]) for c in range(0x20) if c != 9] + [b"\x7f"],
                     lambda byte: GET + b"X: y%sz\r\n\r\n" % byte))
refuse((400,), {
    "value with a NUL at its end": GET + b"X: y\x00\r\n\r\n",
    "value of a NUL": GET + b"X: \x00\r\n\r\n",
    "value with a line feed in front": GET + b"X:\ny\r\n\r\n",
    "cookie with a NUL": GET + b"Cookie: a=b\0c\r\n\r\n",
})
refuse((431,), {
    "200,000 bytes of a value": GET + b"X: %s\r\n\r\n" % (b"a" * 200_000),
    "200,000 bytes of a name": GET + b"%s: x\r\n\r\n" % (b"a" * 200_000),
    "2,000 fields": GET + b"X: y\r\n" * 2000 + b"\r\n",
})

# Hosts: exactly one, and one reading of it (RFC 9112 §3.2).
refuse((400,), named("host", [
    b"", b" ", b"localhost,localhost", b"localhost,evil.example", b"a,b", b"localhost, localhost",
    b"a b", b"a\tb", b"u@localhost", b"u:p@localhost", b"evil.example@localhost",
    b"localhost@evil.example", b"a:", b"a:0", b"a:65536", b"a:99999", b"a:-1", b"a:+80", b"a:80x",
    b"a:x80", b"a:8 0", b"a: 80", b"a :80", b"a:0x50", b"a:80:80", b"a:80,80", b":80", b":", b"[::1",
    b"::1", b"[::1]x", b"[::1]:", b"[::1]:x", b"[zz]", b"[]", b"[::1%25eth0]", b"[::1%eth0]", b"[a.b]",
    b"[127.0.0.1]", b"localhost/x", b"localhost/", b"localhost?x", b"localhost#x", b"localhost\\x",
    b"http://localhost", b"localhost\x00", b"localhost\x0b", b"localhost%00", b"%6cocalhost", b"*",
    b"..", b"a..b", b".a", b"localhost;x", b"(localhost)", b"<localhost>", b'"localhost"',
    b"localhost\xff", b"localhost\x85", "ｌocalhost".encode(), b"a" * 300, b"localhost\\@evil.example",
    b"a&b", b"a=b", b"a|b", b"a{b}", b"a^b", b"a`b", b"$a", b"!a"],
    lambda host: b"GET /open/x HTTP/1.1\r\nHost: %s\r\n\r\n" % host))
refuse((400,), named("hosts by", [
    b"", b"X-Host: localhost\r\nX-Forwarded-Host: localhost\r\n", b"Host: a\r\nHost: a\r\n",
    b"Host: a\r\nhost: a\r\n", b"Host: a\r\nHost: b\r\n", b"Host: a\r\nX: y\r\nHost: a\r\n",
    b"Host: a\r\nHost:\r\n", b"Host:\r\nHost: a\r\n", b"Host:\r\n a\r\n", b"Host: a\r\n .b\r\n",
    b" Host: a\r\n", b"Host: a\r\n\tHost: b\r\n", b"Host: a\r\nHost : b\r\n", b"Host a\r\n"],
    lambda fields: b"GET /open/x HTTP/1.1\r\n" + fields + b"\r\n"))
refuse((400,), {"two hosts on HTTP/1.0": GET.replace(b"1.1", b"1.0") + b"Host: localhost\r\n\r\n"})
refuse((400, 421), named("absolute form", [
    b"http://evil.example/open/x", b"http://localhost.evil.example/open/x", b"http://u@localhost/open/x",
    b"http://evil.example@localhost/open/x", b"http://localhost@evil.example/open/x",
    b"http://localhost:81/open/x", b"https://localhost/open/x", b"ftp://localhost/open/x",
    b"file:///open/x", b"http:///open/x", b"http:/open/x", b"http:open/x", b"http://", b"http:",
    b"http://localhost#x", b"http://localhost/open/x#y", b"http://localhost\\@evil.example/open/x",
    b"http://localhost\\open", b"http://localhost,evil.example/", b"http:// localhost/",
    b"http://localhost:/open/x", b"ws://localhost/open/x", b"//localhost\\..", b"javascript:alert(1)",
    b"http//localhost/open/x", b"http%3a//localhost/open/x", b"http://localhost%2fopen/x"],
    lambda target: b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target))
refuse((400, 421), {"absolute form without Host": b"GET http://evil.example/open/x HTTP/1.0\r\n\r\n"})

# Request lines (RFC 9112 §3).
refuse((400,), named("line", [
    b" ", b"GET", b"GET ", b"GET /open/x", b"GET /open/x ", b"GET  /open/x HTTP/1.1",
    b"GET /open/x  HTTP/1.1", b"GET\t/open/x HTTP/1.1", b"GET /open/x\tHTTP/1.1",
    b"GET /open/x HTTP/1.1 ", b"GET /open/x HTTP/1.1\t", b" GET /open/x HTTP/1.1",
    b"\tGET /open/x HTTP/1.1", b"GET /open/x HTTP/1.1 x", b"GET /open/x y HTTP/1.1",
    b"/open/x HTTP/1.1", b"GET HTTP/1.1", b"GET\x00 /open/x HTTP/1.1", b"G\x00ET /open/x HTTP/1.1",
    b"GET\x0b/open/x\x0bHTTP/1.1", b"GET\xa0/open/x HTTP/1.1", b"G(T /open/x HTTP/1.1",
    b"G/T /open/x HTTP/1.1", b"G:T /open/x HTTP/1.1", b"GET:/open/x HTTP/1.1",
    b"G\xc9T /open/x HTTP/1.1", b'"GET" /open/x HTTP/1.1', b"GET, /open/x HTTP/1.1",
    b"GET /open/x\r HTTP/1.1", b"GET /open/x\n HTTP/1.1", b"GET /open/x\x0cHTTP/1.1",
    b"GET /open/x http/1.1", b"GET /open/x Http/1.1", b"GET /open/x HTTP 1.1",
    b"GET /open/x HTTP/1.1\x00", b"GET /open/x ICE/1.0", b"GET /open/x HTTPS/1.1",
    b"GET /open/x /HTTP/1.1", b"GET /open/x RTSP/1.0"],
    lambda line: line + b"\r\nHost: localhost\r\n\r\n"))
refuse((400, 505), named("version", [
    b"HTTP/0.9", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0", b"HTTP/2", b"HTTP/3", b"HTTP/1.10", b"HTTP/1.11",
    b"HTTP/01.1", b"HTTP/1.01", b"HTTP/11.1", b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/1,1",
    b"HTTP/1.1x", b"HTTP/1.x", b"HTTP/-1.1", b"HTTP/1.-1", b"HTTP/+1.1", b"HTTP/1.+1", b"HTTP/1. 1",
    b"HTTP/ 1.1", b"HTTP /1.1", "HTTP/１.1".encode(), b"HTTP/1.1.1", b"HTTP//1.1", b"HTTP/1\x00.1",
    b"HTTP/A.B", b"HTTP/9999999999.1", b"HTTP/1.4294967297"],
    lambda version: b"GET /open/x %s\r\nHost: localhost\r\n\r\n" % version))
refuse((400,), named("target", [
    b"*", b"open/x", b"x", b"?x", b"#x", b"localhost", b"localhost:80", b"localhost/open",
    b"\\open\\x", b"/open\\x", b"/open/x#y", b"/open/#", b"/open/x?y#z", b"/open/x\x00",
    b"/open/\x01x", b"/open/x\x1fy", b"/open/x\x7f", b"/open/\x80x", b"/open/\xff", "/open/ü".encode(),
    b"/open/x?y\x00", b"/open/x?\xfcy", b"/open/x?\x7f", b"/open/x?\x0b", b"..", b".", b"%2fopen",
    b"%2Fopen", b";/open", b"@localhost", b"data:x", b"/open/%", b"/open/%2", b"/open/%zz",
    b"/open/%2x", b"/open/%u0041", b"/open/%-1", b"/open/%00", b"/open/x%00.png", b"/open/%0a",
    b"/open/%0d%0aX:y", b"/open/%7f", b"/open/%1f", b"/open/%09", b"/open/%80", b"/open/%ff",
    b"/open/%c3", b"/open/%c3%28", b"/open/%ed%a0%80", b"/open/%f4%90%80%80", b"/open/%2f",
    b"/open/%5c"], lambda target: b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target))
refuse((414,), {
    "target, too long": b"GET /open/%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"a" * 20_000),
    "query, too long": b"GET /open/?%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"a" * 20_000),
})
refuse((400, 505), {
    "asterisk for another than OPTIONS": POST.replace(b"/open/x", b"*") + b"Content-Length: 0\r\n\r\n",
    "HTTP/2's preface with a path": b"PRI /open/x HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2's preface, not quite": b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    "HTTP/2's preface on HTTP/1.1": b"PRI * HTTP/1.1\r\nHost: localhost\r\n\r\n",
})
refuse((400, 405, 501), named("CONNECT", [
    b"localhost:80", b"evil.example:443", b"localhost", b"/open/x", b"http://localhost/open/x", b"*",
    b":443"], lambda target: b"CONNECT %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target))
refuse((400, 405, 501), named("CONNECT with", [
    b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", b"Expect: 100-continue\r\n\r\n"],
    lambda rest: b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n" + rest))
refuse((400, 405, 501), {"CONNECT on HTTP/1.0": b"CONNECT localhost:80 HTTP/1.0\r\n\r\n"})
refuse((400, 431, 501), {
    "a method of 200 letters": b"G" * 200 + b" /open/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a method of 100,000 letters": b"G" * 100_000 + b" /open/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
})

# Expectations other than the one there is (RFC 9110 §10.1.1); Connection that is no list of names.
refuse((400, 417), named("expect", [
    b"101-continue", b"200-ok", b"", b"100-continue, x", b"x, 100-continue", b"100 continue", b"100"],
    lambda value: POST + b"Expect: %s\r\nContent-Length: 5\r\n\r\nhello" % value))
refuse((400,), named("connection", [
    b'"close"', b"close;x", b"a b", b"(close)", b"close\xa0", b"x=y", b"a/b"],
    lambda value: GET + b"Connection: %s\r\n\r\n" % value))
refuse((400, 431), {"a Connection of 1,000 names":
                    GET + b"Connection: %s\r\n\r\n" % b",".join(b"x%d" % i for i in range(1000))})


def send_slowly(client: Client, raw: bytes) -> None:
    """Byte by byte, until the other side has had enough."""
    with contextlib.suppress(ConnectionError):
        for byte in raw:
            client.send(bytes([byte]))


def assert_refused(site: Site, raw: bytes, statuses: tuple[int, ...], send) -> None:
    """One error, the end of the connection, and not a byte of it for the upstream; nor of the
    request behind it, which only one of two readers would see."""
    before = site.mark()
    with site.client() as client:
        send(client, raw + BEHIND)
        answer = client.answer()
        assert answer.status in statuses, answer
        assert answer.closes, answer
        assert client.rest() == b""
    assert site.upstream.since(before) == []


@table(REFUSED)
def test_a_head_with_two_readings_is_refused(site, case):
    assert_refused(site, *case, Client.send)


@table({name: case for name, case in REFUSED.items() if len(case[0]) < 500})
def test_a_head_with_two_readings_is_refused_byte_by_byte(site, case):
    assert_refused(site, *case, send_slowly)


@pytest.mark.parametrize("raw", [b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", b"HELO THERE SERVER\r\n"])
def test_who_speaks_another_protocol_is_hung_up_on(site, raw):
    """RFC 9113 §3.4: an answer in words would be taken for a frame."""
    before = site.mark()
    with site.client() as client:
        client.send(raw + BEHIND)
        assert client.rest() == b""
    assert site.upstream.since(before) == []


# --- bodies that turn out wrong ---

BAD_CHUNKS = {
    **named("size", [
        b"0x5", b"+5", b"-5", b" 5", b"5 ", b"\t5", b"5\t", b"", b" ", b"g", b"5g", b"5,", b"5.0",
        b"5\x00", b"\x005", b"5\x0b", b"\x0c5", b"5h", b"5_", b"'5'", b"$5", b"%35", b"5\xa0",
        "５".encode(), b"5:", b"5=", b"5\r", b"FFFFFFFFFFFFFFFF", b"7FFFFFFFFFFFFFFF",
        b"8000000000000000", b"10000000000000005", b"100000005FFFFFFFFFFFFFFFFFFFF", b"f" * 40, b"-1",
        b"0x"], lambda size: size + b"\r\nhello\r\n0\r\n\r\n"),
    **named("extension", [
        b";a\nb", b";\n", b";a\rb", b";\r", b";a\x00b", b";\x00", b";a\x01", b";a\x7f", b";a=\"\nb\"",
        b";a=\x1f", b";%s" % (b"a" * 100_000)],
        lambda extension: b"5" + extension + b"\r\nhello\r\n0\r\n\r\n"),
    "size ended by LF": b"5\nhello\r\n0\r\n\r\n",
    "size ended by CR": b"5\rhello\r\n0\r\n\r\n",
    "size ended by LF CR": b"5\n\rhello\r\n0\r\n\r\n",
    "extension ended by LF": b"5;a=b\nhello\r\n0\r\n\r\n",
    "bytes behind the data": b"5\r\nhelloXX\r\n0\r\n\r\n",
    "a space behind the data": b"5\r\nhello \r\n0\r\n\r\n",
    "data ended by LF": b"5\r\nhello\n0\r\n\r\n",
    "data ended by CR": b"5\r\nhello\r0\r\n\r\n",
    "data ended by LF CR": b"5\r\nhello\n\r0\r\n\r\n",
    "data ended by nothing": b"5\r\nhello0\r\n\r\n",
    "data ended by CR CR LF": b"5\r\nhello\r\r\n0\r\n\r\n",
    "an empty line before a size": b"5\r\nhello\r\n\r\n0\r\n\r\n",
    "last size with a letter": b"0x\r\n\r\n",
    "last size with a sign": b"-0\r\n\r\n",
    "last size ended by LF": b"0\n\r\n",
    "last chunk ended by LF": b"0\r\n\n",
    "last chunk ended by LF LF": b"0\n\n",
    "last chunk ended by CR": b"0\r\n\rX",
    "bytes behind the last size": b"0\r\nX\r\n\r\n",
    "last extension ended by LF": b"0;a\n\r\n",
    "trailer without colon": b"0\r\nX\r\n\r\n",
    "trailer with space before its colon": b"0\r\nX : y\r\n\r\n",
    "trailer without name": b"0\r\n: y\r\n\r\n",
    "trailer with NUL": b"0\r\nX: y\x00z\r\n\r\n",
    "trailer with CR": b"0\r\nX: y\rz\r\n\r\n",
    "trailer ended by LF": b"0\r\nX: y\n\r\n",
    "trailer, folded": b"0\r\nX: y\r\n z\r\n\r\n",
    "trailer that begins with a fold": b"0\r\n X: y\r\n\r\n",
    "trailers of 100,000 bytes": b"0\r\nX: %s\r\n\r\n" % (b"a" * 100_000),
}
ARRIVALS = {"at once": None, "behind the head": CHUNKED, "behind a chunk": CHUNKED + b"3\r\nabc\r\n"}


@pytest.mark.parametrize("first", ARRIVALS.values(), ids=ARRIVALS)
@table(BAD_CHUNKS)
def test_a_bad_chunk_never_makes_a_whole_request(site, case, first):
    """Whatever of it has gone on already, the upstream sees no end, and the client gets 400."""
    before = site.mark()
    with site.client(first or CHUNKED + case + BEHIND) as client:
        if first:
            site.upstream.wait_for(lambda seen: len(seen) > before and seen[before].head)
            client.send(case + BEHIND)
        answer = client.answer()
        assert answer.status == 400, answer
        assert answer.closes
        assert client.rest() == b""
    seen = site.upstream.since(before)
    assert len(seen) <= 1
    assert not any(s.whole for s in seen), seen
    site.visit()


GOOD_CHUNKS = {
    "one": (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "none": (b"0\r\n\r\n", b""),
    "two": (b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"),
    "of one byte each": (b"1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", b"hi"),
    "leading zeros": (b"0005\r\nhello\r\n000\r\n\r\n", b"hello"),
    "upper-case size": (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    "lower-case size": (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    "data with CRLF": (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n"),
    "data like a last chunk": (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
    "data like a request": (b"12\r\nGET / HTTP/1.1\r\n\r\n\r\n0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    "an extension": (b"5;a\r\nhello\r\n0\r\n\r\n", b"hello"),
    "an extension with a value": (b"5;a=b;c=\"d;e\"\r\nhello\r\n0;f\r\n\r\n", b"hello"),
    "an empty extension": (b"5;\r\nhello\r\n0\r\n\r\n", b"hello"),
    "all bytes": (b"100\r\n" + bytes(range(256)) + b"\r\n0\r\n\r\n", bytes(range(256))),
    "64 KB": (b"10000\r\n" + b"x" * 65536 + b"\r\n0\r\n\r\n", b"x" * 65536),
    "a harmless trailer": (b"5\r\nhello\r\n0\r\nX-Note: evil\r\n\r\n", b"hello"),
}


def assert_clean(seen: Seen) -> None:
    """One framing, one host, nothing of the client's own connection."""
    names = seen.names()
    assert names.count("host") == 1
    assert names.count("content-length") + names.count("transfer-encoding") <= 1
    assert not {"keep-alive", "proxy-connection", "upgrade", "http2-settings", "expect"} & set(names)
    assert seen.all("transfer-encoding") in ([], ["chunked"])
    assert set(seen.all("connection")) <= {"close", "TE"}, seen.fields


def only(site: Site, before: int) -> Seen:
    """The one request that the upstream saw, whole and clean."""
    (seen,) = site.upstream.since(before)
    assert seen.whole
    assert_clean(seen)
    return seen


@pytest.mark.parametrize("arrival", ["at once", "byte by byte"])
@table(GOOD_CHUNKS)
def test_chunks_arrive_whole_and_in_our_own_framing(site, case, arrival):
    raw, body = case
    before = site.mark()
    with site.client(CHUNKED) as client:
        if arrival == "at once":
            client.send(raw)
        else:
            send_slowly(client, raw[:500])
            client.send(raw[500:])
        assert client.answer().status == 200
        seen = only(site, before)
        assert seen.body == body
        assert seen.trailers == b""
        client.send(BEHIND)  # the connection is in order
        assert client.answer().body == b"GET /open/behind"


LENGTHS = {
    "5": (b"Content-Length: 5", b"hello"),
    "0": (b"Content-Length: 0", b""),
    "05": (b"Content-Length: 05", b"hello"),
    "000000000000005": (b"Content-Length: 000000000000005", b"hello"),
    "white space around": (b"Content-Length:\t 5 \t", b"hello"),
    "no white space": (b"content-length:5", b"hello"),
    "a body like a request": (b"Content-Length: 18", b"GET / HTTP/1.1\r\n\r\n"),
    "a body like chunks": (b"Content-Length: 5", b"0\r\n\r\n"),
    "coding, lower case": (b"transfer-encoding:chunked", b""),
    "coding, upper case": (b"TRANSFER-ENCODING: CHUNKED", b""),
    "coding, tabs": (b"Transfer-Encoding:\tchunked\t", b""),
    # These frame nothing; and whoever folds names, as CGI does, must not come to see them.
    "Transfer_Encoding beside a length": (b"Content-Length: 5\r\nTransfer_Encoding: chunked", b"hello"),
    "Transfer.Encoding beside a length": (b"Content-Length: 5\r\nTransfer.Encoding: chunked", b"hello"),
    "Content_Length beside a coding": (b"Transfer-Encoding: chunked\r\nContent_Length: 30", b""),
    "Content_Length beside a length": (b"Content-Length: 5\r\nContent_Length: 30", b"hello"),
    "X-Transfer-Encoding": (b"Content-Length: 5\r\nX-Transfer-Encoding: chunked", b"hello"),
}


@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "DELETE", "OPTIONS", "PROPFIND"])
@table(LENGTHS)
def test_a_body_arrives_by_one_framing(site, case, method):
    fields, body = case
    coded = fields.lower().startswith(b"transfer-encoding")
    before = site.mark()
    with site.client(POST.replace(b"POST", method.encode()) + fields + b"\r\n\r\n"
                     + (b"0\r\n\r\n" if coded else body) + BEHIND) as client:
        assert client.answer().status == 200
        assert client.answer().body == b"GET /open/behind"
    first, second = site.upstream.since(before)
    assert_clean(first)
    assert first.body == body
    assert second.target == "/open/behind"
    assert not any(re.fullmatch("transfer[^-]encoding|content[^-]length", n) for n in first.names())


CUT_BODIES = {
    "length": POST + b"Content-Length: 50\r\n\r\nhello",
    "length, no byte": POST + b"Content-Length: 5\r\n\r\n",
    "no chunk": CHUNKED, "in a size": CHUNKED + b"5", "in data": CHUNKED + b"5\r\nhel",
    "behind a chunk": CHUNKED + b"5\r\nhello\r\n", "in the last": CHUNKED + b"5\r\nhello\r\n0\r\n",
    "in trailers": CHUNKED + b"5\r\nhello\r\n0\r\nX: y\r\n",
}


@pytest.mark.parametrize("end", ["FIN", "RST"])
@table(CUT_BODIES)
def test_a_body_cut_short_never_makes_a_whole_request(site, case, end):
    before = site.mark()
    with site.client(case) as client:
        site.upstream.wait_for(lambda seen: len(seen) > before and seen[before].head)
        if end == "FIN":
            client.socket.shutdown(socket.SHUT_WR)
            assert not client.rest().startswith(b"HTTP/1.1 2")
        else:
            client.socket.setsockopt(*RESET)
    assert not any(s.whole for s in site.upstream.since(before))
    site.visit()


FORBIDDEN_TRAILERS = [
    "Content-Length", "Transfer-Encoding", "Host", "Authorization", "Cookie", "Connection", "Upgrade",
    "TE", "Trailer", "Expect", "Content-Type", "Content-Encoding", "Range", "Proxy-Authorization",
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Keep-Alive"]
OTHER_TRAILERS = [
    "kubeflow-userid", "Kubeflow-UserId", "kubeflow_userid", "kubeflow-groups", "x-auth-user",
    "X_Auth_User", "x-gatehouse-user", "x-envoy-original-path", "X-Real-IP", "Cookie2", "X-Any"]


@pytest.mark.parametrize("announced", [False, True], ids=["unannounced", "announced"])
@pytest.mark.parametrize("name", FORBIDDEN_TRAILERS + OTHER_TRAILERS)
def test_no_trailer_reaches_an_upstream(site, name, announced):
    """Those that frame, route or authenticate are an attack; the others may be left out."""
    before = site.mark()
    head = GUARDED.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n"
    if announced:
        head += f"Trailer: {name}\r\n".encode()
    with site.client(head + b"\r\n5\r\nhello\r\n0\r\n%s: evil\r\n\r\n" % name.encode()) as client:
        answer = client.answer()
    if name in FORBIDDEN_TRAILERS:
        assert answer.status == 400, answer
        assert not any(s.whole for s in site.upstream.since(before))
        return
    assert answer.status == 200
    seen = only(site, before)
    assert seen.trailers == b"" and b"evil" not in seen.head
    assert seen.all("kubeflow-userid") == [USER]


# --- heads that are served ---

def ask(site: Site, raw: bytes) -> Seen:
    """What the upstream sees of a request that is served."""
    before = site.mark()
    with site.client(raw) as client:
        answer = client.answer()
        assert answer.status == 200, answer
    return only(site, before)


HOSTS = {
    "localhost": "localhost", "LocalHost": "localhost", "Example.Org:8080": "example.org:8080",
    "127.0.0.1": "127.0.0.1", "[::1]:80": "[::1]:80", "[::1]": "[::1]", "a.b-c_d.e": "a.b-c_d.e",
    "example.org.": "example.org", " \ta\t ": "a", "xn--bcher-kva.example": "xn--bcher-kva.example",
    "1": "1", "a:65535": "a:65535"}


@pytest.mark.parametrize("host, sent", HOSTS.items(), ids=HOSTS)
def test_a_host_goes_on_in_one_form(site, host, sent):
    seen = ask(site, b"GET /open/x HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())
    assert seen.all("host") == [sent]
    assert seen.all("x-forwarded-host") == [sent]


UNCHANGED_TARGETS = [
    "/open", "/open/", "/open?", "/open/x?a=b&c=%2F..%2f", "/open/a%20b", "/open/%e2%82%ac",
    "/open/x?y\\z", "/open/a+b", "/open/a:b@c,d!$&'()*=", "/open/...", "/open/.x", "/open/x..",
    "/open/x?/../", "/open/x??", "/open/x?http://evil.example/", "/open/%3Bx", "/open/%3F", "/open/%23",
    "/open/%25", "/open/?%00", '/open/"x"', "/open/<x>", "/open/x|y", "/open/x^y", "/open/x`y",
    "/open/{x}", "/open/[x]", "/open/%20", "/open/%20/x", "/open/x%20", "/open/%C2%A0",
    "/open/%E2%80%A8",
    "/open/.../x", "/open/x?<y>", '/open/x?"y"', "/open/x?{a|b}", "/open/x?a^b`c", "/open/x?[0]",
    "/open/x?%", "/open/x?%zz", "/open/x?%0d%0aX:y", "/open/x?/", "/open/x?:", "/open/x?@", "/open/-",
    "/open/x/?y/?z", "/open/x&y=z", "/open/%26", "/open/%3D", "/open/%40", "/open/%5B%5D"]
TARGETS = {
    **{target: target for target in UNCHANGED_TARGETS}, "//open///x": "/open/x",
    "/open/%7Euser": "/open/~user", "/open/%41": "/open/A", "/open/http://x": "/open/http:/x",
    "http://localhost/open/x": "/open/x", "HTTP://LocalHost/open/x?y": "/open/x?y",
    "http://localhost//open//x": "/open/x", "hTTp://localhost/open/x": "/open/x",
    "http://LOCALHOST./open/x": "/open/x", "/open/%2D": "/open/-", "/open/%7e": "/open/~",
    "/open/%6f%70%65%6e": "/open/open", "/%6Fpen/x": "/open/x", "/open/x%2Ey": "/open/x.y",
    "/open/%5f": "/open/_", "/open//": "/open/", "/open/x//": "/open/x/"}


@pytest.mark.parametrize("target, sent", TARGETS.items(), ids=TARGETS)
def test_a_target_goes_on_in_one_form(site, target, sent):
    seen = ask(site, GET.replace(b"/open/x", target.encode()) + b"\r\n")
    assert seen.line == f"GET {sent} HTTP/1.1"


@pytest.mark.parametrize("method", [
    "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "get", "X", "A-B", "M-SEARCH",
    "BASELINE-CONTROL", "!#$%&'*+-.^_`|~"])
def test_a_method_goes_on_as_it_is(site, method):
    assert ask(site, GET.replace(b"GET", method.encode()) + b"\r\n").method == method


@pytest.mark.parametrize("fields", ["", "Max-Forwards: 0\r\n", "Content-Length: 5\r\n"])
def test_trace_shows_nobody_their_own_headers(site, fields):
    before = site.mark()
    with site.client(GUARDED.replace(b"GET", b"TRACE") + fields.encode() + b"\r\nhello") as client:
        answer = client.answer()
    assert answer.status in (400, 405, 501)
    assert site.cookie not in answer.body
    assert site.upstream.since(before) == []


VALUES = {
    "empty": (b"X:", [""]), "white space": (b"X: \t ", [""]), "around": (b"X:\t a b \t", ["a b"]),
    "inside": (b"X: a \t b", ["a \t b"]), "colon": (b"X: a: b", ["a: b"]),
    "long": (b"X: " + b"a" * 30_000, ["a" * 30_000]), "quotes": (b'X: "a\\"b"', ['"a\\"b"']),
    "comma": (b"X: a,b , c", ["a,b , c"]), "percent": (b"X: %0d%0a", ["%0d%0a"]),
    "twice": (b"X: a\r\nx: b", ["a", "b"])}


@table(VALUES)
def test_a_value_goes_on_as_it_is(site, case):
    line, sent = case
    assert ask(site, GET + line + b"\r\n\r\n").all("x") == sent


# RFC 9110 §5.5: opaque to whoever passes it on, white space of other alphabets included.
OBS_TEXT = ["ü".encode(), b"\xff\xfe", b"\x80", b"\xc0\xae", b"\x85", b"\xa0", bytes(range(0x80, 0x100))]


@pytest.mark.parametrize("value", OBS_TEXT, ids=repr)
def test_bytes_beyond_ascii_go_on_as_they_are(site, value):
    seen = ask(site, GET + b"X: a" + value + b"b\r\nX: " + value + b"\r\n\r\n")
    assert seen.all("x") == [(b"a" + value + b"b").decode("latin-1"), value.decode("latin-1")]


@pytest.mark.parametrize("value", OBS_TEXT, ids=repr)
def test_bytes_beyond_ascii_go_on_from_http_2_too(site, value):
    before = site.mark()
    with H2(site.door.port) as client:
        assert client.ask(*get("/open/x"), ("x", value)) == 200
    assert only(site, before).all("x") == [value.decode("latin-1")]


@pytest.mark.parametrize("name, value", [
    (b":method", b"G\xc9T"), (b":path", b"/open/\xfc"), (b":authority", b"localhost\xfc"),
    (b":scheme", b"http\xa0"), (b"x\xfc", b"y"), (b"x", b"\xfc\x7f"), (b"x", b"\xfc\x00"),
    (b"x", b"\xfc\r"), (b"x", b"\xfc\n"), (b"x", b"\x1f\xfc")], ids=repr)
def test_nothing_else_of_http_2_may_hold_them(site, name, value):
    before = site.mark()
    fields = {pseudo.encode(): text.encode() for pseudo, text in get("/open/x")} | {name: value}
    with H2(site.door.port) as client:
        assert client.ask(*fields.items()) in (400, "reset", "closed")
    assert site.upstream.since(before) == []


DISPOSITION = b'attachment; filename="M%sller.pdf"'


@pytest.mark.parametrize("value", ["ü".encode(), b"\xfc"], ids=["UTF-8", "Latin-1"])
def test_a_file_s_name_beyond_ascii_reaches_the_client(site, value):
    name = DISPOSITION % value
    site.upstream.scripts["file"] = ok(b"ok", b"Content-Disposition: " + name + b"\r\n")
    with site.client(saying("file") + b"\r\n") as client:
        answer = client.answer()
    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.all("content-disposition") == [name.decode("latin-1")]
    with H2(site.door.port) as client:
        client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(*get("/open/say/file"))))
        while (got := client.read())[0] != HEADERS:
            pass
    fields = dict(hpack.Decoder().decode(got[3], raw=True))
    assert (fields[b":status"], fields[b"content-disposition"]) == (b"200", name)


OLD = GET.replace(b"1.1", b"1.0")
VERSIONS = {
    "1.1": (GET + b"\r\n", False),
    "1.1 close": (GET + b"Connection: close\r\n\r\n", True),
    "1.1 Close": (GET + b"connection: keep-alive, Close\r\n\r\n", True),
    "1.1 close in the second": (GET + b"Connection: keep-alive\r\nConnection: close\r\n\r\n", True),
    "1.0": (OLD + b"\r\n", True),
    "1.0 keep-alive": (OLD + b"Connection: keep-alive\r\n\r\n", False),
    "1.0 close wins": (OLD + b"Connection: keep-alive, close\r\n\r\n", True),
    "1.0 for a proxy": (OLD + b"Proxy-Connection: keep-alive\r\n\r\n", True),
    "1.0 without host": (b"GET /open/x HTTP/1.0\r\n\r\n", True),
    "an empty line before": (b"\r\n" + GET + b"\r\n", False),
}


@table(VERSIONS)
def test_a_connection_is_kept_or_closed_as_the_versions_say(site, case):
    raw, closes = case
    before = site.mark()
    with site.client(raw + BEHIND) as client:
        answer = client.answer()
        assert (answer.status, answer.closes) == (200, closes)
        if closes:
            assert client.rest() == b""
        else:
            assert client.answer().body == b"GET /open/behind"
    seen = site.upstream.since(before)
    assert [s.target for s in seen] == (["/open/x"] if closes else ["/open/x", "/open/behind"])
    assert all(s.line.endswith(" HTTP/1.1") and s.all("host") for s in seen)


# --- who somebody is ---

ALIASES = [
    "kubeflow-userid", "Kubeflow-Userid", "KUBEFLOW-USERID", "kubeflow-GROUPS", "Kubeflow_UserId",
    "gatehouse-session-expires", "Gatehouse_Session-Expires", "GATEHOUSE_SESSION_EXPIRES",
    "X-Auth-User", "X_Auth_User", "x_auth-user", "X-AUTH_USER", "x.auth.user", "KUBEFLOW_GROUPS",
    "x-gatehouse-user", "X_Gatehouse_Session", *(f"kubeflow{c}userid" for c in "_.~!+*'|`^#$%&")]


@pytest.mark.parametrize("head", [GET, GUARDED], ids=["open", "guarded"])
@pytest.mark.parametrize("name", ALIASES)
def test_nobody_says_who_they_are(site, name, head):
    forged = f"{name}: evil\r\n".encode()
    seen = ask(site, head + forged + b"X: y\r\n" + forged + b"\r\n")
    assert b"evil" not in seen.head
    assert seen.all("kubeflow-userid") == ([USER] if head == GUARDED else [])
    assert seen.all("x") == ["y"]


NOMINATIONS = [
    "kubeflow-userid", "kubeflow-groups", "Kubeflow-UserId", "kubeflow_userid", "close, kubeflow-userid",
    "keep-alive, Kubeflow-Groups", "x-forwarded-for", "x-forwarded-host", "X-Forwarded-Proto",
    "x-request-id", "host", "Host, close", "content-length", "transfer-encoding", "connection",
    "upgrade", "te", "forwarded", "x-real-ip", ",,kubeflow-userid,,",
    "kubeflow-userid\r\nConnection: kubeflow-groups"]


@pytest.mark.parametrize("options", NOMINATIONS)
def test_connection_takes_nothing_away_that_the_gateway_says(site, options):
    seen = ask(site, GUARDED.replace(b"GET", b"POST") + f"Connection: {options}\r\n".encode()
               + b"Content-Length: 5\r\n\r\nhello")
    assert seen.all("kubeflow-userid") == [USER]
    assert len(seen.all("kubeflow-groups")) == 1
    assert seen.all("host") == seen.all("x-forwarded-host") == ["localhost"]
    assert seen.all("x-forwarded-for") == ["127.0.0.1"] and seen.all("x-forwarded-proto") == ["http"]
    assert len(seen.all("x-request-id")) == 1
    assert seen.body == b"hello"


@pytest.mark.parametrize("options", ["cookie", "close, Cookie"])
def test_connection_makes_at_most_a_stranger_of_a_person(site, options):
    before = site.mark()
    with site.client(GUARDED + f"Connection: {options}\r\n\r\n".encode()) as client:
        status = client.answer().status
    if status == 200:
        assert only(site, before).all("kubeflow-userid") == [USER]
    else:
        assert status in (301, 401) and site.upstream.since(before) == []


HOP_BY_HOP = [
    "Connection: X-Mine\r\nX-Mine: evil", "Connection: close, x-mine\r\nX-Mine: evil",
    "Connection: x-mine, X-Mine\r\nX-Mine: evil\r\nx-mine: evil",
    "Connection: Keep-Alive\r\nKeep-Alive: evil", "Proxy-Connection: evil", "TE: evil",
    "TE: trailers;evil", "Keep-Alive: evil", "Upgrade: evil", "HTTP2-Settings: evil"]


@pytest.mark.parametrize("fields", HOP_BY_HOP)
def test_what_belongs_to_the_connection_stays_there(site, fields):
    assert b"evil" not in ask(site, GET + fields.encode() + b"\r\n\r\n").head


FORGED = [
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix",
    "X-Forwarded-Uri", "X-Forwarded-Server", "X-Forwarded-Client-Cert", "X_Forwarded_For",
    "x-forwarded_host", "X.Forwarded.Proto", "Forwarded", "X-Real-IP", "X_Real_IP", "X-Original-URL",
    "X-Original-Uri", "X_Original_Url", "X-Rewrite-URL", "X-Envoy-Original-Path",
    "X-Envoy-External-Address", "X-Envoy-Internal", "X-Gatehouse-User", "X-Request-Id", "X_Request_Id"]


@pytest.mark.parametrize("head", [GET, GUARDED], ids=["open", "guarded"])
@pytest.mark.parametrize("name", FORGED)
def test_nobody_says_where_they_come_from(site, name, head):
    seen = ask(site, head + f"{name}: evil\r\n{name}: evil\r\n\r\n".encode())
    assert b"evil" not in seen.head
    assert seen.all("x-forwarded-for") == ["127.0.0.1"]


SESSIONS = [
    b"Cookie: COOKIE", b"Cookie: a=b; COOKIE; c=d", b"Cookie: a=b;COOKIE;c=d", b"cookie: COOKIE",
    b"Cookie: a=b\r\nCookie: COOKIE", b"Cookie: COOKIE\r\ncookie: a=b", b"Cookie: COOKIE; COOKIE"]


@pytest.mark.parametrize("version", ["1.1", "2"])
@pytest.mark.parametrize("mine", ["name=Müller".encode(), b"name=M\xfcller", b"n\xfcme=1", b"\xff"],
                         ids=repr)
def test_a_cookie_beyond_ascii_stands_beside_the_session(site, mine, version):
    if version == "1.1":
        seen = ask(site, GUARDED.replace(b"COOKIE", mine + b"; COOKIE; last=\xfc") + b"\r\n")
    else:
        before = site.mark()
        with H2(site.door.port) as client:
            assert client.ask(*get("/guarded/x"), ("cookie", mine), ("cookie", site.cookie),
                              ("cookie", b"last=\xfc")) == 200
        seen = only(site, before)
    assert seen.all("kubeflow-userid") == [USER]
    assert seen.all("cookie") == [(mine + b"; last=\xfc").decode("latin-1")]


@pytest.mark.parametrize("fields", SESSIONS, ids=repr)
def test_the_session_stays_at_the_door(site, fields):
    seen = ask(site, GUARDED.replace(b"Cookie: COOKIE", fields) + b"\r\n")
    assert seen.all("kubeflow-userid") == [USER]
    assert SESSION_COOKIE.encode() not in seen.head


# --- paths to what is guarded ---

WAYS_IN = [
    "//site/admin", "/site//admin", "/site/admin/", "/site/admin//x", "///site///admin///x",
    "/site/./admin", "/./site/admin", "/site/x/../admin", "/site/../site/admin", "/site/x/./../admin",
    "/site/admin/.", "/site/admin/..", "/site/..;/site/admin", "/site/.;/admin", "/site/x/..;a=b/admin",
    "/site/%2e/admin", "/site/%2E/admin", "/site/x/%2e%2e/admin", "/site/x/.%2e/admin",
    "/site/x/%2e./admin", "/site/x%2f..%2fadmin", "/site%2fadmin", "/site%2Fadmin", "/site/%2fadmin",
    "/site/%2Fadmin", "/site%5cadmin", "/site%5Cadmin", "/site\\admin", "/site/\\admin",
    "/site/x\\..\\admin", "/site/x%5c..%5cadmin", "/site/%61dmin", "/site/adm%69n", "/%73ite/admin",
    "/site/admin;x", "/site/admin;x=y", "/site/admin;", "/site;x/admin", "/site;/admin",
    "/site/;/admin", "/site/;x/admin", "/site/admin;/x", "/site/admin%3bx", "/site/admin%00",
    "/site/%00/admin", "/site/admin%00.css", "/site/admin%09", "/site/admin%0a", "/site/%0d/../admin",
    "/site/%c0%af../admin", "/site/x/%c0%ae%c0%ae/admin", "/site/x/%e0%80%ae%e0%80%ae/admin",
    "/site%c0%afadmin", "/site%e0%80%afadmin", "/site%c1%9cadmin", "/site/%c1%a1dmin",
    "/site/%f0%80%80%aeadmin", "/site/x/%252e%252e/admin", "/site/x/%25252e%25252e/admin",
    "/site/x%252f..%252fadmin", "/site/x%255c..%255cadmin", "/site/admin?x", "/site/admin?/open",
    "/site/admin#x", "/site/x#/../admin", "/site/x?/../admin", "/site/admin%23", "/site/admin%3f",
    "/site/admin%3Fx", "/site/admin/%2e%2e/x", "/site/admin/..%2fx", "/site/admin%2f",
    "/site/admin%2fx", "/site/admin%5cx", "/site/admin\\x", "/open/../site/admin",
    "/open/..%2fsite/admin", "/open%2f..%2fsite%2fadmin", "/site/x/%u002e%u002e/admin",
    "/site/x/.../../admin", "/site/x/....//admin", "http://localhost/site/admin",
    "http://localhost//site//admin", "http://localhost/site/x/../admin",
    "http://localhost/site%2fadmin", "/site/x/%2e%2e;/admin", "/site/x/;/../admin",
    "/site/x/%2e%2e%2fadmin", "/site/x;/..;/admin", "/site/%2561dmin/..", "/site/admin\t",
    "/site/ admin", "/site/%20/../admin", "/site/~/../admin", "/site/x/%uff0e%uff0e/admin",
    # Beyond those: other spellings, from neighbours that are open, and from the gateway's own paths.
    "/site/%61%64%6d%69%6e", "/site/.%00./admin", "/site/..%00/admin", "/site/..%0d/admin",
    "/site/..%09/admin", "/site/x/.%09./admin", "/site/..;x=1/..;/site/admin", "/site/admin/..;/admin",
    "/;/site/admin", "/.;/site/admin", "/..;/site/admin", "/open/..;/site/admin",
    "/open/%2e%2e;/site/admin", "/open;/../site/admin", "/open/x/%2e%2e/%2e%2e/site/admin",
    "/open/..\\site\\admin", "/open/..%5csite%5cadmin", "/%2e%2e/site/admin", "/../site/admin",
    "/..%2fsite/admin", "/open/../../site/admin", "/open/..//site/admin", "/open//..//site/admin",
    "/open/./..//site/./admin", "/open/.%2e/site/admin", "//localhost/site/admin",
    "///localhost/site/admin", "/\\localhost/site/admin", "http://localhost/open/../site/admin",
    "http://localhost\\/site/admin", "http://localhost/%2e%2e/site/admin", "/site/admin;jsessionid=1",
    "/site/admin%3B", "/site/admin%3bx/y", "/site%3b/admin", "/site%3bx/admin", "/site/%3b/admin",
    "/site/x%3b/../admin", "/site/x/..%3b/admin", "/site/x/%2e%2e%3b/admin",
    "/site/%25%32%65%25%32%65/admin", "/site/%%32%65/admin", "/site/%c0%ae/admin",
    "/site/%e0%81%a1dmin", "/site/%u0061dmin", "/site/&#97;dmin", "/site/ad\\min", "/site/a%64min",
    "/site/.admin", "/site/-admin", "/site/x/..admin", "/site/...admin", "/site/.../admin",
    "/site/..../admin", "/site/x/...;/admin", "/site/%2e%2e%2e/admin", "/site/admin/%2e/",
    "/site/admin/./x", "/site/admin/x/..", "/site/admin/x/../..", "/site/admin/x/../../admin",
    "/site/x/../x/../admin", "/site/./././admin", "/site/a/b/c/../../../admin",
    "/site/a/b/../../../site/admin", "/site//x/..//admin", "/site/x//../admin",
    "/site/x///../../admin", "/site/?/../admin", "/site/%3f/../admin", "/site/%23/../admin",
    "/site/x/../admin?x=../../open", "/site/admin?..%2f..%2fopen", "/open?/../site/admin",
    "/open/%3f/../../site/admin", "/open%3f/../site/admin", "/open/x%20/../../site/admin",
    "/opensite/../site/admin", "/open/%2e%2e%2fsite/admin", "/open/..%252fsite/admin",
    "/open/..%25252fsite%25252fadmin", "/open/%252e%252e/site/admin",
    "/open/%c0%ae%c0%ae/site/admin", "/open/%uff0e%uff0e/site/admin", "/open/..%c0%afsite/admin",
    "/open/..;a/site/admin", "/open/x;/../../site/admin", "/open/;/../../site/admin",
    "/open/../;/site/admin", "/site/x%252f..%252f..%252fsite%252fadmin", "/dex/../site/admin",
    "/authservice/../site/admin", "/dex/..;/site/admin", "/authservice/..%2fsite/admin",
    "/authservice;/../site/admin", "/site/admin,x", "/site/admin:x", "/site/admin|x", '/site/admin"',
    "/site/admin<", "/site/admin{", "/site/admin%26", "/site/admin%2b", "/site/+admin"]
OVERLONG = {b"\xc0\xae": b".", b"\xe0\x80\xae": b".", b"\xf0\x80\x80\xae": b".", b"\xc0\xaf": b"/",
            b"\xe0\x80\xaf": b"/", b"\xc1\x9c": b"\\", b"\xc1\xa1": b"a"}


def careless_path(target: str, decodings: int, strips_parameters: bool, knows_backslash: bool) -> str:
    """The path that a careless server could take a target for."""
    raw = re.split("[?#]", target)[0].encode()
    for _ in range(decodings):
        raw = urllib.parse.unquote_to_bytes(raw)
    for wrong, right in OVERLONG.items():
        raw = raw.replace(wrong, right)
    text = raw.decode("latin-1").split("\0")[0]
    if knows_backslash:
        text = text.replace("\\", "/")
    if strips_parameters:
        text = re.sub(";[^/]*", "", text)
    kept: list[str] = []
    for segment in text.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment.strip())
    return "/" + "/".join(kept)


@pytest.mark.parametrize("way", WAYS_IN)
def test_no_way_around_the_guard(site, way):
    """The open route beside the guarded one leads nowhere that a server could take for the guarded."""
    before = site.mark()
    with site.client(GET.replace(b"/open/x", way.encode()) + b"\r\n") as client:
        status = client.answer().status
    reached = [s.target for s in site.upstream.since(before)]
    for target in reached:
        for kind in itertools.product(range(4), (False, True), (False, True)):
            path = careless_path(target, *kind)
            assert not re.match("/site/admin(/|$)", path), (target, kind)
    assert (status == 200) == bool(reached), status
    assert status in (200, 301, 400)


# --- upgrades ---

UPGRADES = {
    "h2c": "GET|Upgrade: h2c|Connection: Upgrade, HTTP2-Settings|HTTP2-Settings: AAMAAABkAAQAAP__",
    "h2c without settings": "GET|Upgrade: h2c|Connection: Upgrade",
    "h2c without Connection": "GET|Upgrade: h2c",
    "H2C": "GET|Upgrade: H2C|connection: upgrade",
    "h2c of POST": "POST|Upgrade: h2c|Connection: Upgrade|Content-Length: 0",
    "h2c, settings alone": "GET|Upgrade: h2c|Connection: Upgrade|HTTP2-Settings: AAMAAABkAAQAAP__",
    "h2c first": "GET|Upgrade: h2c, websocket|Connection: Upgrade",
    "h2c last": "GET|Upgrade: websocket, h2c|Connection: Upgrade",
    "h2c in a second field": "GET|Upgrade: websocket|Upgrade: h2c|Connection: Upgrade",
    "h2": "GET|Upgrade: h2|Connection: Upgrade",
    "HTTP/2.0": "GET|Upgrade: HTTP/2.0|Connection: Upgrade",
    "TLS": "OPTIONS|Upgrade: TLS/1.0|Connection: Upgrade",
    "made up": "GET|Upgrade: foo|Connection: Upgrade",
    "websocket with version": "GET|Upgrade: websocket/13|Connection: Upgrade",
    "websocket without Connection": "GET|Upgrade: websocket",
    "websocket of POST": "POST|Upgrade: websocket|Connection: Upgrade|Content-Length: 0",
    "websocket of HEAD": "HEAD|Upgrade: websocket|Connection: Upgrade",
    "xwebsocket": "GET|Upgrade: xwebsocket|Connection: Upgrade",
    "connect-udp": "GET|Upgrade: connect-udp|Connection: Upgrade",
    "empty": "GET|Upgrade: |Connection: Upgrade",
    "websocket with a body": "GET|Upgrade: websocket|Connection: Upgrade|Content-Length: 5",
    "websocket with chunks": "GET|Upgrade: websocket|Connection: Upgrade|Transfer-Encoding: chunked",
    "websocket, quoted": 'GET|Upgrade: "websocket"|Connection: Upgrade',
}


@table(UPGRADES)
def test_no_other_upgrade_is_passed_on(site, case):
    """Whoever spoke another protocol behind the gateway's back would be judged by nobody."""
    method, *fields = case.split("|")
    body = {"Content-Length: 5": b"hello", "Transfer-Encoding: chunked": b"5\r\nhello\r\n0\r\n\r\n"}
    before = site.mark()
    with site.client(GET.replace(b"GET", method.encode()) + "\r\n".join(fields).encode()
                     + b"\r\n\r\n" + body.get(fields[-1], b"")) as client:
        assert client.answer(method).status == 200
        seen = only(site, before)
        assert seen.body == (b"hello" if fields[-1] in body else b"")
        assert not any("settings" in name or "upgrade" in value.lower() for name, value in seen.fields)
        client.send(BEHIND)
        assert client.answer().body == b"GET /open/behind"


@pytest.mark.parametrize("version, upgrade", [(b"1.0", []), (b"1.1", ["websocket"])])
def test_http_1_0_has_no_upgrade(site, version, upgrade):
    before = site.mark()
    with site.client(GET.replace(b"1.1", version) + WEBSOCKET) as client:
        assert client.answer().status == 200
    (seen,) = site.upstream.since(before)
    assert seen.all("upgrade") == upgrade


@pytest.fixture
def gate():
    """Lets a script of the upstream's go on."""
    event = threading.Event()
    yield event
    event.set()


def test_no_byte_is_tunnelled_before_the_101(site, gate):
    def script(connection: socket.socket, _: Seen) -> None:
        assert gate.wait(20)
        connection.sendall(UPGRADED + b"early: %s\n" % at_hand(connection))
        connection.sendall(connection.recv(5, socket.MSG_WAITALL))
        raise ConnectionAbortedError

    site.upstream.scripts["upgrade"] = script
    before = site.mark()
    with site.client(saying("upgrade", GUARDED) + WEBSOCKET + b"hello") as client:
        site.upstream.wait_for(lambda seen: len(seen) > before and seen[before].whole)
        site.visit()  # the gateway has had its turn
        gate.set()
        answer = client.answer()
        assert answer.status == 101
        assert answer.all("upgrade") == ["websocket"]
        assert answer.all("sec-websocket-accept") == [ACCEPT.decode()]
        assert client.until(b"\n") == b"early: \n"
        assert client.exactly(5) == b"hello"


@pytest.mark.parametrize("status", [200, 201, 204, 302, 400, 426])
def test_an_upgrade_that_is_not_made_is_an_answer_like_any(site, status):
    """And what the client sent ahead is the next request, judged like any; not a tunnel's."""
    length = b"" if status == 204 else b"Content-Length: 0\r\n"
    site.upstream.scripts["no-upgrade"] = b"HTTP/1.1 %d X\r\n%s\r\n" % (status, length)
    before = site.mark()
    stranger = b"GET /guarded/admin HTTP/1.1\r\nHost: localhost\r\nkubeflow-userid: evil\r\n\r\n"
    with site.client(saying("no-upgrade", GUARDED) + WEBSOCKET + stranger) as client:
        assert client.answer().status == status
        assert client.answer().status == 301
    assert [s.target for s in site.upstream.since(before)] == ["/guarded/say/no-upgrade"]
    site.visit()


def asking_for(protocol: bytes, head: bytes = GET) -> bytes:
    return head + b"Connection: Upgrade\r\nUpgrade: %s\r\n\r\n" % protocol


def switched(fields: bytes) -> bytes:
    return SWITCHED + fields + b"\r\n\r\n"


BAD_SWITCHES = {
    "unasked": (GET + b"\r\n", UPGRADED),
    "unasked, bare": (GET + b"\r\n", SWITCHED + b"\r\n"),
    "bare": (GET + WEBSOCKET, SWITCHED + b"\r\n"),
    "to h2c": (GET + WEBSOCKET, UPGRADED.replace(b"websocket", b"h2c")),
    "to two": (GET + WEBSOCKET, UPGRADED.replace(b"websocket", b"websocket, h2c")),
    "without Upgrade": (GET + WEBSOCKET, UPGRADED.replace(b"Upgrade: websocket\r\n", b"")),
    "without Connection": (GET + WEBSOCKET, UPGRADED.replace(b"Connection: Upgrade\r\n", b"")),
    # RFC 6455 §4.1: without the right one, what answered is no WebSocket server, but something that
    # can be made to say 101; and nobody would judge what goes there from then on.
    "without Accept": (GET + WEBSOCKET, switched(b"Upgrade: websocket\r\nConnection: Upgrade")),
    "with another's Accept": (GET + WEBSOCKET, UPGRADED.replace(ACCEPT, b"AAAA")),
    "with the key for an Accept": (GET + WEBSOCKET, UPGRADED.replace(ACCEPT, KEY)),
    "of POST": (asking_for(b"websocket", POST + b"Content-Length: 0\r\n"), UPGRADED),
    "of an upgrade to foo": (asking_for(b"foo"), switched(b"Upgrade: foo\r\nConnection: Upgrade")),
    "of an upgrade to h2c": (asking_for(b"h2c"), switched(b"Upgrade: h2c\r\nConnection: Upgrade")),
}


@table(BAD_SWITCHES)
def test_a_switch_that_was_not_asked_for_is_none(site, case):
    raw, answer = case
    site.upstream.scripts["switch"] = answer + ok(b"forged")
    with site.client(saying("switch", raw)) as client:
        got = client.answer()
        assert got.status == 502 and b"forged" not in got.body
    for _ in range(3):
        site.visit()


# --- many requests on one connection ---

def test_answers_come_in_the_order_of_the_requests(site, gate):
    def slow(connection: socket.socket, _: Seen) -> None:
        assert gate.wait(20)
        connection.sendall(ok(b"slow"))

    site.upstream.scripts["slow"] = slow
    with site.client(saying("slow") + b"\r\n" + BEHIND * 20) as client:
        site.visit()
        gate.set()
        assert client.answer().body == b"slow"
        for _ in range(20):
            assert client.answer().body == b"GET /open/behind"


INSIDE = b"GET /open/inside HTTP/1.1\r\nHost: localhost\r\n\r\n"
UNREAD_BODIES = {
    "length": b"Content-Length: %d\r\n\r\n%s" % (len(INSIDE), INSIDE),
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(INSIDE), INSIDE),
    "a chunk for each byte": b"Transfer-Encoding: chunked\r\n\r\n%s0\r\n\r\n" % b"".join(
        b"1\r\n%c\r\n" % byte for byte in INSIDE),
}
UNREAD = {"denied": ("POST /guarded/x", 401), "no route": ("POST /dex/none", 404),
          "ambiguous": ("POST /site/admin;x", 400), "TRACE": ("TRACE /open/x", 405)}


@pytest.mark.parametrize("body", UNREAD_BODIES.values(), ids=UNREAD_BODIES)
@table(UNREAD)
def test_a_body_that_nobody_reads_is_no_request(site, case, body):
    """It is passed over or the connection ends; what follows may be served, the body never."""
    line, status = case
    before = site.mark()
    head = f"{line} HTTP/1.1\r\nHost: localhost\r\n".encode()
    with site.client(head + body + LAST) as client:
        first = client.answer()
        assert first.status == status
        rest = client.rest()
    served = [s.target for s in site.upstream.since(before)]
    assert served == ([] if first.closes else ["/open/last"])
    assert rest.count(b"HTTP/1.1 ") == len(served)


def test_a_long_body_that_nobody_reads_is_no_request(site):
    before = site.mark()
    head = b"POST /guarded/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n"
    with site.client(head) as client:
        assert client.answer().status == 401
        with contextlib.suppress(ConnectionError):
            for _ in range(5_000_000 // len(INSIDE)):
                client.send(INSIDE)
    assert site.upstream.since(before) == []


AFTER_ERRORS = {
    "framing": POST + b"Content-Length: x\r\n\r\n", "chunk": CHUNKED + b"x\r\n",
    "target": GET.replace(b"/open/x", b"/open/%zz") + b"\r\n",
    "version": GET.replace(b"1.1", b"3.0") + b"\r\n", "no host": b"GET /open/x HTTP/1.1\r\n\r\n",
    "expectation": GET + b"Expect: x\r\n\r\n"}


@table(AFTER_ERRORS)
def test_the_requests_before_an_error_are_answered_and_none_behind_it(site, case):
    before = site.mark()
    with site.client(BEHIND * 2 + case + INSIDE) as client:
        assert client.answer().body == client.answer().body == b"GET /open/behind"
        answer = client.answer()
        assert answer.status >= 400 and answer.closes
        assert client.rest() == b""
    assert not any(s.target == "/open/inside" for s in site.upstream.since(before))


def test_each_pipelined_request_is_judged_for_itself(site):
    stranger = b"GET /guarded/b HTTP/1.1\r\nHost: localhost\r\n\r\n"
    before = site.mark()
    with site.client((GUARDED + b"\r\n" + stranger) * 2) as client:
        assert [client.answer().status for _ in range(4)] == [200, 301, 200, 301]
    assert [s.target for s in site.upstream.since(before)] == ["/guarded/x"] * 2


HEAD = GET.replace(b"GET", b"HEAD")
HEAD_ANSWERS = {
    "served": (HEAD, 200), "denied": (HEAD.replace(b"/open", b"/guarded"), 301),
    "no route": (HEAD.replace(b"/open/x", b"/dex/none"), 404),
    "ambiguous": (HEAD.replace(b"/open/x", b"/site/admin;x"), 400),
    "refused": (HEAD.replace(b"/open/x", b"/open/%zz"), 400),
    "broken": (saying("head-broken", HEAD), 502), "expectation": (HEAD + b"Expect: x\r\n", 417)}


@table(HEAD_ANSWERS)
def test_head_is_never_answered_with_a_body(site, case):
    """A body would be taken for the next answer."""
    site.upstream.scripts["head-broken"] = b"garbage\r\n\r\n"
    raw, status = case
    with site.client(raw + b"\r\n" + LAST) as client:
        answer = client.answer("HEAD")
        assert answer.status == status
        rest = client.rest()
        assert (rest == b"") if answer.closes else rest.startswith(b"HTTP/1.1 200 ")


def test_no_content_leaves_the_next_answer_in_place(site):
    site.upstream.scripts["none"] = b"HTTP/1.1 204 No Content\r\n\r\n"
    with site.client(saying("none") + b"\r\n" + BEHIND) as client:
        answer = client.answer()
        assert answer.status == 204
        assert not answer.all("content-length") and not answer.all("transfer-encoding")
        assert client.answer().body == b"GET /open/behind"


# --- Expect ---

EXPECTING = POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"


@pytest.mark.parametrize("word", [b"100-continue", b"100-Continue", b"100-CONTINUE", b" 100-continue\t"])
def test_continue_is_said_once_and_asked_of_nobody_else(site, word):
    before = site.mark()
    with site.client(EXPECTING.replace(b"100-continue", word)) as client:
        assert client.answer().status == 100
        client.send(b"hello" + BEHIND)
        assert client.answer().body == b"POST /open/x"
        assert client.answer().body == b"GET /open/behind"
    first = site.upstream.since(before)[0]
    assert first.body == b"hello" and first.all("expect") == []


WITHOUT_CONTINUE = {
    "body at hand": EXPECTING + b"hello", "HTTP/1.0": EXPECTING.replace(b"1.1", b"1.0") + b"hello",
    "no content": EXPECTING.replace(b" 5\r", b" 0\r"), "no body": GET + b"Expect: 100-continue\r\n\r\n",
    "denied": EXPECTING.replace(b"/open/x", b"/guarded/x"),
    "bad target": EXPECTING.replace(b"/open/x", b"/open/%zz"),
    "bad host": EXPECTING.replace(b" localhost", b" a,b"),
    "bad length": EXPECTING.replace(b" 5\r", b" +5\r")}


@table(WITHOUT_CONTINUE)
def test_continue_is_not_said_where_nothing_is_waited_for(site, case):
    with site.client(case) as client:
        assert client.answer().status != 100


def test_what_follows_a_denied_expectation_is_no_request(site):
    before = site.mark()
    head = EXPECTING.replace(b"/open/x", b"/guarded/x").replace(b" 5\r", b" %d\r" % len(INSIDE))
    with site.client(head) as client:
        answer = client.answer()
        assert answer.status == 401 and answer.closes
        with contextlib.suppress(ConnectionError):
            client.send(INSIDE)
        assert client.rest() == b""
    assert site.upstream.since(before) == []


# --- upstreams that misbehave ---

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    **named("status line", [
        b" ", b"garbage", b"200 OK", b"HTTP/1.1", b"HTTP/1.1 ", b"HTTP/1.1 OK", b"HTTP/1.1 20",
        b"HTTP/1.1 2000 OK", b"HTTP/1.1 20O OK", b"HTTP/1.1 -200 OK", b"HTTP/1.1 +200 OK",
        b"HTTP/1.1 000 OK", b"HTTP/1.1 099 OK", b"HTTP/1.1 600 OK", b"HTTP/1.1 999 OK",
        b"HTTP/1.1 0200 OK", b"HTTP/1.1 0xC8 OK", b"HTTP/1.1  200 OK", b"HTTP/1.1\t200 OK",
        b"HTTP/1.1 200\tOK", b"HTTP/1.1 200OK", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 O\rK",
        b"HTTP/1.1 200 O\x0bK", b"HTTP/2.0 200 OK", b"HTTP/2 200", b"HTTP/0.9 200 OK",
        b"HTTP/1.2 200 OK", b"HTTP/1.10 200 OK", b"HTTP/1 200 OK", b"http/1.1 200 OK", b"ICY 200 OK",
        b"HTTPS/1.1 200 OK", b"HTTP /1.1 200 OK", b" HTTP/1.1 200 OK", b"\0HTTP/1.1 200 OK",
        b"GET / HTTP/1.1", b"<html>", b"\x15\x03\x01\x00\x02\x02\x46", b"HTTP/1.1 200.5 OK",
        b"HTTP/1.1 2 00 OK", "HTTP/1.1 ２00 OK".encode(), b"HTTP/1.1 200 " + b"a" * 100_000],
        lambda line: line + b"\r\nContent-Length: 2\r\n\r\nok"),
    **named("field", [
        b"X: a\x00b", b"X: a\x01b", b"X: a\x08b", b"X: a\x0bb", b"X: a\x1bb", b"X: a\x7fb", b"X: a\rb",
        b"X: a\nb", b"X: a\r\r", b"X", b": x", b":", b"X : y", b"X\t: y", b"X y: z", b" X: y",
        b"X\x00: y", b"X\xff: y", b"X(: y", b"X: y\r\n z", b"X: y\nSet-Cookie: evil=1",
        b"X: y\rSet-Cookie: evil=1", b"\x00: y", b"X;: y", b"Y: " + b"a" * 200_000,
        b"X: y\r\n" * 2000 + b"Y: z"],
        lambda line: OK + line + b"\r\nContent-Length: 2\r\n\r\nok"),
    **named("length", [
        b"-2", b"+2", b"0x2", b"2.0", b"2 2", b"2,2", b"2, 3", b"2;", b"", b" ", b"two", b"2\x00",
        b"18446744073709551618", b"99999999999999999999", b"2\r\nContent-Length: 3",
        b"3\r\nContent-Length: 2", b"2\r\ncontent-length: 2", b"2\r\nContent-Length:", b"-1", b"\xa02",
        b"2_", b"%32", b"2\r\nTransfer-Encoding: chunked", b"0\r\nTransfer-Encoding: chunked",
        b"2\r\nTransfer-Encoding: identity", b"2\r\nTransfer-Encoding : chunked"],
        lambda value: OK + b"Content-Length: " + value + b"\r\n\r\nok"),
    **named("coding", [
        b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"xchunked", b"chunkedx",
        b"identity", b"chunked\r\nTransfer-Encoding: chunked", b"chunked\r\nTransfer-Encoding: identity",
        b"\x0bchunked", b'"chunked"', b"chunked;x", b"", b"chunked\x00", b"chunked,", b",chunked",
        b"chunked\r\nContent-Length: 2", b"\r\n chunked", b"cow"],
        lambda value: OK + b"Transfer-Encoding: " + value + b"\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    **named("interim answer", [
        b"100 Continue\r\n\r\ngarbage\r\n\r\n", b"103 Early Hints\r\nContent-Length: 2\r\n\r\nok",
        b"103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"103 Early Hints\r\nLink: a\x00b\r\n\r\n", b"103 Early Hints\r\nLink: a\nb: c\r\n\r\n",
        b"100 Continue\n\n", b"102 Processing\r\n\r\n" + b"HTTP/1.1 102 Processing\r\n\r\n" * 200],
        lambda interim: b"HTTP/1.1 " + interim + ok(b"ok")),
    "coding on HTTP/1.0": CHUNKS.replace(b"1.1", b"1.0") + b"2\r\nok\r\n0\r\n\r\n",
    "bare LF throughout": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "bare CR throughout": b"HTTP/1.1 200 OK\rContent-Length: 2\r\rok",
    "bare LF as the empty line": OK + b"Content-Length: 2\r\n\nok\r\n\r\n",
    "an empty line before": b"\r\n\r\n" + ok(b"ok"),
    "one line end before": b"\r\n" + ok(b"ok"), "LF before": b"\n" + ok(b"ok"),
    "150": ok(b"ok").replace(b"200 OK", b"150 X"), "199 alone": ok(b"ok").replace(b"200 OK", b"199 X"),
    "only line ends": b"\r\n\r\n\r\n",
    "128 fields": OK + b"X: y\r\n" * 128 + b"Content-Length: 2\r\n\r\nok",
    "17 interim answers": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 17 + ok(b"ok"),
    "a length of 19 digits": OK + b"Content-Length: 9223372036854775808\r\n\r\nok",
    "a pseudo-field": ok(b"ok", b":status: 500\r\n"),
    "a quoted Connection": ok(b"ok", b'Connection: "x"\r\n'),
    # Who speaks first, or another protocol.
    **{f"greeting {greeting[:20]!r}": then_close(greeting) for greeting in [
        b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail.test ESMTP\r\n", b"* OK IMAP4rev1\r\n", b"hello world",
        b"<html>hello</html>\r\n", b"\0\0\0\4\0\0\0\0\0", b"\x15\x03\x03\0\2\2\x28", b"-ERR\r\n\r\n",
        b"\x4a\0\0\0\x0a8.0.35\0", b"\xff\xfd\x18\xff\xfd"]},
}


@table(BROKEN)
def test_an_answer_with_two_readings_is_none(site, case):
    site.upstream.scripts["broken"] = case
    with site.client(saying("broken") + b"\r\n" + BEHIND) as client:
        answer = client.answer()
        assert answer.status == 502, answer
        assert not answer.all("set-cookie") and b"evil" not in answer.body
        if not answer.closes:
            assert client.answer().body == b"GET /open/behind"
    site.visit()


INTERIM = {"100": b"HTTP/1.1 100 Continue\r\n\r\n", "102": b"HTTP/1.1 102 Processing\r\n\r\n",
           "103": b"HTTP/1.1 103 Early Hints\r\nLink: </evil>\r\nSet-Cookie: evil=1\r\n\r\n",
           "199": b"HTTP/1.1 199 Odd\r\n\r\n"}
PASSED = {
    "length": ok(b"ok"),
    "chunks": CHUNKS + b"1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n",
    "chunks with a trailer": CHUNKS + b"2\r\nok\r\n0\r\nX-Note: a\r\n\r\n",
    "until the end": then_close(OK + b"\r\nok"),
    "HTTP/1.0 until the end": then_close(b"HTTP/1.0 200 OK\r\n\r\nok"),
    "HTTP/1.0 with a length": then_close(ok(b"ok").replace(b"1.1", b"1.0")),
    "HTTP/1.0 kept alive": ok(b"ok", b"Connection: keep-alive\r\n").replace(b"1.1", b"1.0"),
    "no reason": ok(b"ok").replace(b" OK", b" "),
    **{f"{name} first": interim + ok(b"ok") for name, interim in INTERIM.items()},
    "all interim answers first": b"".join(INTERIM.values()) + ok(b"ok"),
    "bytes behind a length": ok(b"ok") + b"forged",
    "an answer behind a length": ok(b"ok") + ok(b"forged"),
    "three answers behind a length": ok(b"ok") + ok(b"forged") * 3,
    "an answer behind chunks": CHUNKS + b"2\r\nok\r\n0\r\n\r\n" + ok(b"forged"),
    "a line end behind a length": ok(b"ok") + b"\r\n",
    "an interim answer behind a length": ok(b"ok") + b"HTTP/1.1 100 Continue\r\n\r\n",
    "408 unasked behind a length": then_close(
        ok(b"ok") + b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
    "connection fields": ok(b"ok", b"Connection: close, x-evil\r\nX-Evil: 1\r\nKeep-Alive: evil\r\n"
                                   b"Proxy-Connection: evil\r\nUpgrade: evil\r\nTE: evil\r\n"),
    "h2c offered": ok(b"ok", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"),
    "the session's cookie": ok(b"ok", b"Set-Cookie: gatehouse_session=evil; Path=/\r\n"
                                      b"set-cookie: gatehouse_session=evil\r\n"),
    "close": then_close(ok(b"ok", b"Connection: close\r\n")),
    "close, but open": ok(b"ok", b"Connection: close\r\n"),
    "no blank behind the status": ok(b"ok").replace(b" OK", b""),
    "a reason beyond ASCII": ok(b"ok").replace(b"OK", "Ökay".encode()),
    "values beyond ASCII": ok(b"ok", "Content-Disposition: attachment; filename=ü\r\n".encode()),
    "127 fields": ok(b"ok", b"X: y\r\n" * 126),
    "60 KB of a field": ok(b"ok", b"X: %s\r\n" % (b"y" * 60_000)),
    "16 interim answers": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 16 + ok(b"ok"),
    "an interim answer of HTTP/1.0": b"HTTP/1.0 100 Continue\r\n\r\n" + ok(b"ok"),
    "an interim answer with length 0": b"HTTP/1.1 103 X\r\nContent-Length: 0\r\n\r\n" + ok(b"ok"),
    "an interim answer that closes": b"HTTP/1.1 103 X\r\nConnection: close\r\n\r\n" + ok(b"ok"),
    "its framing nominated away": ok(b"ok", b"Connection: content-length\r\n"),
    "its coding nominated away": CHUNKS[:-2] + b"Connection: transfer-encoding\r\n\r\n"
        b"2\r\nok\r\n0\r\n\r\n",
    "aliases of framing": ok(b"ok", b"Transfer_Encoding: evil\r\nContent_Length: 5\r\n"),
    "fields of a request": ok(b"ok", b"Host: evil\r\nTE: evil\r\nHTTP2-Settings: evil\r\n"),
    "a chunk's size with zeros": CHUNKS + b"%s2\r\nok\r\n%s\r\n\r\n" % (b"0" * 14, b"0" * 15),
    "coding in capitals": CHUNKS.replace(b"chunked", b"CHUNKED") + b"2\r\nok\r\n0\r\n\r\n",
    "100 trailers": CHUNKS + b"2\r\nok\r\n0\r\n" + b"X: evil\r\n" * 100 + b"\r\n",
    "more than its length, and the end": then_close(ok(b"ok") + b"forged"),
}
WITHOUT_BODY = {
    "200 empty": OK + b"Content-Length: 0\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "204 with a length": b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
    "204 with length 0": b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    "204 with chunks": CHUNKS.replace(b"200 OK", b"204 No Content") + b"2\r\nok\r\n0\r\n\r\n",
    "204 with a forged answer": b"HTTP/1.1 204 No Content\r\n\r\n" + ok(b"forged"),
    "304": b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
    "304 with a length": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
    "304 with a body": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok",
    "304 with chunks": CHUNKS.replace(b"200 OK", b"304 Not Modified") + b"2\r\nok\r\n0\r\n\r\n",
    "205 empty": b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
}
CLIENTS = {"1.1": GET, "1.0": OLD, "1.0 kept alive": OLD + b"Connection: keep-alive\r\n"}


@pytest.mark.parametrize("head", CLIENTS.values(), ids=CLIENTS)
@table({**{name: (answer, 200, b"ok") for name, answer in PASSED.items()},
        **{name: (answer, int(name[:3]), b"") for name, answer in WITHOUT_BODY.items()}})
def test_an_answer_goes_on_once_and_is_nobody_elses(site, case, head):
    answer, status, body = case
    site.upstream.scripts["passed"] = answer
    with site.client(saying("passed", head) + b"\r\n") as client:
        got = client.answer()  # never an interim one, which HTTP/1.0 has no idea of
        assert (got.status, got.body) == (status, body)
        assert "evil" not in str(got.fields)
        assert head == GET or not got.all("transfer-encoding")
        assert not (status == 204 and got.all("content-length"))
        if got.closes:
            assert client.rest() == b""
        else:
            client.send(BEHIND)
            assert client.answer().body == b"GET /open/behind"
    for _ in range(3):
        site.visit()



def dripping(answer: bytes):
    """A script that sends its answer byte by byte."""
    def script(connection: socket.socket, _: Seen) -> None:
        for byte in answer:
            connection.sendall(bytes([byte]))
    return script


# Without those that go on behind their end: a byte that comes when the next request has been sent is
# of its answer, as far as anybody can tell.
@table({name: (answer, 200, b"ok") for name, answer in PASSED.items()
        if not callable(answer) and len(answer) < 5000 and " behind " not in name}
       | {name: (answer, int(name[:3]), b"") for name, answer in WITHOUT_BODY.items()
          if answer.endswith(b"\r\n\r\n") and answer.count(b"\r\n\r\n") == 1})
def test_an_answer_that_comes_byte_by_byte_is_the_same(site, case):
    answer, status, body = case
    site.upstream.scripts["drip"] = dripping(answer)
    with site.client(saying("drip") + b"\r\n" + BEHIND) as client:
        got = client.answer()
        assert (got.status, got.body) == (status, body)
        assert "evil" not in str(got.fields)
        assert client.answer().body == b"GET /open/behind"
    for _ in range(3):
        site.visit()


@table({name: answer for name, answer in BROKEN.items()
        if not callable(answer) and len(answer) < 3000 and name != "bare CR throughout"})
def test_nor_is_an_answer_with_two_readings_one_byte_by_byte(site, case):
    site.upstream.scripts["drip"] = dripping(case)
    with site.client(saying("drip") + b"\r\n") as client:
        assert client.answer().status == 502
    site.visit()


TO_HEAD = {
    "length": OK + b"Content-Length: 6\r\n\r\n", "length and body": ok(b"forged"),
    "chunks": CHUNKS + b"6\r\nforged\r\n0\r\n\r\n", "coding alone": CHUNKS, "no length": OK + b"\r\n",
    "an answer as its body": ok(ok(b"forged")), "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "an error and its body": ok(b"forged").replace(b"200 OK", b"404 Not Found")}


@pytest.mark.parametrize("connection", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
@table(TO_HEAD)
def test_no_body_follows_the_answer_to_head(site, case, connection):
    site.upstream.scripts["head"] = case
    with site.client(saying("head", HEAD) + connection + b"\r\n") as client:
        answer = client.answer("HEAD")
        assert answer.status in (200, 204, 404)
        assert len(answer.all("content-length")) + len(answer.all("transfer-encoding")) <= 1
        if connection:
            assert client.rest() == b""
        else:
            client.send(BEHIND)
            assert client.answer().body == b"GET /open/behind"
    for _ in range(3):
        site.visit()


def then_reset(answer: bytes):
    """A script that breaks the connection off behind its answer."""
    def script(connection: socket.socket, _: Seen) -> None:
        connection.sendall(answer)
        connection.setsockopt(*RESET)
        raise ConnectionAbortedError
    return script


TRUNCATED = {
    "length": then_close(OK + b"Content-Length: 5\r\n\r\nhel"),
    "length, no byte": then_close(OK + b"Content-Length: 5\r\n\r\n"),
    "length, long": then_close(OK + b"Content-Length: 500000\r\n\r\n" + b"x" * 400_000),
    "length, reset": then_reset(OK + b"Content-Length: 5\r\n\r\nhel"),
    "until the end, reset": then_reset(OK + b"\r\nhello"),
    "HTTP/1.0 until the end, reset": then_reset(b"HTTP/1.0 200 OK\r\n\r\nhello"),
    **{f"chunks, {name}": then_close(CHUNKS + chunks) for name, chunks in {
        "none": b"", "in data": b"5\r\nhel", "behind one": b"5\r\nhello\r\n",
        "in a size": b"5\r\nhello\r\n5", "in the last": b"5\r\nhello\r\n0\r\n",
        "in the trailers": b"5\r\nhello\r\n0\r\nX: y\r\n"}.items()},
    **{f"bad chunk, {name}": then_close(CHUNKS + b"5\r\nhello\r\n" + chunk) for name, chunk in {
        "size": b"x\r\n", "sign": b"-1\r\nx\r\n0\r\n\r\n", "0x": b"0x1\r\nx\r\n0\r\n\r\n",
        "overflow": b"10000000000000001\r\nx\r\n0\r\n\r\n", "space": b" 1\r\nx\r\n0\r\n\r\n",
        "LF": b"1\nx\r\n0\r\n\r\n", "bytes behind the data": b"1\r\nxy\r\n0\r\n\r\n",
        "NUL in an extension": b"1;\0\r\nx\r\n0\r\n\r\n", "LF in an extension": b"1;a\nx\r\n0\r\n\r\n",
        "LF as the end": b"0\r\n\n", "bad trailer": b"0\r\nX\r\n\r\n",
        "framing in a trailer": b"0\r\nContent-Length: 5\r\n\r\n"}.items()},
}


@pytest.mark.parametrize("head", [GET, OLD], ids=["1.1", "1.0"])
@table(TRUNCATED)
def test_an_answer_cut_short_never_looks_whole(site, case, head):
    """By a body without its end, or where only the end of the connection ends a body, by a reset."""
    site.upstream.scripts["truncated"] = case
    with site.client(saying("truncated", head) + b"\r\n") as client:
        with contextlib.suppress(Cut):
            assert client.answer().status == 502
    site.visit()


@pytest.mark.parametrize("answer", [
    b"", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nX: y\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n"], ids=repr)
def test_an_answer_cut_short_in_its_head_is_an_error(site, answer):
    site.upstream.scripts["no-head"] = then_close(answer)
    with site.client(saying("no-head") + b"\r\n") as client:
        assert client.answer().status in (502, 503)
    site.visit()


@pytest.mark.parametrize("method", ["POST", "PATCH", "LOCK"])
def test_a_request_that_may_have_been_acted_on_is_not_sent_again(site, method):
    """Not even where the connection was one that was kept, and may have closed before (RFC 9110
    §9.2.2): its method is not idempotent."""
    site.upstream.scripts["gone"] = then_close(b"")
    site.visit()  # a connection is kept
    before = site.mark()
    with site.client(saying("gone", POST.replace(b"POST", method.encode()))
                     + b"Content-Length: 5\r\n\r\nhello") as client:
        assert client.answer().status in (502, 503)
    assert len(site.upstream.since(before)) == 1


def test_a_connection_that_the_upstream_has_closed_is_not_used(site):
    closed = threading.Event()

    def script(connection: socket.socket, _: Seen) -> None:
        connection.sendall(ok(b"ok"))
        connection.shutdown(socket.SHUT_WR)
        closed.set()
        raise ConnectionAbortedError

    site.upstream.scripts["closed"] = script
    with site.client(saying("closed") + b"\r\n") as client:
        assert client.answer().body == b"ok"
        assert closed.wait(20)
        client.send(POST + b"Content-Length: 5\r\n\r\nhello")
        assert client.answer().body == b"POST /open/x"


def test_the_rest_of_an_answer_that_nobody_reads_is_nobody_elses(site, gate):
    def script(connection: socket.socket, _: Seen) -> None:
        connection.sendall(CHUNKS + b"2\r\nok\r\n")
        assert gate.wait(20)
        connection.sendall(b"2\r\nok\r\n0\r\n\r\n" + ok(b"forged"))

    site.upstream.scripts["half"] = script
    with site.client(saying("half") + b"\r\n") as client:
        client.until(b"ok\r\n")
        client.socket.setsockopt(*RESET)
    site.visit()
    gate.set()
    for _ in range(3):
        site.visit()


NO = b"HTTP/1.1 413 Content Too Large\r\n%sContent-Length: 2\r\n\r\nno"
EARLY = {
    "413": (NO % b"", 413, b"no"),
    "413 and close": (then_close(NO % b"Connection: close\r\n"), 413, b"no"),
    "200": (ok(b"ok"), 200, b"ok"),
    "chunks": (CHUNKS + b"2\r\nok\r\n0\r\n\r\n", 200, b"ok"),
    "two": (ok(b"ok") + ok(b"forged"), 200, b"ok"),
    "100 and 200": (INTERIM["100"] + ok(b"ok"), 200, b"ok"),
}
REST = b"hello" + INSIDE
UPLOADS = {
    "length": (b"Content-Length: %d\r\n\r\n" % len(REST), REST),
    "chunks": (b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(REST), REST))}


@pytest.mark.parametrize("framing, rest", UPLOADS.values(), ids=UPLOADS)
@table(EARLY)
def test_an_answer_before_the_end_of_the_request(site, case, framing, rest):
    """It is passed on; and the rest of the body is no request, neither here nor at the upstream."""
    answer, status, body = case
    site.upstream.scripts["early"] = answer
    before = site.mark()
    with site.client(saying("early", POST) + framing) as client:
        got = client.answer()
        assert (got.status, got.body) == (status, body)
        with contextlib.suppress(ConnectionError):
            client.send(rest + LAST)
        with contextlib.suppress(Cut):
            assert b"/open/inside" not in client.rest()
    assert not any(s.target == "/open/inside" for s in site.upstream.since(before))
    for _ in range(3):
        site.visit()


LATE = {"an answer": ok(b"forged"), "garbage": b"forged", "an interim answer": INTERIM["100"]}


@pytest.mark.parametrize("head", [GET, HEAD], ids=["GET", "HEAD"])
@table(LATE)
def test_bytes_that_come_after_an_answer_are_never_the_next_answer(site, gate, case, head):
    sent = threading.Event()

    def late(connection: socket.socket, seen: Seen) -> None:
        answer = ok(b"forged")
        connection.sendall(answer[:-6] if seen.method == "HEAD" else answer)
        assert gate.wait(20)
        connection.sendall(case)
        sent.set()

    site.upstream.scripts["late"] = late
    with site.client(saying("late", head) + b"\r\n") as client:
        assert client.answer("HEAD" if head == HEAD else "GET").status == 200
        gate.set()
        assert sent.wait(20)
        for _ in range(3):
            site.visit()
