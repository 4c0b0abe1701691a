#include "gateway/routing/host_policy.h"

#include <gtest/gtest.h>

#include "gateway/routing/fakes.h"

namespace gatehouse::gateway {
namespace {

using Outcome = HostPolicy::Outcome;
using Unknown = HostPolicy::Unknown;

config::Host host(std::string hostname, std::string insecure) {
  config::Host out;
  out.hostname = std::move(hostname);
  out.insecure = std::move(insecure);
  return out;
}

Outcome of(const HostPolicy& policy, std::string authority, std::string path = "/",
           bool secure = false) {
  return policy.outcome(request(std::move(path), std::move(authority)), secure);
}

TEST(HostPolicy, TheMostParticularHostDecides) {
  std::vector<Problem> problems;
  const HostPolicy policy =
      HostPolicy::make({host("*", "reject"), host("*.a.org", "redirect"), host("x.a.org", "route")},
                       Unknown::kRoute, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(of(policy, "x.a.org:8080"), Outcome::kRoute);
  EXPECT_EQ(of(policy, "y.a.org"), Outcome::kRedirect);
  EXPECT_EQ(of(policy, "b.org"), Outcome::kReject);
  EXPECT_EQ(of(policy, ""), Outcome::kReject);
}

TEST(HostPolicy, WithoutAHostEveryRequestIsRouted) {
  std::vector<Problem> problems;
  EXPECT_EQ(of(HostPolicy(), "a.org"), Outcome::kRoute);
  EXPECT_EQ(of(HostPolicy::make({host("b.org", "reject")}, Unknown::kRoute, problems), "a.org"),
            Outcome::kRoute);
}

TEST(HostPolicy, WhereThereHasToBeAHostOthersAreUnknown) {
  std::vector<Problem> problems;
  const HostPolicy some = HostPolicy::make({host("a.org", "route"), host("*.b.org", "reject")},
                                           Unknown::kReject, problems);
  EXPECT_EQ(of(some, "a.org:8443"), Outcome::kRoute);
  EXPECT_EQ(of(some, "x.b.org"), Outcome::kReject);
  EXPECT_EQ(of(some, "x.b.org", "/", true), Outcome::kRoute);
  for (const std::string unknown : {"b.org", "x.a.org", "127.0.0.1", ""}) {
    EXPECT_EQ(of(some, unknown), Outcome::kUnknown) << unknown;
    EXPECT_EQ(of(some, unknown, "/", true), Outcome::kUnknown) << unknown;
  }
  const HostPolicy all = HostPolicy::make({host("*", "route")}, Unknown::kReject, problems);
  EXPECT_EQ(of(all, "127.0.0.1"), Outcome::kRoute);
}

TEST(HostPolicy, AuthoritiesAndProbesAreAnsweredWhateverTheHost) {
  std::vector<Problem> problems;
  const HostPolicy policy =
      HostPolicy::make({host("a.org", "redirect")}, Unknown::kReject, problems);
  for (const std::string path : {"/.well-known/acme-challenge/x", "/ambassador/v0/check_ready"}) {
    EXPECT_EQ(of(policy, "a.org", path), Outcome::kRoute) << path;
    EXPECT_EQ(of(policy, "b.org", path), Outcome::kRoute) << path;
  }
  EXPECT_EQ(of(policy, "a.org", "/ambassador/v0/diag/"), Outcome::kRedirect);
}

TEST(HostPolicy, WhatIsWrongIsNamed) {
  std::vector<Problem> problems;
  const HostPolicy policy = HostPolicy::make(
      {host("a b", "route"), host("a", "maybe"), host("A", "route"), host("*", "route")},
      Unknown::kRoute, problems);
  ASSERT_EQ(problems.size(), 3);
  EXPECT_EQ(problems[0].index, 0);
  EXPECT_EQ(problems[1].index, 1);
  EXPECT_EQ(problems[2].index, 2);
  EXPECT_EQ(problems[0].of, Problem::Of::kHost);
  EXPECT_EQ(of(policy, "a"), Outcome::kReject);
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
                       Unknown::kRoute, problems);
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
