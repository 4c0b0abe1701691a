#include <gtest/gtest.h>

#include <string>

#include "net/http1/codec.h"

namespace gatehouse::net::http1 {
namespace {

using namespace std::string_literals;

struct Parsed {
  bool incomplete = false;
  bool refused = false;
  std::string reason;
  ResponseHead head;
  std::size_t consumed = 0;
};

Parsed parse(std::string_view text, std::string_view method = "GET", Limits limits = {}) {
  Parsed out;
  const auto result = parse_response_head(text, method, limits, out.head, out.consumed);
  out.incomplete = !result.has_value();
  out.refused = result && !*result;
  if (out.refused) {
    out.reason = result->error().reason;
    EXPECT_EQ(result->error().status, 502);
  }
  return out;
}
std::string ok_with(std::string_view lines) {
  return "HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\n";
}

TEST(ResponseHead, IsReadWhole) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nKeep-Alive: x\r\n\r\n";
  const Parsed parsed = parse(text + "body");
  ASSERT_FALSE(parsed.refused) << parsed.reason;
  EXPECT_EQ(parsed.consumed, text.size());
  EXPECT_EQ(parsed.head.response.status, 200);
  EXPECT_EQ(parsed.head.response.headers.size(), 1u);
  EXPECT_EQ(parsed.head.framing.kind, Framing::Kind::kLength);
  EXPECT_EQ(parsed.head.framing.length, 12u);
  EXPECT_TRUE(parsed.head.keep_alive);
}

TEST(ResponseHead, WaitsForMoreAtEveryCut) {
  const std::string text = ok_with("Content-Length: 5\r\nA: b\r\n");
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_TRUE(parse(text.substr(0, size)).incomplete) << size;
  }
}

TEST(ResponseHead, ReasonMayBeEmptyOrMissingOrInAnyEncoding) {
  EXPECT_EQ(parse("HTTP/1.1 200 \r\n\r\n").head.response.status, 200);
  EXPECT_EQ(parse("HTTP/1.1 200\r\n\r\n").head.response.status, 200);
  EXPECT_EQ(parse("HTTP/1.1 404 Nicht gefunden \xc3\xa4\r\n\r\n").head.response.status, 404);
}

TEST(ResponseHead, GarbageIsRefused) {
  for (const char* text :
       {"SSH-2.0-OpenSSH_9.2\r\n", "<html>", "\r\n", "\n", "HTTP/2 200 OK\r\n",
        "http/1.1 200 OK\r\n", "HTTP/1.1  200 OK\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.1 600 X\r\n\r\n",
        "HTTP/1.1 -20 X\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n", "HTTP/1.1 200 O\nK\r\n\r\n",
        "HTTP/1.1\t200 OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n", "200 OK\r\n"}) {
    EXPECT_TRUE(parse(text).refused) << text;
  }
  EXPECT_TRUE(parse("HTTP/1.1 200 O\0K\r\n\r\n"s).refused);
}

TEST(ResponseHead, TwoLengthsAreRefusedEvenIfEqual) {
  EXPECT_TRUE(parse(ok_with("Content-Length: 5\r\nContent-Length: 5\r\n")).refused);
  EXPECT_TRUE(parse(ok_with("Content-Length: 5\r\nContent-Length: 6\r\n")).refused);
  EXPECT_TRUE(parse(ok_with("Content-Length: 5, 5\r\n")).refused);
}

TEST(ResponseHead, LengthThatIsNoNumberIsRefused) {
  for (const char* value : {"-5", "+5", "", "x", "5x", "99999999999999999999"}) {
    EXPECT_TRUE(parse(ok_with("Content-Length: "s + value + "\r\n")).refused) << value;
  }
}

TEST(ResponseHead, LengthWithTransferEncodingIsRefused) {
  EXPECT_TRUE(parse(ok_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")).refused);
}

TEST(ResponseHead, TransferEncodingMustBeChunkedAndHttp11) {
  EXPECT_TRUE(parse(ok_with("Transfer-Encoding: gzip, chunked\r\n")).refused);
  EXPECT_TRUE(parse(ok_with("Transfer-Encoding: identity\r\n")).refused);
  EXPECT_TRUE(parse("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").refused);
}

TEST(ResponseHead, BadLinesAreRefused) {
  EXPECT_TRUE(parse(ok_with("A: b\n")).refused);
  EXPECT_TRUE(parse(ok_with("A : b\r\n")).refused);
  EXPECT_TRUE(parse(ok_with("A: b\r\n c\r\n")).refused);
  EXPECT_TRUE(parse(ok_with(": b\r\n")).refused);
  EXPECT_TRUE(parse(ok_with("A: b\0c\r\n"s)).refused);
  EXPECT_TRUE(parse(ok_with("A: b\rc\r\n")).refused);
}

TEST(ResponseHead, ObsTextInValuesPasses) {  // file names in Content-Disposition
  const Parsed parsed =
      parse(ok_with("Content-Disposition: attachment; filename=\xc3\xa4.txt\r\n"));
  EXPECT_EQ(parsed.head.response.headers.get("content-disposition"),
            "attachment; filename=\xc3\xa4.txt");
}

TEST(ResponseHead, OversizedIsRefused) {
  Limits limits;
  limits.head_bytes = 100;
  EXPECT_TRUE(parse(ok_with("A: " + std::string(100, 'x')), "GET", limits).refused);
  limits = {};
  limits.fields = 1;
  EXPECT_TRUE(parse(ok_with("A: b\r\nA: b\r\n"), "GET", limits).refused);
}

TEST(ResponseHead, AnswersWithoutBodyEndWithTheirHead) {
  const auto kind = [](std::string_view text, std::string_view method) {
    return parse(text, method).head.framing.kind;
  };
  EXPECT_EQ(kind(ok_with("Content-Length: 5\r\n"), "HEAD"), Framing::Kind::kNone);
  EXPECT_EQ(kind(ok_with("Transfer-Encoding: chunked\r\n"), "HEAD"), Framing::Kind::kNone);
  EXPECT_EQ(kind("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET"),
            Framing::Kind::kNone);
  EXPECT_EQ(kind("HTTP/1.1 204 No Content\r\n\r\n", "GET"), Framing::Kind::kNone);
  EXPECT_EQ(kind("HTTP/1.1 100 Continue\r\n\r\n", "POST"), Framing::Kind::kNone);
  EXPECT_EQ(kind("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", "GET"), Framing::Kind::kNone);
}

TEST(ResponseHead, LengthIsKeptWhereThereIsNoBody) {
  EXPECT_EQ(
      parse(ok_with("Content-Length: 5\r\n"), "HEAD").head.response.headers.get("content-length"),
      "5");
  EXPECT_FALSE(parse(ok_with("Content-Length: 5\r\n")).head.response.headers.has("content-length"));
}

TEST(ResponseHead, NoContentThatAnnouncesABodyIsNotReused) {
  EXPECT_FALSE(parse("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n").head.keep_alive);
  EXPECT_FALSE(
      parse("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(parse("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n").head.keep_alive);
}

TEST(ResponseHead, WithoutFramingItEndsWithTheConnection) {
  const Parsed parsed = parse(ok_with(""));
  EXPECT_EQ(parsed.head.framing.kind, Framing::Kind::kUntilClose);
  EXPECT_FALSE(parsed.head.keep_alive);
}

TEST(ResponseHead, KeepsAliveAsTheVersionHasIt) {
  const std::string length = "Content-Length: 0\r\n";
  EXPECT_FALSE(parse(ok_with(length + "Connection: close\r\n")).head.keep_alive);
  EXPECT_FALSE(parse("HTTP/1.0 200 OK\r\n" + length + "\r\n").head.keep_alive);
  EXPECT_TRUE(
      parse("HTTP/1.0 200 OK\r\n" + length + "Connection: keep-alive\r\n\r\n").head.keep_alive);
}

TEST(ResponseHead, ConnectionRemovesWhatItNames) {
  const Parsed parsed = parse(ok_with("X-Hop: a\r\nConnection: X-Hop\r\nB: c\r\n"));
  EXPECT_EQ(parsed.head.response.headers.size(), 1u);
}

TEST(ResponseHead, UpgradeIsSaidOnlyByA101WithConnectionUpgrade) {
  const std::string fields = "Connection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
  EXPECT_EQ(parse("HTTP/1.1 101 Switching Protocols\r\n" + fields).head.upgrade, "websocket");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n" + fields).head.upgrade, "");  // CVE-2024-23326
  EXPECT_EQ(parse("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n").head.upgrade, "");
}

}  // namespace
}  // namespace gatehouse::net::http1
