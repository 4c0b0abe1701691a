#include "gateway/routing/host_policy.h"

#include <gtest/gtest.h>

#include "gateway/routing/fakes.h"

namespace gatehouse::gateway {
namespace {

using Insecure = HostPolicy::Insecure;

config::Host host(std::string hostname, std::string insecure) {
  config::Host out;
  out.hostname = std::move(hostname);
  out.insecure = std::move(insecure);
  return out;
}

TEST(HostPolicy, TheMostParticularHostDecides) {
  std::vector<Problem> problems;
  const HostPolicy policy = HostPolicy::make(
      {host("*", "reject"), host("*.a.org", "redirect"), host("x.a.org", "route")}, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(policy.insecure_action("x.a.org:8080"), Insecure::kRoute);
  EXPECT_EQ(policy.insecure_action("y.a.org"), Insecure::kRedirect);
  EXPECT_EQ(policy.insecure_action("b.org"), Insecure::kReject);
  EXPECT_EQ(policy.insecure_action(""), Insecure::kReject);
}

TEST(HostPolicy, WithoutAHostEveryRequestIsRouted) {
  std::vector<Problem> problems;
  EXPECT_EQ(HostPolicy().insecure_action("a.org"), Insecure::kRoute);
  EXPECT_EQ(HostPolicy::make({host("b.org", "reject")}, problems).insecure_action("a.org"),
            Insecure::kRoute);
}

TEST(HostPolicy, KnowsTheHostsThatItIsFor) {
  std::vector<Problem> problems;
  const HostPolicy some =
      HostPolicy::make({host("a.org", "route"), host("*.b.org", "route")}, problems);
  for (const std::string_view known : {"a.org", "a.org:8443", "x.b.org"}) {
    EXPECT_TRUE(some.knows(known)) << known;
  }
  for (const std::string_view unknown : {"b.org", "x.a.org", "127.0.0.1", ""}) {
    EXPECT_FALSE(some.knows(unknown)) << unknown;
  }
  EXPECT_TRUE(HostPolicy::make({host("*", "route")}, problems).knows("127.0.0.1"));
  EXPECT_FALSE(HostPolicy().knows("a.org"));
}

TEST(HostPolicy, WhatIsWrongIsNamed) {
  std::vector<Problem> problems;
  const HostPolicy policy = HostPolicy::make(
      {host("a b", "route"), host("a", "maybe"), host("A", "route"), host("*", "route")}, problems);
  ASSERT_EQ(problems.size(), 3);
  EXPECT_EQ(problems[0].index, 0);
  EXPECT_EQ(problems[1].index, 1);
  EXPECT_EQ(problems[2].index, 2);
  EXPECT_EQ(problems[0].of, Problem::Of::kHost);
  EXPECT_EQ(policy.insecure_action("a"), Insecure::kReject);
}

TEST(HostPolicy, KnowsTheHostsThatAskForCertificates) {
  std::vector<Problem> problems;
  const auto asking = [](std::string hostname, std::string authority) {
    config::Host out = host(std::move(hostname), "route");
    out.tls.certificate = "own.pem";
    out.tls.client_ca = std::move(authority);
    return out;
  };
  const HostPolicy policy =
      HostPolicy::make({asking("*", "ca.pem"), asking("*.a.org", "ca.pem"), asking("x.a.org", ""),
                        host("y.a.org", "route"), host("b.org", "route")},
                       problems);
  EXPECT_TRUE(policy.asks_for_certificates("z.a.org:8443"));
  EXPECT_FALSE(policy.asks_for_certificates("x.a.org"));
  EXPECT_TRUE(policy.asks_for_certificates("y.a.org"));
  EXPECT_FALSE(policy.asks_for_certificates("b.org"));
  EXPECT_FALSE(policy.asks_for_certificates("c.org"));
}

TEST(HostPolicy, TheWayToHttpsKeepsPathAndQuery) {
  EXPECT_EQ(https_location(request("/a/b?c=%2f&d?", "a.org")), "https://a.org/a/b?c=%2f&d?");
  EXPECT_EQ(https_location(request("/", "a.org:80")), "https://a.org/");
  EXPECT_EQ(https_location(request("/", "a.org:8080"), HttpsPort::kSame), "https://a.org:8080/");
  EXPECT_EQ(https_location(request("/", "a.org"), HttpsPort::kSame), "https://a.org/");
  EXPECT_EQ(https_location(request("/", "[::1]:80")), "https://[::1]/");
  EXPECT_EQ(https_location(request("/", "")), std::nullopt);
}

}  // namespace
}  // namespace gatehouse::gateway
