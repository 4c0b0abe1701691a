#include "gatekeeper/request_origin.h"

#include <gtest/gtest.h>

#include "gatekeeper/test_world.h"

namespace gatehouse::gatekeeper {
namespace {

RequestOrigin origin(std::vector<std::string> proxies = {}, std::string public_url = "",
                     config::Gatekeeper settings = {}) {
  return RequestOrigin(settings, public_url, *http::TrustedProxies::parse(proxies));
}

const Fields kForwarded = {{"X-Forwarded-Proto", "https"},
                           {"X-Forwarded-Host", "kubeflow.example.org"},
                           {"X-Forwarded-For", "203.0.113.9, 198.51.100.4"}};

TEST(RequestOriginTest, IsWhatTheConnectionSays) {
  http::Request request = make_request("GET", "/", {});
  EXPECT_EQ(origin().str(request), "http://localhost:8080");
  EXPECT_FALSE(origin().secure_cookies(request));
  auto peer = std::make_shared<http::Peer>();
  peer->tls = true;
  request.peer = peer;
  EXPECT_EQ(origin().str(request), "https://localhost:8080");
  EXPECT_TRUE(origin().secure_cookies(request));
}

TEST(RequestOriginTest, BelievesForwardedHeadersOfNobodyByDefault) {
  const http::Request request = make_request("GET", "/", kForwarded);
  EXPECT_EQ(origin().str(request), "http://localhost:8080");
  EXPECT_EQ(origin({"198.51.100.0/24"}).str(request), "http://localhost:8080");
  EXPECT_EQ(origin().client_address(request), "192.0.2.7");
}

TEST(RequestOriginTest, BelievesATrustedProxy) {
  const http::Request request = make_request("GET", "/", kForwarded);
  const RequestOrigin trusting = origin({"192.0.2.7"});
  EXPECT_EQ(trusting.str(request), "https://kubeflow.example.org");
  EXPECT_TRUE(trusting.secure_cookies(request));
  EXPECT_EQ(trusting.client_address(request), "198.51.100.4");  // what the proxy saw itself
}

TEST(RequestOriginTest, TheClientStandsBehindAllTrustedProxies) {
  const http::Request request = make_request("GET", "/", kForwarded);
  EXPECT_EQ(origin({"192.0.2.7", "198.51.100.0/24"}).client_address(request), "203.0.113.9");
}

TEST(RequestOriginTest, WhatIsNoAddressIsNobodys) {
  const http::Request request =
      make_request("GET", "/", {{"X-Forwarded-For", "198.51.100.4, <script>"}});
  EXPECT_EQ(origin({"192.0.2.7"}).client_address(request), "192.0.2.7");
}

TEST(RequestOriginTest, ADoubledForwardedHeaderIsNotBelieved) {
  http::Request request = make_request("GET", "/", kForwarded);
  request.headers.add("X-Forwarded-Proto", "http");
  EXPECT_FALSE(origin({"192.0.2.7"}).secure_cookies(request));
}

TEST(RequestOriginTest, ARequestWithoutAPeerIsNotSecure) {
  http::Request request = make_request("GET", "/", kForwarded);
  request.peer = nullptr;
  EXPECT_FALSE(origin({"0.0.0.0/0"}).secure_cookies(request));
}

TEST(RequestOriginTest, ThePublicUrlWins) {
  const http::Request request = make_request("GET", "/", {});
  const RequestOrigin fixed = origin({}, "https://kubeflow.example.org/");
  EXPECT_EQ(fixed.str(request), "https://kubeflow.example.org");
  EXPECT_TRUE(fixed.secure_cookies(request));
  EXPECT_TRUE(fixed.is_same(request, "https://kubeflow.example.org"));
  EXPECT_FALSE(fixed.is_same(request, "https://evil.example"));
}

TEST(RequestOriginTest, SecureCookiesAreASetting) {
  const http::Request request = make_request("GET", "/", {});
  config::Gatekeeper settings;
  settings.secure_cookies = "always";
  EXPECT_TRUE(origin({}, "", settings).secure_cookies(request));
  settings.secure_cookies = "never";
  EXPECT_FALSE(origin({}, "https://x.example", settings).secure_cookies(request));
}

TEST(RequestOriginTest, TheSchemesOwnPortMakesNoDifference) {
  http::Request request = make_request("GET", "/", {});
  request.authority = "example.org:80";
  EXPECT_TRUE(origin().is_same(request, "http://example.org"));
  EXPECT_FALSE(origin().is_same(request, "http://example.org.evil"));
  EXPECT_FALSE(origin().is_same(request, "null"));
}

}  // namespace
}  // namespace gatehouse::gatekeeper
