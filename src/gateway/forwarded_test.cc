#include "gateway/forwarded.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/fixed_entropy.h"

namespace gatehouse::gateway {
namespace {

http::Request request_from(std::string address, bool tls = false) {
  http::Request request;
  request.authority = "kubeflow.example.org";
  request.trace.request_id = "id1";
  request.peer = std::make_shared<http::Peer>(
      http::Peer{.address = std::move(address), .port = 1, .tls = tls});
  return request;
}

Forwarded trusting(std::vector<std::string> proxies) {
  return Forwarded(http::TrustedProxies::parse(proxies).value());
}

void apply(const Forwarded& forwarded, http::Request& request) {
  forwarded.apply(request, request.headers);
}

TEST(Forwarded, SaysWhatTheListenerSaw) {
  http::Request request = request_from("192.0.2.1", true);
  apply(trusting({}), request);
  EXPECT_EQ(request.headers.get("x-forwarded-for"), "192.0.2.1");
  EXPECT_EQ(request.headers.get("x-forwarded-proto"), "https");
  EXPECT_EQ(request.headers.get("x-forwarded-host"), "kubeflow.example.org");
  EXPECT_EQ(request.headers.get("x-request-id"), "id1");
}

TEST(Forwarded, StrangersAreNotBelieved) {
  http::Request request = request_from("192.0.2.1");
  for (const std::string name :
       {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port",
        "X-Forwarded-Uri", "X-Forwarded-Method", "X-Request-Id", "X-Real-IP", "X-Original-URL",
        "X-Original-Method", "X-Rewrite-URL", "X-Envoy-Original-Path", "x-envoy-internal",
        "Forwarded", "X_Forwarded_For", "x_real_ip", "X.Forwarded.Host", "x-forwarded_proto"}) {
    request.headers.add(name, "forged");
  }
  request.headers.add("X-Other", "stays");
  apply(trusting({"10.0.0.0/8"}), request);
  EXPECT_EQ(request.headers.size(), 5U);
  for (const http::Field field : request.headers) EXPECT_NE(field.value, "forged") << field.name;
}

TEST(Forwarded, ATrustedProxyIsBelievedAndTheChainGrows) {
  http::Request request = request_from("10.0.0.2");
  request.headers.add("X-Forwarded-For", "192.0.2.1");
  request.headers.add("X-Forwarded-For", "198.51.100.7");
  request.headers.add("X-Forwarded-Proto", "https");
  request.headers.add("X-Forwarded-Host", "Public.Example.org");
  request.headers.add("X-Forwarded-Prefix", "/base");
  request.headers.add("Forwarded", "for=192.0.2.1");
  apply(trusting({"10.0.0.0/8"}), request);
  EXPECT_EQ(request.headers.get("x-forwarded-for"), "192.0.2.1, 198.51.100.7, 10.0.0.2");
  EXPECT_EQ(request.headers.count("x-forwarded-for"), 1U);
  EXPECT_EQ(request.headers.get("x-forwarded-proto"), "https");
  EXPECT_EQ(request.headers.get("x-forwarded-host"), "public.example.org");
  EXPECT_EQ(request.headers.get("x-forwarded-prefix"), "/base");
  EXPECT_FALSE(request.headers.has("forwarded"));
}

TEST(Forwarded, IllFormedAndAmbiguousWordsOfATrustedProxyAreReplaced) {
  http::Request request = request_from("10.0.0.2");
  request.headers.add("X-Forwarded-Proto", "javascript");
  request.headers.add("X-Forwarded-Host", "a.example, b.example");
  request.headers.add("X_Forwarded_Prefix", "/forged");
  apply(trusting({"10.0.0.0/8"}), request);
  EXPECT_EQ(request.headers.get("x-forwarded-proto"), "http");
  EXPECT_EQ(request.headers.get("x-forwarded-host"), "kubeflow.example.org");
  EXPECT_FALSE(request.headers.has("x_forwarded_prefix"));

  http::Request twice = request_from("10.0.0.2");
  twice.headers.add("X-Forwarded-Proto", "https");
  twice.headers.add("X-Forwarded-Proto", "http");
  apply(trusting({"10.0.0.0/8"}), twice);
  EXPECT_EQ(twice.headers.get("x-forwarded-proto"), "http");
  EXPECT_EQ(twice.headers.count("x-forwarded-proto"), 1U);
}

TEST(Forwarded, AnEndlessChainIsStartedAnew) {
  http::Request request = request_from("10.0.0.2");
  request.headers.add("X-Forwarded-For", std::string(4000, '1'));
  apply(trusting({"10.0.0.0/8"}), request);
  EXPECT_EQ(request.headers.get("x-forwarded-for"), "10.0.0.2");
}

TEST(Forwarded, RequestIdsOfTrustedProxiesAreKept) {
  const Forwarded forwarded = trusting({"10.0.0.0/8"});
  http::Request request = request_from("10.0.0.2");
  request.headers.add("X-Request-Id", "abc-123");
  EXPECT_EQ(forwarded.request_id(request), "abc-123");
  EXPECT_EQ(trusting({}).request_id(request), "");
  for (const std::string id : {"", "a b", "a\"b", "<x>"}) {
    request.headers.set("X-Request-Id", id);
    EXPECT_EQ(forwarded.request_id(request), "") << id;
  }
  request.headers.set("X-Request-Id", std::string(200, 'a'));
  EXPECT_EQ(forwarded.request_id(request), "");
}

TEST(Forwarded, RequestIdsOfAllAreKeptWhereThatIsSaid) {
  const Forwarded forwarded(http::TrustedProxies::parse({}).value(), {.keep_any_request_id = true});
  http::Request request = request_from("192.0.2.1");
  request.headers.add("X-Request-Id", "abc-123");
  EXPECT_EQ(forwarded.request_id(request), "abc-123");
  request.headers.set("X-Request-Id", "a b");
  EXPECT_EQ(forwarded.request_id(request), "");
}

TEST(Forwarded, WithoutAPeerOrHostNothingIsMadeUp) {
  http::Request request;
  apply(trusting({}), request);
  EXPECT_FALSE(request.headers.has("x-forwarded-for"));
  EXPECT_FALSE(request.headers.has("x-forwarded-host"));
}

TEST(RequestIds, AreShortAndDiffer) {
  FixedEntropy entropy;
  RequestIds ids(entropy);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(ids.next());
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_EQ(seen.begin()->size(), 13U);
}

// Attacks that were published against others.

TEST(ForwardedAttack, Cve202640575ForgedForwardedUri) {
  http::Request request = request_from("127.0.0.1");
  request.headers.add("X-Forwarded-Uri", "/public");
  request.headers.add("X-Original-URI", "/public");
  apply(trusting({}), request);
  EXPECT_FALSE(request.headers.has("x-forwarded-uri"));
  EXPECT_FALSE(request.headers.has("x-original-uri"));
}

TEST(ForwardedAttack, Ghsa6384SpoofedPrefix) {
  for (const std::string name :
       {"X-Forwarded-Prefix", "X_Forwarded_Prefix", "x-forwarded.prefix"}) {
    http::Request request = request_from("192.0.2.1");
    request.headers.add(name, "//evil.example");
    apply(trusting({"10.0.0.1"}), request);
    EXPECT_FALSE(request.headers.has(name));
  }
}

TEST(ForwardedAttack, Cve202445806ForgedInternalHeaders) {
  for (const std::string name :
       {"x-envoy-internal", "X-Envoy-Retry-On", "x-envoy-original-path", "X_ENVOY_Peer_Metadata"}) {
    http::Request request = request_from("192.0.2.1");
    request.headers.add(name, "1");
    apply(trusting({}), request);
    EXPECT_FALSE(request.headers.has(name));
  }
}

TEST(ForwardedAttack, Cve202336456ForwardedForOfStrangersNeverJoinsTheChain) {
  http::Request request = request_from("192.0.2.1");
  request.headers.add("X-Forwarded-For", "127.0.0.1");
  apply(trusting({}), request);
  EXPECT_EQ(request.headers.get("x-forwarded-for"), "192.0.2.1");
}

}  // namespace
}  // namespace gatehouse::gateway
