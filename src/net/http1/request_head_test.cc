#include <gtest/gtest.h>

#include <string>

#include "net/http1/codec.h"

namespace gatehouse::net::http1 {
namespace {

using namespace std::string_literals;

struct Parsed {
  bool incomplete = false;
  int refused = 0;  // status; 0 if the head was taken
  std::string reason;
  RequestHead head;
  std::size_t consumed = 0;
};

Parsed parse(std::string_view text, bool secure = false, Limits limits = {}) {
  Parsed out;
  const auto result = parse_request_head(text, secure, limits, out.head, out.consumed);
  out.incomplete = !result.has_value();
  if (result && !*result) {
    out.refused = result->error().status;
    out.reason = result->error().reason;
  }
  return out;
}

/// A GET with Host and these lines.
std::string with(std::string_view lines) {
  return "GET /a HTTP/1.1\r\nHost: example.org\r\n" + std::string(lines) + "\r\n";
}
std::string post_with(std::string_view lines) {
  return "POST /a HTTP/1.1\r\nHost: example.org\r\n" + std::string(lines) + "\r\n";
}
int refused(std::string_view text) {
  const Parsed parsed = parse(text);
  EXPECT_FALSE(parsed.incomplete) << text;
  return parsed.refused;
}
bool taken(std::string_view text) {
  const Parsed parsed = parse(text);
  EXPECT_EQ(parsed.reason, "") << text;
  return !parsed.incomplete && parsed.refused == 0;
}

TEST(RequestHead, IsReadWhole) {
  const std::string text =
      "GET /pipeline/?ns=a%20b HTTP/1.1\r\nHost: Example.ORG:8080\r\nAccept: */*\r\nX-Empty:\r\n"
      "X-Spaces: \t a b \t\r\n\r\n";
  const Parsed parsed = parse(text + "next");
  ASSERT_EQ(parsed.refused, 0) << parsed.reason;
  const http::Request& request = parsed.head.request;
  EXPECT_EQ(parsed.consumed, text.size());
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target.str(), "/pipeline/?ns=a%20b");
  EXPECT_EQ(request.authority, "example.org:8080");
  EXPECT_EQ(request.version, http::Version::kHttp11);
  EXPECT_EQ(request.headers.size(), 3u);
  EXPECT_EQ(request.headers.get("accept"), "*/*");
  EXPECT_EQ(request.headers.get("x-empty"), "");
  EXPECT_EQ(request.headers.get("x-spaces"), "a b");
  EXPECT_EQ(parsed.head.framing.kind, Framing::Kind::kNone);
  EXPECT_TRUE(parsed.head.keep_alive);
}

TEST(RequestHead, WaitsForMoreAtEveryCut) {
  const std::string text = post_with("Content-Length: 5\r\nA: b\r\n");
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_TRUE(parse(text.substr(0, size)).incomplete) << size;
  }
  EXPECT_TRUE(taken(text));
}

TEST(RequestHead, LeavesNothingOfTheLastOneBehind) {
  RequestHead head;
  std::size_t consumed = 0;
  const std::string first =
      "POST /long?x HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\nA: "
      "b\r\n\r\n";
  ASSERT_TRUE(parse_request_head(first, false, {}, head, consumed));
  const auto second = parse_request_head(with(""), false, {}, head, consumed);
  ASSERT_TRUE(second && *second);
  EXPECT_TRUE(head.request.headers.empty());
  EXPECT_EQ(head.framing.kind, Framing::Kind::kNone);
  EXPECT_EQ(head.request.target.str(), "/a");
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.expects_continue);
}

TEST(RequestHead, PassesOverOneLeadingEmptyLine) {
  EXPECT_TRUE(taken("\r\n" + with("")));
  EXPECT_EQ(parse("\r\n" + with("")).consumed, with("").size() + 2);
  EXPECT_TRUE(parse("\r").incomplete);
  EXPECT_TRUE(parse("\r\n").incomplete);
  EXPECT_EQ(refused("\r\n\r\n" + with("")), 400);
  EXPECT_EQ(refused("\n" + with("")), 400);
  EXPECT_EQ(refused("\rGET"), 400);
}

// Framing.

TEST(RequestFraming, LengthIsRead) {
  const Parsed parsed = parse(post_with("Content-Length: 0012\r\n"));
  EXPECT_EQ(parsed.head.framing.kind, Framing::Kind::kLength);
  EXPECT_EQ(parsed.head.framing.length, 12u);
  EXPECT_FALSE(parsed.head.request.headers.has("content-length"));
}

TEST(RequestFraming, ChunkedIsRead) {
  const Parsed parsed = parse(post_with("Transfer-Encoding: Chunked\r\n"));
  EXPECT_EQ(parsed.head.framing.kind, Framing::Kind::kChunked);
  EXPECT_FALSE(parsed.head.request.headers.has("transfer-encoding"));
}

TEST(RequestFraming, LengthWithTransferEncodingIsRefused) {  // CVE-2026-2835, CVE-2026-2836
  EXPECT_EQ(refused(post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refused(post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")), 400);
  EXPECT_EQ(refused(post_with("Transfer-Encoding: identity\r\nContent-Length: 5\r\n")), 400);
}

TEST(RequestFraming, TwoLengthsAreRefusedEvenIfEqual) {
  EXPECT_EQ(refused(post_with("Content-Length: 5\r\nContent-Length: 6\r\n")), 400);
  EXPECT_EQ(refused(post_with("Content-Length: 5\r\nContent-Length: 5\r\n")), 400);
  EXPECT_EQ(refused(post_with("Content-Length: 5\r\ncontent-length: 5\r\n")), 400);
}

TEST(RequestFraming, ManyLengthsDoNotCountBackToNone) {
  std::string lines;
  for (int i = 0; i < 256; ++i) lines += "Content-Length: 5\r\n";
  Limits limits;
  limits.fields = 1000;
  EXPECT_EQ(parse(post_with(lines), false, limits).refused, 400);
}

TEST(RequestFraming, LengthThatIsNotOneNumberIsRefused) {
  for (const char* value : {"", "5, 5", "5,5", "+5", "-5", "0x5", "5 5", "5.", "1e3", "5;", "\"5\"",
                            "18446744073709551617", "99999999999999999999", "\t"}) {
    EXPECT_EQ(refused(post_with("Content-Length: "s + value + "\r\n")), 400) << value;
  }
}

TEST(RequestFraming, TransferEncodingOnHttp10IsRefused) {
  EXPECT_EQ(refused("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestFraming, ChunkedMustBeOnceAndLast) {
  for (const char* value :
       {"chunked, identity", "chunked, chunked", "chunked,", ",chunked,", "chunkedx", "xchunked",
        "\"chunked\"", "chunked;q=1", "chun ked", "", "identity", "gzip", "chunked, gzip"}) {
    EXPECT_EQ(refused(post_with("Transfer-Encoding: "s + value + "\r\n")), 400) << value;
  }
}

TEST(RequestFraming, OtherCodingsBeforeChunkedAreNotImplemented) {
  EXPECT_EQ(refused(post_with("Transfer-Encoding: gzip, chunked\r\n")), 501);
}

TEST(RequestFraming, OddSpellingsOfChunkedAreRefused) {
  EXPECT_EQ(refused(post_with("Transfer-Encoding: \x0b"
                              "chunked\r\n")),
            400);
  EXPECT_EQ(refused(post_with("Transfer-Encoding: chunked\x0b\r\n")), 400);
  EXPECT_EQ(refused(post_with("Transfer-Encoding: \x0c"
                              "chunked\r\n")),
            400);
  EXPECT_EQ(refused(post_with("Transfer-Encoding\x0b: chunked\r\n")), 400);
  EXPECT_EQ(refused(post_with("Transfer-Encoding : chunked\r\n")), 400);
  EXPECT_EQ(refused(post_with("Transfer-Encoding:\r\n chunked\r\n")), 400);
  EXPECT_EQ(refused(post_with("Transfer-Encoding:\n chunked\r\n")), 400);
}

TEST(RequestFraming, TwoTransferEncodingsAreRefused) {
  EXPECT_EQ(refused(post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
            400);
  EXPECT_EQ(refused(post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n")), 400);
}

// Lines and bytes.

TEST(RequestLines, BareLineFeedIsRefused) {
  EXPECT_EQ(refused("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nB: c\nD: e\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400);
}

TEST(RequestLines, BareCarriageReturnIsRefused) {
  EXPECT_EQ(refused("GET / HTTP/1.1\rHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused(with("A: b\rC: d\r\n")), 400);
  EXPECT_EQ(refused(with("\rA: b\r\n")), 400);
  EXPECT_EQ(refused("GET /\ra HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(RequestLines, FoldedLinesAreRefused) {
  EXPECT_EQ(refused(with("A: b\r\n c\r\n")), 400);
  EXPECT_EQ(refused(with("A: b\r\n\tc\r\n")), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
}

TEST(RequestLines, WhiteSpaceBeforeTheColonIsRefused) {
  EXPECT_EQ(refused(with("A : b\r\n")), 400);
  EXPECT_EQ(refused(with("A\t: b\r\n")), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400);
}

TEST(RequestLines, EmptyFieldNameIsRefused) {  // CVE-2023-25725
  EXPECT_EQ(refused(with(": b\r\n")), 400);
  EXPECT_EQ(refused(with(":\r\n")), 400);
}

TEST(RequestLines, LineWithoutColonIsRefused) {
  EXPECT_EQ(refused(with("nonsense\r\n")), 400);
}

TEST(RequestLines, BytesThatNoNameMayHaveAreRefused) {
  for (const char c : "\"(),/;<=>?@[\\]{}\x01\x7f\x80\xff"s) {
    EXPECT_EQ(refused(with("A"s + c + "B: c\r\n")), 400) << static_cast<int>(c);
  }
}

TEST(RequestLines, ControlBytesInValuesAreRefused) {  // CVE-2019-9900
  for (int c = 0; c < 0x20; ++c) {
    if (c == '\t' || c == '\r') continue;
    for (const std::size_t before : {0u, 3u, 8u, 21u}) {
      const std::string value = std::string(before, 'x') + static_cast<char>(c) + "yyyyyyyyyyyyyyy";
      EXPECT_EQ(refused(with("A: " + value + "\r\n")), 400) << c;
    }
  }
  EXPECT_EQ(refused(with("A: b\x7f\r\n")), 400);
}

TEST(RequestLines, BytesFrom80UpInValuesPassAsTheyAre) {
  for (int c = 0x80; c < 0x100; ++c) {
    for (const std::string_view before : {"", "aaaaaaaaaaaa"}) {
      const std::string value = std::string(before) + static_cast<char>(c);
      const Parsed parsed = parse(with("A: " + value + "\r\n"));
      EXPECT_EQ(parsed.refused, 0) << c;
      EXPECT_EQ(parsed.head.request.headers.get("a"), value) << c;
    }
  }
}

TEST(RequestLines, BytesFrom80UpAreRefusedInAllElse) {
  for (const char* line : {"A\xc3\xbc: b", "Host: a\xc3\xbc", "Content-Length: 1\xa0",
                           "Transfer-Encoding: \xa0"
                           "chunked",
                           "Connection: a\x85"
                           "b",
                           "Expect: \x85"
                           "100-continue"}) {
    EXPECT_NE(refused(with(std::string(line) + "\r\n")), 0) << line;
  }
}

TEST(RequestLines, TabsAndAllVisibleBytesPass) {
  std::string value = "a\tb ";
  for (char c = '!'; c <= '~'; ++c) value += c;
  EXPECT_EQ(parse(with("A: " + value + "\r\n")).head.request.headers.get("a"), value);
}

// Host and target.

TEST(RequestHost, MissingIsRefusedExceptForHttp10) {
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), 400);
  const Parsed old = parse("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.refused, 0);
  EXPECT_EQ(old.head.request.authority, "");
}

TEST(RequestHost, TwoAreRefused) {
  EXPECT_EQ(refused(with("Host: example.org\r\n")), 400);
  EXPECT_EQ(refused(with("host: other\r\n")), 400);
}

TEST(RequestHost, WhatIsNotOneHostIsRefused) {
  for (const char* host : {"", "a,b", "a, b", "user@a", "a b", "a/b", "a:b", "a:99999", "http://a",
                           "a?b", "a#b", "[::1", "a\tb", ",", "a\\b"}) {
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: "s + host + "\r\n\r\n"), 400) << host;
  }
}

TEST(RequestHost, CannotBeRemovedByConnection) {
  const Parsed parsed = parse(with("Connection: Host\r\n"));
  EXPECT_EQ(parsed.refused, 0);
  EXPECT_EQ(parsed.head.request.authority, "example.org");
}

TEST(RequestTarget, AbsoluteFormMustNameHost) {
  const std::string host = " HTTP/1.1\r\nHost: example.org\r\n\r\n";
  const Parsed same = parse("GET http://Example.org/a?b" + host);
  EXPECT_EQ(same.refused, 0) << same.reason;
  EXPECT_EQ(same.head.request.target.str(), "/a?b");
  EXPECT_EQ(refused("GET http://other.org/a" + host), 400);
  EXPECT_EQ(refused("GET http://user@example.org/a" + host), 400);
  EXPECT_EQ(refused("GET http:///a" + host), 400);
  EXPECT_EQ(refused("GET http://example.org:81/a" + host), 400);
  EXPECT_EQ(refused("GET http://example.org\\@other/a" + host), 400);
}

TEST(RequestTarget, AbsoluteFormMustHaveTheConnectionsScheme) {
  const std::string text = "GET https://example.org/a HTTP/1.1\r\nHost: example.org\r\n\r\n";
  EXPECT_EQ(parse(text, false).refused, 400);
  EXPECT_EQ(parse(text, true).refused, 0);
  EXPECT_EQ(refused("GET ftp://example.org/a HTTP/1.1\r\nHost: example.org\r\n\r\n"), 400);
}

TEST(RequestTarget, ConnectAndAsteriskAreNotServed) {
  EXPECT_EQ(refused("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"), 501);
  EXPECT_EQ(refused("CONNECT / HTTP/1.1\r\nHost: example.org\r\n\r\n"), 501);
  EXPECT_EQ(refused("OPTIONS * HTTP/1.1\r\nHost: example.org\r\n\r\n"), 400);
}

TEST(RequestTarget, ConnectIsReadWhereItIsServed) {
  const Limits serving{.connect = true};
  const std::string host = "Host: example.org:443\r\n";
  const std::string line = "CONNECT Example.org:443 HTTP/1.1\r\n";
  const Parsed parsed = parse(line + host + "\r\nearly", false, serving);
  ASSERT_EQ(parsed.refused, 0) << parsed.reason;
  const http::Request& request = parsed.head.request;
  EXPECT_EQ(request.method + " " + request.authority, "CONNECT example.org:443");
  EXPECT_EQ(request.target.str() + " " + request.upgrade, "/ connect");
  EXPECT_FALSE(parsed.head.keep_alive) << "no request is read behind it";
  EXPECT_EQ(parsed.head.framing.kind, Framing::Kind::kNone);
  const auto refusal = [&](const std::string& text) { return parse(text, false, serving).refused; };
  EXPECT_EQ(refusal(line + "Host: example.org\r\n\r\n"), 400);
  EXPECT_EQ(refusal(line + "Host: other.org:443\r\n\r\n"), 400);
  EXPECT_EQ(refusal("CONNECT example.org HTTP/1.1\r\nHost: example.org\r\n\r\n"), 400);
  EXPECT_EQ(refusal("CONNECT / HTTP/1.1\r\n" + host + "\r\n"), 400);
  EXPECT_EQ(refusal("CONNECT http://example.org:443 HTTP/1.1\r\n" + host + "\r\n"), 400);
  EXPECT_EQ(refusal(line + host + "Content-Length: 0\r\n\r\n"), 400);
  EXPECT_EQ(refusal(line + host + "Transfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(refusal("CONNECT example.org:443 HTTP/1.0\r\n" + host + "\r\n"), 501);
}

TEST(RequestTarget, WhatTwoReadersCouldTakeDifferentlyIsRefused) {
  for (const char* target : {"a", "/a/../b", "/%2e%2e/b", "/a%2fb", "/a%5cb", "/a\\b", "/a#b",
                             "/%00", "/%zz", "/%", "\xc3\xa4", "//\x7f"}) {
    EXPECT_EQ(refused("GET "s + target + " HTTP/1.1\r\nHost: a\r\n\r\n"), 400) << target;
  }
}

TEST(RequestTarget, TooLongIs414EvenBeforeItsEnd) {
  EXPECT_EQ(refused("GET /" + std::string(http::kTargetLimit, 'a')), 414);
  EXPECT_EQ(
      refused("GET /" + std::string(http::kTargetLimit, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"),
      414);
  EXPECT_TRUE(
      taken("GET /" + std::string(http::kTargetLimit - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"));
}

// Request line.

TEST(RequestLine, Http09IsRefused) {
  EXPECT_EQ(refused("GET /\r\n"), 400);
  EXPECT_EQ(refused("GET / \r\n"), 400);
}

TEST(RequestLine, OtherVersionsAreNotServed) {
  EXPECT_EQ(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  for (const char* version :
       {"HTTP/2.0", "HTTP/1.2", "HTTP/1.9", "HTTP/0.9", "HTTP/11.", "HTTP/1 1"}) {
    EXPECT_EQ(refused("GET / "s + version + "\r\nHost: a\r\n\r\n"), 505) << version;
  }
}

TEST(RequestLine, MisspelledVersionsAreRefused) {
  for (const char* version : {"http/1.1", "HTTP/1.1 ", "HTTP/1.10", "HTTP/1.1x", "Http/1.1",
                              "HTP/1.1", " HTTP/1.1", "\tHTTP/1.1", "x HTTP/1.1"}) {
    EXPECT_EQ(refused("GET / "s + version + "\r\nHost: a\r\n\r\n"), 400) << version;
  }
}

TEST(RequestLine, WordsThatAreNeitherTargetNorVersionAreNotHttp) {
  const Parsed parsed = parse("INVALID CONNECTION PREFACE\r\n\r\n");
  EXPECT_EQ(parsed.reason, "the version is not HTTP");
  EXPECT_EQ(parsed.refused, kNotHttp);
  EXPECT_EQ(refused("INVALID * PREFACE\r\n\r\n"), 400);
  EXPECT_EQ(refused("INVALID CONNECTION HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(RequestLine, MethodIsAToken) {
  EXPECT_TRUE(taken("M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(parse("get / HTTP/1.1\r\nHost: a\r\n\r\n").head.request.method, "get");
  for (const char* method : {"", "G(T", "G\tT", "GET\x0b", "G\xc3T", "\"GET\""}) {
    EXPECT_EQ(refused(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n"), 400) << method;
  }
  EXPECT_EQ(refused("G\0T / HTTP/1.1\r\n"s), 400);
  EXPECT_EQ(refused(std::string(33, 'A')), 501);
}

TEST(RequestLine, WhiteSpaceIsOneSpace) {
  EXPECT_EQ(refused("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(RequestLine, TlsOnAPlainPortIsRefusedAtOnce) {
  EXPECT_EQ(refused("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s), 400);
}

// Connection, Upgrade, Expect, TE.

TEST(RequestConnection, KeepsAliveAsTheVersionHasIt) {
  const auto keeps = [](std::string_view text) { return parse(text).head.keep_alive; };
  EXPECT_TRUE(keeps(with("")));
  EXPECT_FALSE(keeps(with("Connection: close\r\n")));
  EXPECT_FALSE(keeps(with("Connection: keep-alive, Close\r\n")));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive, close\r\n\r\n"));
}

TEST(RequestFraming, AliasesFrameNothingAndGoNoFurther) {
  for (const std::string name : {"Content_Length", "content.length", "Transfer_Encoding"}) {
    const Parsed parsed = parse(post_with("Content-Length: 5\r\n" + name + ": 30\r\n"));
    EXPECT_EQ(parsed.refused, 0) << name;
    EXPECT_EQ(parsed.head.framing.length, 5u) << name;
    EXPECT_TRUE(parsed.head.request.headers.empty()) << name;
  }
}

TEST(RequestConnection, RemovesWhatItNames) {  // CVE-2024-45410, CVE-2025-48865
  const Parsed parsed = parse(with(
      "kubeflow-userid: eve\r\nA: b\r\nConnection: close,Kubeflow-UserId ,, x-absent\r\nC: d\r\n"));
  EXPECT_EQ(parsed.refused, 0);
  EXPECT_FALSE(parsed.head.request.headers.has("kubeflow-userid"));
  EXPECT_FALSE(parsed.head.request.headers.has("connection"));
  EXPECT_EQ(parsed.head.request.headers.size(), 2u);
}

TEST(RequestConnection, MustNameTokensAndNotMany) {
  EXPECT_EQ(refused(with("Connection: a b\r\n")), 400);
  EXPECT_EQ(refused(with("Connection: \"close\"\r\n")), 400);
  std::string names = "x";
  for (int i = 0; i < 16; ++i) names += ",x" + std::to_string(i);
  EXPECT_EQ(refused(with("Connection: " + names + "\r\n")), 400);
}

TEST(RequestConnection, CannotRemoveTheFraming) {
  const Parsed parsed = parse(post_with("Content-Length: 5\r\nConnection: Content-Length\r\n"));
  EXPECT_EQ(parsed.head.framing.length, 5u);
  EXPECT_EQ(refused(post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
                              "Connection: Transfer-Encoding\r\n")),
            400);
}

TEST(RequestConnection, HopByHopFieldsStayHere) {
  const Parsed parsed =
      parse(with("Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n"
                 "HTTP2-Settings: AAMAAABkAAQ\r\nTE: gzip\r\nUpgrade: x\r\n"));
  EXPECT_TRUE(parsed.head.request.headers.empty());
}

TEST(RequestConnection, OfTeOnlyTrailersIsKept) {
  const Parsed parsed = parse(with("TE: gzip;q=0.5, trailers\r\nConnection: TE\r\n"));
  EXPECT_EQ(parsed.head.request.headers.get("te"), "trailers");
}

TEST(RequestUpgrade, WebSocketIsKept) {
  const Parsed parsed = parse(with("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"));
  EXPECT_EQ(parsed.head.request.upgrade, "websocket");
}

TEST(RequestUpgrade, SpdyIsKept) {
  const std::string fields = "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n";
  EXPECT_EQ(parse(with(fields)).head.request.upgrade, "spdy/3.1");
  EXPECT_EQ(parse(post_with(fields + "Content-Length: 0\r\n")).head.request.upgrade, "spdy/3.1");
  EXPECT_EQ(parse(post_with(fields + "Content-Length: 5\r\n")).head.request.upgrade, "");
}

TEST(RequestUpgrade, H2cIsDropped) {
  const Parsed parsed = parse(with(
      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"));
  EXPECT_EQ(parsed.refused, 0);
  EXPECT_EQ(parsed.head.request.upgrade, "");
  EXPECT_TRUE(parsed.head.request.headers.empty());
}

TEST(RequestUpgrade, NeedsConnectionGetHttp11AndNoBody) {
  const std::string fields = "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  const auto upgrade = [](std::string_view text) { return parse(text).head.request.upgrade; };
  EXPECT_EQ(upgrade("GET / HTTP/1.1\r\n" + fields + "\r\n"), "websocket");
  EXPECT_EQ(upgrade("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"), "");
  EXPECT_EQ(upgrade("POST / HTTP/1.1\r\n" + fields + "\r\n"), "");
  EXPECT_EQ(upgrade("GET / HTTP/1.0\r\n" + fields + "\r\n"), "");
  EXPECT_EQ(upgrade("GET / HTTP/1.1\r\n" + fields + "Content-Length: 5\r\n\r\n"), "");
  EXPECT_EQ(
      upgrade(
          "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n\r\n"),
      "");
}

TEST(RequestExpect, ContinueIsTakenOutAndOthersAreRefused) {
  const Parsed parsed = parse(post_with("Content-Length: 5\r\nExpect: 100-Continue\r\n"));
  EXPECT_TRUE(parsed.head.expects_continue);
  EXPECT_FALSE(parsed.head.request.headers.has("expect"));
  EXPECT_FALSE(parse(with("Expect: 100-continue\r\n")).head.expects_continue);
  EXPECT_EQ(refused(post_with("Content-Length: 5\r\nExpect: something\r\n")), 417);
  EXPECT_FALSE(
      parse("POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
          .head.expects_continue);
}

// Limits.

TEST(RequestLimits, HeadOverTheLimitIs431) {
  Limits limits;
  limits.head_bytes = 200;
  const std::string long_value(200, 'v');
  EXPECT_EQ(parse(with("A: " + long_value), false, limits).refused, 431);
  EXPECT_EQ(parse(with("A: " + long_value + "\r\n"), false, limits).refused, 431);
  EXPECT_EQ(parse(with("A: " + std::string(100, 'v') + "\r\n"), false, limits).refused, 0);
}

TEST(RequestLimits, TooManyFieldsAre431) {
  std::string lines;
  for (int i = 0; i < 127; ++i) lines += "A: b\r\n";
  EXPECT_EQ(parse(with(lines)).refused, 0);
  EXPECT_EQ(parse(with(lines + "A: b\r\n")).refused, 431);
}

TEST(RequestLimits, LongNamesDoNotOverflow) {  // CVE-2021-40346
  EXPECT_EQ(refused(with("Content-Length0" + std::string(270, 'a') +
                         ":\r\nContent-Length: 5\r\n"
                         "Content-Length: 6\r\n")),
            400);
}

}  // namespace
}  // namespace gatehouse::net::http1
