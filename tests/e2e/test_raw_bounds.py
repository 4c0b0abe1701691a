"""HTTP/1.1 byte by byte, where something ends: the last byte that a limit allows and the first that it
does not, and what may stand between one request and the next."""

import threading

import pytest
from deployment import USER
from raw_site import BEHIND, CHUNKED, GET, GUARDED, POST, Site, front_door, table
from wire import Client

# What is sent, and how it is answered: by a status, or by the request's own line if it is served.
SERVED = 200


@pytest.fixture(scope="module")
def site():
    with front_door() as running:
        yield running


def of_length(total: int) -> bytes:
    """A head of so many bytes."""
    begun = GET + b"X: "
    return begun + b"y" * (total - len(begun) - 4) + b"\r\n\r\n"


def chunked(size: bytes = b"5", last: bytes = b"0", trailers: bytes = b"") -> bytes:
    return CHUNKED + size + b"\r\nhello\r\n" + last + b"\r\n" + trailers + b"\r\n"


def length(value: bytes) -> bytes:
    return POST + b"Content-Length: " + value + b"\r\n\r\nhello"


BOUNDS = {
    "head of 64 KiB": (of_length(65_536), SERVED), "head of a byte more": (of_length(65_537), 431),
    "128 fields": (GET + b"X: y\r\n" * 127 + b"\r\n", SERVED),
    "129 fields": (GET + b"X: y\r\n" * 128 + b"\r\n", 431),
    "129 short fields": (GET + b"X:\r\n" * 128 + b"\r\n", 431),
    "target of 16 KiB": (GET.replace(b"x", b"x" * 16_378, 1) + b"\r\n", SERVED),
    "target of a byte more": (GET.replace(b"x", b"x" * 16_379, 1) + b"\r\n", 414),
    "query of 16 KiB": (GET.replace(b"/x", b"/?" + b"x" * 16_377, 1) + b"\r\n", SERVED),
    "query of a byte more": (GET.replace(b"/x", b"/?" + b"x" * 16_378, 1) + b"\r\n", 414),
    "length of 17 digits": (length(b"%017d" % 5), SERVED), "of 19": (length(b"%019d" % 5), 400),
    "length of 20 digits": (length(b"%020d" % 5), 400), "of 1,000": (length(b"%01000d" % 5), 400),
    **{f"chunk size of {n} digits": (chunked(b"5".rjust(n, b"0")), SERVED if n < 16 else 400)
       for n in (2, 15, 16, 17, 18, 32, 100, 5_000)},
    **{f"last chunk of {n} digits": (chunked(last=b"0" * n), SERVED if n < 16 else 400)
       for n in (2, 15, 16, 17, 18, 32, 5_000)},
    **{f"extension of {n} bytes": (chunked(b"5;" + b"x" * (n - 1)), SERVED if n < 2_000 else 400)
       for n in (100, 1_000, 4_096, 16_384, 70_000)},
    "an extension of each chunk": (CHUNKED + b"1;xxxxxxxx\r\nx\r\n" * 2_000 + b"0\r\n\r\n", SERVED),
    "10,000 chunks": (CHUNKED + b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n", SERVED),
    **{f"{n} trailers": (chunked(trailers=b"X: y\r\n" * n), SERVED if n < 129 else 400)
       for n in (1, 127, 128, 129, 1_000)},
    **{f"trailers of {n} bytes": (chunked(trailers=b"X: %s\r\n" % (b"y" * n)),
                                  SERVED if n < 10_000 else 400)
       for n in (1_000, 8_000, 20_000, 70_000)},
}


def serves_or_refuses(site: Site, raw: bytes, status: int) -> None:
    """A request that is served leaves the next in its place; none follows one that is refused."""
    before = site.mark()
    with site.client(raw + BEHIND) as client:
        first = client.answer()
        assert first.status == status, first
        if status == SERVED:
            assert client.answer().body == b"GET /open/behind"
        else:
            assert first.closes
            assert client.rest() == b""
    seen = site.upstream.since(before)
    assert [s.target == "/open/behind" for s in seen if s.whole] == [False, True][:len(seen)]
    assert (status == SERVED) == any(s.whole for s in seen)


@table(BOUNDS)
def test_a_limit_holds_to_the_byte(site, case):
    serves_or_refuses(site, *case)


EXTENSIONS = {
    **dict.fromkeys([b";a", b";a=b", b';a="b"', b';a="b;c"', b';a="\\""', b"; a", b";a = b", b";a=",
                     b";=b", b";;;", b";a\tb", b";a,b", b";a:b", b";(c)", b';a="b', b';a=b"', b";a=b ",
                     b";"], SERVED),
    **dict.fromkeys([b" ;a", b"\t;a", b" ", b"  ", b"\t", b";\xff", ";é".encode(), b";a=\x80",
                     b";\x7f", b';a="\r\n"', b';a="\r\n\r\n"', b",a", b":a", b"=a", b"#a", b" 5", b";\x1b",
                     b";a\r", b";a\n"], 400)}


@pytest.mark.parametrize("extension", EXTENSIONS, ids=repr)
def test_extensions_of_chunks_are_passed_over_or_refused(site, extension):
    serves_or_refuses(site, chunked(b"5" + extension), EXTENSIONS[extension])


TRAILERS = {
    **dict.fromkeys(["X: y", "X:y", "X:", "X: \x80", "Date: x", "ETag: x", "Content-MD5: x", "Digest: x",
                     "X-Request-Id: x", "Authorization_: x", "Content-Location: x", "If-Match: x",
                     "Warning: x", "Sec-WebSocket-Key: x", "Accept: x", "Proxy: x",
                     "Server-Timing: x"], SERVED),
    **dict.fromkeys(["X: y\r\n z", "X : y", " X: y", ":x", "X", "X\0: y", "X\xff: y", "X: a\0b",
                     "Content_Length: 9", "Transfer_Encoding: x", "content-length : 5",
                     "Set-Cookie: gatehouse_session=x", "Location: x", "Max-Forwards: 1",
                     "Cache-Control: x", "Vary: *", "WWW-Authenticate: x", "Proxy-Connection: x",
                     "HTTP2-Settings: x", ":path: /guarded", "Origin: x", "CONTENT-LENGTH: 5", "hOST: x",
                     "X: y\nHost: z", "X: y\rHost: z", "X y: z"], 400)}


@pytest.mark.parametrize("trailer", TRAILERS, ids=repr)
def test_trailers_are_left_out_or_refused(site, trailer):
    before = site.mark()
    serves_or_refuses(site, chunked(trailers=trailer.encode("latin-1") + b"\r\n"), TRAILERS[trailer])
    for seen in site.upstream.since(before):
        assert seen.trailers == b"" and "trailer" not in seen.names()


BETWEEN = {
    b"": 200, b"\r\n": 200, **dict.fromkeys(
        [b"\r\n\r\n", b"\r\n\r\n\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b"\r\n ", b" \r\n", b"\n\r\n",
         b"\r\r\n", b"0\r\n\r\n", b"\r\nx\r\n", b"\xef\xbb\xbf", b"\x80", b"HTTP/1.1 200 OK\r\n\r\n"], 400)}
WHOLE = {"no body": GET + b"\r\n", "length": length(b"5"), "chunks": chunked(),
         "length 0": length(b"0")[:-5], "no framing": POST + b"\r\n"}


@pytest.mark.parametrize("first", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("between", BETWEEN, ids=repr)
def test_what_stands_between_two_requests(site, between, first):
    """RFC 9112 §2.2 lets a server pass over an empty line; the rest is no beginning of a request."""
    before = site.mark()
    with site.client(first + between + BEHIND) as client:
        assert client.answer().status == 200
        second = client.answer()
        assert second.status == BETWEEN[between], second
        if second.status == 400:
            assert second.closes and client.rest() == b""
    targets = [s.target for s in site.upstream.since(before)]
    assert targets == ["/open/x", "/open/behind"][:1 + (BETWEEN[between] == 200)]


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("nominated", ["content-length", "transfer-encoding", "Content-Length, close",
                                       "close, Transfer-Encoding"])
def test_connection_takes_no_framing_away(site, framing, nominated):
    before = site.mark()
    raw = WHOLE[framing].replace(b"\r\n", f"\r\nConnection: {nominated}\r\n".encode(), 1)
    with site.client(raw) as client:
        assert client.answer().status == 200
    (seen,) = site.upstream.since(before)
    assert seen.whole and seen.body == b"hello"
    assert len(seen.all("content-length")) + len(seen.all("transfer-encoding")) == 1


MIXED = [(GET + b"\r\n", 200), (GET.replace(b"/open", b"/guarded") + b"\r\n", 301),
         (GET.replace(b"/open/x", b"/dex/none") + b"\r\n", 404), (length(b"5"), 200), (chunked(), 200),
         (GET.replace(b"/open/x", b"/site/admin;x") + b"\r\n", 400), (GUARDED + b"\r\n", 200),
         (GET.replace(b"GET", b"OPTIONS") + b"\r\n", 200),
         (length(b"5").replace(b"/open", b"/guarded"), 401)]


def test_each_of_many_requests_gets_its_own_answer(site):
    before = site.mark()
    with site.client(b"".join(raw for raw, _ in MIXED) * 20) as client:
        statuses = [client.answer().status for _ in range(20 * len(MIXED))]
    assert statuses == [status for _, status in MIXED] * 20
    guarded = [s for s in site.upstream.since(before) if s.target.startswith("/guarded")]
    assert [s.all("kubeflow-userid") for s in guarded] == [[USER]] * 20


def test_a_thousand_requests_sent_ahead(site):
    """By a client that reads as it sends; others are served meanwhile."""
    with site.client() as client:
        sending = threading.Thread(target=Client.send, args=(client, BEHIND * 1_000))
        sending.start()
        for i in range(1_000):
            assert client.answer().body == b"GET /open/behind"
            if i % 200 == 0:
                site.visit()
        sending.join()
