#include "gateway/filters/cors.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

config::Cors listed() {
  return {.origins = {"https://a.example.org", "https://*.example.net:8443", "http://b.example"},
          .methods = {"GET", "PUT"},
          .headers = {"X-A", "X-B"},
          .exposed_headers = {"X-C"},
          .credentials = true,
          .max_age = std::chrono::seconds(600)};
}

http::Request from(std::string_view origin, std::string_view method = "GET") {
  http::Request request;
  request.method = method;
  request.headers.add("Origin", origin);
  return request;
}

http::Request preflight_from(std::string_view origin) {
  http::Request request = from(origin, "OPTIONS");
  request.headers.add("Access-Control-Request-Method", "PUT");
  return request;
}

std::string allowed(const Cors& cors, std::string_view origin) {
  http::Response response;
  cors.apply(from(origin), response);
  return std::string(response.headers.get("Access-Control-Allow-Origin").value_or(""));
}

TEST(Cors, OffTouchesNothing) {
  const Cors cors = Cors::make({}).value();
  EXPECT_FALSE(cors.on());
  EXPECT_FALSE(cors.preflight(preflight_from("https://a.example.org")));
  http::Response response;
  response.headers.add("Access-Control-Allow-Origin", "*");
  cors.apply(from("https://x.example"), response);
  EXPECT_EQ(response.headers.get("Access-Control-Allow-Origin"), "*");
  EXPECT_FALSE(response.headers.has("Vary"));
}

TEST(Cors, PreflightOfAListedOriginIsAnswered) {
  const Cors cors = Cors::make(listed()).value();
  const auto answer = cors.preflight(preflight_from("https://a.example.org"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->headers.get("Access-Control-Allow-Origin"), "https://a.example.org");
  EXPECT_EQ(answer->headers.get("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(answer->headers.get("Access-Control-Allow-Methods"), "GET, PUT");
  EXPECT_EQ(answer->headers.get("Access-Control-Allow-Headers"), "X-A, X-B");
  EXPECT_EQ(answer->headers.get("Access-Control-Max-Age"), "600");
  EXPECT_EQ(answer->headers.get("Vary"), "Origin");
}

TEST(Cors, AnOriginBeyondAsciiIsNobodys) {
  const Cors cors = Cors::make(listed()).value();
  for (const std::string_view origin :
       {"https://a.example.org\xc2\xa0", "https://\xc3\xbc.example.net:8443", "\xff"}) {
    EXPECT_EQ(allowed(cors, origin), "");
    EXPECT_FALSE(cors.preflight(preflight_from(origin)));
  }
}

TEST(Cors, WhatIsNoPreflightGoesOn) {
  const Cors cors = Cors::make(listed()).value();
  EXPECT_FALSE(cors.preflight(preflight_from("https://evil.example")));
  EXPECT_FALSE(cors.preflight(from("https://a.example.org", "OPTIONS")));
  EXPECT_FALSE(cors.preflight(from("https://a.example.org")));
  http::Request two = preflight_from("https://a.example.org");
  two.headers.add("Origin", "https://evil.example");
  EXPECT_FALSE(cors.preflight(two));
  http::Request post = preflight_from("https://a.example.org");
  post.method = "POST";
  EXPECT_FALSE(cors.preflight(post));
}

TEST(Cors, TheAnswerToAPreflightStaysAsItIs) {
  const Cors cors = Cors::make(listed()).value();
  const http::Request request = preflight_from("https://a.example.org");
  http::Response response = cors.preflight(request).value();
  cors.apply(request, response);
  EXPECT_TRUE(response.headers.has("Access-Control-Allow-Methods"));
  EXPECT_TRUE(response.headers.has("Access-Control-Allow-Headers"));
  EXPECT_EQ(response.headers.count("Access-Control-Allow-Origin"), 1U);
}

TEST(Cors, OriginsAreComparedWhole) {
  const Cors cors = Cors::make(listed()).value();
  for (const std::string_view good : {"https://a.example.org", "https://x.example.net:8443",
                                      "https://x.y.example.net:8443", "http://b.example"}) {
    EXPECT_EQ(allowed(cors, good), good);
  }
  for (const std::string_view bad :
       {"http://a.example.org", "https://a.example.org.evil.example", "https://a.example.org:444",
        "https://xa.example.org", "https://example.net:8443", "https://.example.net:8443/",
        "https://x.example.net", "https://evil.example/.example.net:8443",
        "https://evil.example:80.example.net:8443", "https://u@x.example.net:8443",
        "https://evil.example#.example.net:8443", "null", "", "*"}) {
    EXPECT_EQ(allowed(cors, bad), "") << bad;
  }
}

TEST(Cors, UpstreamsOwnFieldsAreReplaced) {
  const Cors cors = Cors::make(listed()).value();
  http::Response response;
  response.headers.add("Access-Control-Allow-Origin", "https://evil.example");
  response.headers.add("access-control-allow-credentials", "true");
  response.headers.add("Vary", "Accept-Encoding, origin");
  cors.apply(from("https://evil.example"), response);
  EXPECT_FALSE(response.headers.has("Access-Control-Allow-Origin"));
  EXPECT_FALSE(response.headers.has("Access-Control-Allow-Credentials"));
  EXPECT_EQ(response.headers.count("Vary"), 1U);
}

TEST(Cors, AnswersVaryByOriginEvenWithoutOne) {
  const Cors cors = Cors::make(listed()).value();
  http::Response response;
  cors.apply(http::Request(), response);
  EXPECT_EQ(response.headers.get("Vary"), "Origin");
  EXPECT_FALSE(response.headers.has("Access-Control-Allow-Origin"));
}

TEST(Cors, AnyOriginIsNeverReflected) {
  const Cors cors = Cors::make({.origins = {"*"}, .exposed_headers = {"grpc-status"}}).value();
  http::Response response;
  cors.apply(from("https://x.example"), response);
  EXPECT_EQ(response.headers.get("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(response.headers.get("Access-Control-Expose-Headers"), "grpc-status");
  EXPECT_FALSE(response.headers.has("Access-Control-Allow-Credentials"));
  EXPECT_FALSE(response.headers.has("Vary"));
}

TEST(Cors, AnyOriginWithCredentialsIsRefused) {
  const auto made = Cors::make({.origins = {"https://a.example", "*"}, .credentials = true});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("credentials"), std::string::npos);
}

TEST(Cors, BadSettingsAreNamed) {
  for (const std::string origin :
       {"", "example.org", "*.example.org", "https://", "https://a.example/", "https://a.example/x",
        "https://a.*.example", "https://*", "https://*a.example", "https://u@a.example",
        "https://a.example?", "null", "ftp://a.example", "https://*.*.example"}) {
    const auto made = Cors::make({.origins = {origin}});
    ASSERT_FALSE(made) << origin;
    EXPECT_NE(made.error().message.find('"' + origin + '"'), std::string::npos);
  }
  EXPECT_FALSE(Cors::make({.origins = {"*"}, .methods = {"GET\r\n"}}));
  EXPECT_FALSE(Cors::make({.origins = {"*"}, .headers = {"a b"}}));
  EXPECT_FALSE(Cors::make({.origins = {"*"}, .exposed_headers = {""}}));
}

TEST(Cors, DefaultPortsAreWrittenAsBrowsersDo) {
  const Cors cors = Cors::make({.origins = {"https://A.example:443"}}).value();
  EXPECT_EQ(allowed(cors, "https://a.example"), "https://a.example");
}

}  // namespace
}  // namespace gatehouse::gateway
