#include "gateway/filters/compression.h"

#include <gtest/gtest.h>

#include "gateway/fakes.h"
#include "gateway/filters/test_decoders.h"

namespace gatehouse::gateway {
namespace {

const std::string kText(5000, 'a');

Compression make(config::Compression settings = {.algorithms = {"br", "gzip", "zstd"}}) {
  return Compression::make(settings).value();
}

http::Request accepting(std::string_view codings, std::string_view method = "GET") {
  http::Request request;
  request.method = method;
  request.headers.add("Accept-Encoding", codings);
  return request;
}

http::Response page(std::string_view type = "text/html; charset=utf-8",
                    const std::string& body = kText) {
  return http::make_response(200, type, body);
}

std::string coding_of(const http::Response& response) {
  return std::string(response.headers.get("Content-Encoding").value_or("plain"));
}

/// The coding of an answer to whom takes gzip.
std::string coding_for(http::Response response, const Compression& compression = make()) {
  compression.apply(accepting("gzip"), response);
  return coding_of(response);
}

http::Response with(http::Response response, std::string_view name, std::string_view value) {
  response.headers.add(name, value);
  return response;
}

TEST(Compression, OffByDefault) {
  http::Response response = page();
  Compression().apply(accepting("gzip"), response);
  EXPECT_EQ(response.body.bytes, kText);
  EXPECT_FALSE(response.headers.has("Vary"));
  EXPECT_FALSE(make({}).on());
}

TEST(Compression, WholeBodies) {
  for (const auto& [name, coding] :
       {std::pair{"gzip", Coding::kGzip}, {"br", Coding::kBrotli}, {"zstd", Coding::kZstd}}) {
    http::Response response = with(page(), "Content-Length", "5000");
    make().apply(accepting(name), response);
    EXPECT_EQ(coding_of(response), name);
    EXPECT_EQ(response.headers.get("Vary"), "Accept-Encoding");
    EXPECT_FALSE(response.headers.has("Content-Length"));
    EXPECT_LT(response.body.bytes.size(), 200U);
    const Decoded decoded = decode(coding, response.body.bytes);
    EXPECT_TRUE(decoded.complete);
    EXPECT_EQ(decoded.text, kText);
  }
}

TEST(Compression, StreamsLoseTheirLength) {
  http::Response response = page("application/json", "");
  response.body =
      http::Body(std::make_unique<FakeBody>(std::deque<Result<std::string>>{kText}), 5000);
  make().apply(accepting("br"), response);
  EXPECT_EQ(coding_of(response), "br");
  ASSERT_NE(response.body.stream, nullptr);
  EXPECT_FALSE(response.body.length);
  const auto whole = run_now(http::read_all(response.body, 10'000)).value();
  EXPECT_EQ(decode(Coding::kBrotli, whole.value()).text, kText);
}

TEST(Compression, WhatIsLeftAsItIs) {
  EXPECT_EQ(coding_for(page("text/html", std::string(1023, 'a'))), "plain");
  EXPECT_EQ(coding_for(page("text/html", std::string(1024, 'a'))), "gzip");
  EXPECT_EQ(coding_for(page("image/png")), "plain");
  EXPECT_EQ(coding_for(page("text/event-stream")), "plain");
  EXPECT_EQ(coding_for(page("application/grpc+json")), "plain");
  EXPECT_EQ(coding_for(with(page(), "Cache-Control", "private, no-transform")), "plain");
  EXPECT_EQ(coding_for(with(page(), "Content-Range", "bytes 0-9/99")), "plain");
  EXPECT_EQ(coding_for(with(page(), "Content-Encoding", "br")), "br");
  EXPECT_EQ(coding_for(with(page(), "Content-Encoding", "identity")), "identity");
  for (const int status : {101, 204, 206, 304}) {
    http::Response response = page();
    response.status = status;
    EXPECT_EQ(coding_for(std::move(response)), "plain") << status;
  }
  http::Response two_types = with(page(), "Content-Type", "image/png");
  EXPECT_EQ(coding_for(std::move(two_types)), "plain");
}

TEST(Compression, RequestsMayForbidIt) {
  http::Request request = accepting("gzip");
  request.headers.add("Cache-Control", "no-transform");
  http::Response response = page();
  make().apply(request, response);
  EXPECT_EQ(coding_of(response), "plain");
}

TEST(Compression, AnswersVaryEvenIfThisOneIsPlain) {
  http::Response plain = with(page(), "Vary", "Origin");
  make().apply({}, plain);
  EXPECT_EQ(coding_of(plain), "plain");
  EXPECT_TRUE(plain.headers.list_has("Vary", "Accept-Encoding"));
}

TEST(Compression, HeadIsToldWhatGetWouldBe) {
  for (const auto& [length, coding] : {std::pair{"5000", "gzip"}, {"", "gzip"}, {"10", "plain"}}) {
    http::Response head = with(page("text/html", ""), "ETag", "\"v1\"");
    if (*length != '\0') head.headers.add("Content-Length", length);
    make().apply(accepting("gzip", "HEAD"), head);
    EXPECT_EQ(coding_of(head), coding);
    EXPECT_EQ(head.headers.has("Content-Length"), coding == std::string_view("plain"));
    EXPECT_EQ(head.headers.list_has("Vary", "Accept-Encoding"), coding == std::string_view("gzip"));
    EXPECT_TRUE(head.body.bytes.empty());
  }
}

TEST(Compression, ValidatorsBecomeWeak) {
  http::Response strong = with(page(), "ETag", "\"v1\"");
  make().apply(accepting("gzip"), strong);
  EXPECT_EQ(strong.headers.only("ETag"), "W/\"v1\"");
  http::Response weak = with(page(), "ETag", "W/\"v1\"");
  make().apply(accepting("gzip"), weak);
  EXPECT_EQ(weak.headers.only("ETag"), "W/\"v1\"");
  http::Response bad = with(page(), "ETag", "v1");
  make().apply(accepting("gzip"), bad);
  EXPECT_FALSE(bad.headers.has("ETag"));
}

TEST(Compression, RangesAndDigestsOfThePlainBytesGo) {
  http::Response response = with(with(page(), "Accept-Ranges", "bytes"), "Content-Digest", "x");
  make().apply(accepting("gzip"), response);
  EXPECT_FALSE(response.headers.has("Accept-Ranges"));
  EXPECT_FALSE(response.headers.has("Content-Digest"));
}

TEST(Compression, TypesCanBeGiven) {
  const Compression compression =
      make({.algorithms = {"gzip"}, .content_types = {"Image/*", "application/x-a"}});
  EXPECT_EQ(coding_for(page("image/bmp"), compression), "gzip");
  EXPECT_EQ(coding_for(page("APPLICATION/X-A;b=c"), compression), "gzip");
  EXPECT_EQ(coding_for(page("text/html"), compression), "plain");
}

TEST(Compression, BadSettingsAreNamed) {
  const auto error_of = [](const config::Compression& settings) {
    const auto made = Compression::make(settings);
    return made ? "" : made.error().message;
  };
  EXPECT_NE(error_of({.algorithms = {"deflate"}}).find("\"deflate\""), std::string::npos);
  EXPECT_NE(error_of({.algorithms = {"gzip"}, .level = 10}).find("gzip"), std::string::npos);
  EXPECT_NE(error_of({.algorithms = {"br"}, .level = -1}), "");
  for (const std::string type : {"", "text", "text/", "/html", "text/a b"}) {
    EXPECT_NE(error_of({.algorithms = {"br"}, .content_types = {type}}), "") << type;
  }
}

}  // namespace
}  // namespace gatehouse::gateway
