#include <gtest/gtest.h>

#include <string>

#include "net/http1/codec.h"

namespace gatehouse::net::http1 {
namespace {

using namespace std::string_literals;
using Kind = BodyDecoder::Step::Kind;

constexpr Framing kChunked{Framing::Kind::kChunked, 0};

struct Decoded {
  std::string body;
  Kind end = Kind::kNeedMore;
  std::string reason;
  std::size_t consumed = 0;
  http::Headers trailers;
};

/// Feeds `text` in cuts of that many bytes.
Decoded decode(std::string_view text, std::size_t cut, Framing framing = kChunked,
               Limits limits = {}) {
  Decoded out;
  BodyDecoder decoder(framing, limits);
  while (out.end == Kind::kNeedMore || out.end == Kind::kPiece) {
    const std::string_view input = text.substr(out.consumed, cut);
    const BodyDecoder::Step step = decoder.next(input);
    out.end = step.kind;
    out.body += step.piece;
    out.consumed += step.consumed;
    out.reason = step.reason;
    if (step.kind == Kind::kNeedMore) {
      EXPECT_EQ(step.consumed, input.size());
      if (out.consumed == text.size()) break;
    }
  }
  out.trailers = decoder.trailers();
  EXPECT_EQ(decoder.finished(), out.end == Kind::kEnd);
  return out;
}

/// True if it is refused however it is cut.
bool bad(std::string_view text, Limits limits = {}) {
  for (const std::size_t cut : {1u, 2u, 3u, 7u, 100'000u}) {
    const Decoded decoded = decode(text, cut, kChunked, limits);
    if (decoded.end != Kind::kBad) return false;
    EXPECT_FALSE(decoded.reason.empty());
  }
  return true;
}

TEST(BodyDecoder, OfNoBodyIsAtItsEnd) {
  BodyDecoder decoder;
  EXPECT_TRUE(decoder.finished());
  EXPECT_EQ(decoder.next("next").kind, Kind::kEnd);
  EXPECT_EQ(decoder.next("next").consumed, 0u);
  EXPECT_TRUE(BodyDecoder({Framing::Kind::kLength, 0}).finished());
}

TEST(BodyDecoder, LengthTakesThatManyBytes) {
  for (const std::size_t cut : {1u, 2u, 3u, 100u}) {
    const Decoded decoded = decode("helloGET / HTTP/1.1", cut, {Framing::Kind::kLength, 5});
    EXPECT_EQ(decoded.body, "hello");
    EXPECT_EQ(decoded.end, Kind::kEnd);
    EXPECT_EQ(decoded.consumed, 5u);
  }
}

TEST(BodyDecoder, PiecesLieInTheInput) {
  BodyDecoder decoder(kChunked);
  const std::string input = "5\r\nhello\r\n";
  const BodyDecoder::Step step = decoder.next(input);
  EXPECT_EQ(step.piece.data(), input.data() + 3);
}

TEST(BodyDecoder, LengthCutShortMayNotEnd) {
  BodyDecoder decoder({Framing::Kind::kLength, 5});
  (void)decoder.next("hell");
  EXPECT_EQ(decoder.left(), 1u);
  EXPECT_FALSE(decoder.end_of_input());
  EXPECT_EQ(decoder.next("o").kind, Kind::kBad);
}

TEST(BodyDecoder, WhatWentByUnseenIsNotDueAnyMore) {
  BodyDecoder decoder({Framing::Kind::kLength, 5});
  EXPECT_EQ(decoder.next("h").piece, "h");
  decoder.skip(3);
  EXPECT_EQ(decoder.left(), 1u);
  decoder.skip(1);
  EXPECT_TRUE(decoder.finished());
  EXPECT_EQ(decoder.next("GET").consumed, 0u);
}

TEST(BodyDecoder, UntilCloseEndsWithTheConnection) {
  BodyDecoder decoder({Framing::Kind::kUntilClose, 0});
  EXPECT_EQ(decoder.next("any").piece, "any");
  EXPECT_FALSE(decoder.finished());
  EXPECT_TRUE(decoder.end_of_input());
  EXPECT_TRUE(decoder.finished());
}

TEST(Chunks, AreJoinedHoweverTheyAreCut) {
  const std::string text =
      "5\r\nhello\r\n6;name=\"va lue\"\r\n world\r\n00A\r\n0123456789\r\n0\r\n\r\n";
  for (std::size_t cut = 1; cut <= text.size() + 4; ++cut) {
    const Decoded decoded = decode(text + "next", cut);
    EXPECT_EQ(decoded.body, "hello world0123456789") << cut;
    EXPECT_EQ(decoded.end, Kind::kEnd) << decoded.reason;
    EXPECT_EQ(decoded.consumed, text.size());
  }
}

TEST(Chunks, SizeIsHexDigitsAlone) {
  for (const char* size :
       {"0x5", "+5", "-5", " 5", "5 ", "\t5", "5\t", "", "g", "5,5", "5.0", "h5", "5_0",
        "\x0b"
        "5",
        "0X0", "-0"}) {
    EXPECT_TRUE(bad(std::string(size) + "\r\nhello\r\n0\r\n\r\n")) << size;
  }
  EXPECT_TRUE(bad("5 ;a=b\r\nhello\r\n0\r\n\r\n"));
  EXPECT_TRUE(bad("5\0\r\nhello\r\n0\r\n\r\n"s));
}

TEST(Chunks, SizeThatOverflowsIsRefused) {
  EXPECT_TRUE(bad("10000000000000005\r\nhello\r\n0\r\n\r\n"));
  EXPECT_TRUE(bad("ffffffffffffffff\r\nhello\r\n"));
  EXPECT_TRUE(bad("0000000000000005\r\nhello\r\n0\r\n\r\n"));
}

TEST(Chunks, SizeLineEndsWithCrLfAlone) {
  EXPECT_TRUE(bad("5\nhello\r\n0\r\n\r\n"));
  EXPECT_TRUE(bad("5\rhello\r\n0\r\n\r\n"));
  EXPECT_TRUE(bad("5\r\r\nhello\r\n0\r\n\r\n"));
}

TEST(Chunks, ExtensionWithBareLfCrOrNulIsRefused) {
  EXPECT_TRUE(bad("5;a\nhello\r\n0\r\n\r\n"));
  EXPECT_TRUE(bad("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"));
  EXPECT_TRUE(bad("5;a\rb\r\nhello\r\n0\r\n\r\n"));
  EXPECT_TRUE(bad("5;a\0b\r\nhello\r\n0\r\n\r\n"s));
  EXPECT_TRUE(bad("5;a\x7f\r\nhello\r\n0\r\n\r\n"));
  EXPECT_TRUE(bad("5;a\x80\r\nhello\r\n0\r\n\r\n"));
}

TEST(Chunks, ExtensionOverTheLimitIsRefused) {
  Limits limits;
  limits.chunk_extension_bytes = 10;
  EXPECT_TRUE(bad("5;" + std::string(11, 'a') + "\r\nhello\r\n0\r\n\r\n", limits));
  EXPECT_EQ(decode("5;" + std::string(10, 'a') + "\r\nhello\r\n0\r\n\r\n", 3, kChunked, limits).end,
            Kind::kEnd);
}

TEST(Chunks, BytesBetweenDataAndItsCrLfAreRefused) {
  EXPECT_TRUE(bad("5\r\nhello!\r\n0\r\n\r\n"));
  EXPECT_TRUE(bad("5\r\nhello \r\n0\r\n\r\n"));
  EXPECT_TRUE(bad("5\r\nhello\n0\r\n\r\n"));
  EXPECT_TRUE(bad("5\r\nhello\r0\r\n\r\n"));
  EXPECT_TRUE(bad("5\r\nhello0\r\n\r\n"));
  EXPECT_TRUE(bad("5\r\nhelloX\n0\r\n\r\n"));
  EXPECT_TRUE(bad("5\r\nhello\n\n0\r\n\r\n"));
}

TEST(Chunks, WithoutTheLastLineEndAreNotWhole) {
  for (const char* text : {"5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "5\r\nhello\r\n0\r\n\r",
                           "5\r\nhel", "5", "5;a", "0\r\nDigest: a\r\n"}) {
    BodyDecoder decoder(kChunked);
    std::string_view rest = text;
    for (;;) {
      const BodyDecoder::Step step = decoder.next(rest);
      rest.remove_prefix(step.consumed);
      if (step.kind != Kind::kPiece) break;
    }
    EXPECT_FALSE(decoder.end_of_input()) << text;
    EXPECT_FALSE(decoder.finished());
  }
  EXPECT_TRUE(bad("0\r\nX\r\n\r\n"));
  EXPECT_TRUE(bad("0\r\n\n\r\n"));
}

TEST(Chunks, StayRefused) {
  BodyDecoder decoder(kChunked);
  EXPECT_EQ(decoder.next("x").kind, Kind::kBad);
  EXPECT_EQ(decoder.next("0\r\n\r\n").kind, Kind::kBad);
  EXPECT_FALSE(decoder.finished());
}

TEST(Trailers, OnTheListAreKeptAndOthersDropped) {
  const std::string text =
      "0\r\nGrpc-Status: 0\r\nkubeflow-userid: eve\r\nX-Auth-User: eve\r\nX-Checksum-Sha256: ab\r\n"
      "Server-Timing: db\r\n\r\n";
  for (const std::size_t cut : {1u, 5u, 1000u}) {
    const Decoded decoded = decode(text, cut);
    ASSERT_EQ(decoded.end, Kind::kEnd) << decoded.reason;
    EXPECT_EQ(decoded.trailers.size(), 3u);
    EXPECT_EQ(decoded.trailers.get("grpc-status"), "0");
    EXPECT_EQ(decoded.trailers.get("x-checksum-sha256"), "ab");
    EXPECT_EQ(decoded.trailers.get("server-timing"), "db");
  }
}

TEST(Trailers, MayHoldBytesFrom80Up) {
  const Decoded decoded = decode("0\r\nServer-Timing: M\xc3\xbc\xff\r\n\r\n", 1000);
  ASSERT_EQ(decoded.end, Kind::kEnd) << decoded.reason;
  EXPECT_EQ(decoded.trailers.get("server-timing"), "M\xc3\xbc\xff");
}

TEST(Trailers, ThatFrameRouteOrAuthenticateAreRefused) {
  for (const char* name :
       {"Content-Length", "Content_Length", "Transfer-Encoding", "Host", "Authorization", "Cookie",
        "Set-Cookie", "Connection", "Upgrade", "TE", "Trailer", "Expect", "Content-Type",
        "X-Forwarded-For", "Forwarded", "Proxy-Authorization"}) {
    EXPECT_TRUE(bad("0\r\n"s + name + ": x\r\n\r\n")) << name;
  }
}

TEST(Trailers, WithBadLinesAreRefused) {
  EXPECT_TRUE(bad("0\r\nDigest: a\n\r\n"));
  EXPECT_TRUE(bad("0\r\nDigest : a\r\n\r\n"));
  EXPECT_TRUE(bad("0\r\nDigest: a\r\n b\r\n\r\n"));
  EXPECT_TRUE(bad("0\r\n: a\r\n\r\n"));
  EXPECT_TRUE(bad("0\r\nDigest: a\0b\r\n\r\n"s));
  EXPECT_TRUE(bad("0\r\nDigest: a\rb\r\n\r\n"));
}

TEST(Trailers, OverTheLimitAreRefused) {
  Limits limits;
  limits.trailer_bytes = 100;
  EXPECT_TRUE(bad("0\r\nDigest: " + std::string(100, 'a') + "\r\n\r\n", limits));
  limits = {};
  limits.fields = 2;
  EXPECT_TRUE(bad("0\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", limits));
}

}  // namespace
}  // namespace gatehouse::net::http1
