#include "gateway/routes.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace gatehouse::gateway {
namespace {

config::Route route(std::string prefix, std::string host = "", std::string rewrite = "") {
  config::Route out;
  out.prefix = std::move(prefix);
  out.host = std::move(host);
  out.rewrite = std::move(rewrite);
  return out;
}

/// The index of the winner; -1 for none, -2 for ambiguous.
int winner(const std::vector<config::Route>& routes, std::string_view authority,
           std::string_view path) {
  const RouteTable table = RouteTable::make(routes).value();
  const Result<std::size_t, RouteTable::Miss> found = table.find(authority, path);
  if (found) return static_cast<int>(*found);
  return found.error() == RouteTable::Miss::kNone ? -1 : -2;
}

std::string rewritten(const config::Route& by, std::string_view target) {
  http::Target out = http::parse_target(target).value();
  rewrite(by, out);
  return out.str();
}

TEST(Routes, TheLongestPrefixOfWholeSegmentsWins) {
  const std::vector<config::Route> routes = {route("/"), route("/notebook/ns/a"),
                                             route("/notebook"), route("/notebook/ns/a/")};
  EXPECT_EQ(winner(routes, "h", "/"), 0);
  EXPECT_EQ(winner(routes, "h", "/notebook"), 2);
  EXPECT_EQ(winner(routes, "h", "/notebooks"), 0);
  EXPECT_EQ(winner(routes, "h", "/notebook/ns/ab"), 2);
  EXPECT_EQ(winner(routes, "h", "/notebook/ns/a"), 1);
  EXPECT_EQ(winner(routes, "h", "/notebook/ns/a/"), 3);
  EXPECT_EQ(winner(routes, "h", "/notebook/ns/a/b/c"), 3);
}

TEST(Routes, WithoutAMatchThereIsNone) {
  EXPECT_EQ(winner({}, "h", "/"), -1);
  EXPECT_EQ(winner({route("/a/")}, "h", "/a"), -1);
  EXPECT_EQ(winner({route("/a", "other")}, "h", "/a"), -1);
}

TEST(Routes, ExactHostsThenLongestSuffixThenAny) {
  const std::vector<config::Route> routes = {route("/"), route("/", "*.example.org"),
                                             route("/", "*.a.example.org"),
                                             route("/", "x.a.Example.org")};
  EXPECT_EQ(winner(routes, "x.a.example.org:8080", "/"), 3);
  EXPECT_EQ(winner(routes, "y.a.example.org", "/"), 2);
  EXPECT_EQ(winner(routes, "a.example.org", "/"), 1);
  EXPECT_EQ(winner(routes, "example.org", "/"), 0);
  EXPECT_EQ(winner(routes, "evilexample.org", "/"), 0);
  EXPECT_EQ(winner(routes, "", "/"), 0);
}

TEST(Routes, AHostWithoutThatPrefixFallsBackToLessParticularHosts) {
  const std::vector<config::Route> routes = {route("/"), route("/dex"), route("/app", "h")};
  EXPECT_EQ(winner(routes, "h", "/app/x"), 2);
  EXPECT_EQ(winner(routes, "h", "/dex/auth"), 1);
}

TEST(Routes, AnIpv6AuthorityLosesItsPortOnly) {
  EXPECT_EQ(host_of("[::1]:8080"), "[::1]");
  EXPECT_EQ(host_of("[::1]"), "[::1]");
  EXPECT_EQ(host_of("a:1"), "a");
}

TEST(Routes, WhatCannotBeIsRefusedByName) {
  for (const config::Route& bad :
       {route("a"), route(""), route("/a//b"), route("/../a"), route("/%61"), route("/a?b"),
        route("/a", "a b"), route("/a", "a:80"), route("/a", "*a.org"), route("/a", "a.*"),
        route("/a", "", "b"), route("/a", "", "/b/../c"), route("/a#")}) {
    const Result<RouteTable> table = RouteTable::make({bad});
    ASSERT_FALSE(table) << bad.prefix << " " << bad.host << " " << bad.rewrite;
    EXPECT_NE(table.error().message.find("route \"" + bad.prefix + "\""), std::string::npos);
  }
  EXPECT_FALSE(RouteTable::make({route("/a", "H"), route("/a", "h")}));
  EXPECT_TRUE(RouteTable::make({route("/a"), route("/a/")}));
}

TEST(Rewrite, ReplacesThePrefixInWholeSegments) {
  EXPECT_EQ(rewritten(route("/a", "", ""), "/a/x?q"), "/a/x?q");
  EXPECT_EQ(rewritten(route("/a", "", "/"), "/a/x?q"), "/x?q");
  EXPECT_EQ(rewritten(route("/a", "", "/"), "/a?q"), "/?q");
  EXPECT_EQ(rewritten(route("/a/", "", "/"), "/a/"), "/");
  EXPECT_EQ(rewritten(route("/a", "", "/b"), "/a"), "/b");
  EXPECT_EQ(rewritten(route("/a", "", "/b/"), "/a"), "/b/");
  EXPECT_EQ(rewritten(route("/a", "", "/b/"), "/a/x"), "/b/x");
  EXPECT_EQ(rewritten(route("/a/", "", "/b"), "/a/x/"), "/b/x/");
  EXPECT_EQ(rewritten(route("/", "", "/b"), "/x"), "/b/x");
  EXPECT_EQ(rewritten(route("/", "", "/b"), "/"), "/b/");
}

// A reference that is obviously right, and slow.

int naive_winner(const std::vector<config::Route>& routes, const std::string& host,
                 std::string_view path) {
  const auto particular = [&](const config::Route& r) -> std::size_t {
    if (r.host.empty()) return 1;
    if (r.host == host) return 1000;
    if (!r.host.starts_with("*.")) return 0;
    const std::string suffix = r.host.substr(1);
    return host.size() > suffix.size() && host.ends_with(suffix) ? 1 + suffix.size() : 0;
  };
  int best = -1;
  std::pair<std::size_t, std::size_t> best_rank{0, 0};
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const std::pair rank{particular(routes[i]), routes[i].prefix.size()};
    if (rank.first == 0 || !http::path_has_prefix(path, routes[i].prefix)) continue;
    if (rank > best_rank) {
      best_rank = rank;
      best = static_cast<int>(i);
    }
  }
  return best;
}

class RandomTables {
 public:
  std::vector<config::Route> table() {
    std::vector<config::Route> routes;
    for (unsigned n = pick(12); n > 0; --n) {
      config::Route candidate = route(path(), hosts_[pick(hosts_.size())]);
      std::vector<config::Route> extended = routes;
      extended.push_back(candidate);
      if (RouteTable::make(extended)) routes = std::move(extended);
    }
    return routes;
  }
  std::string path() {
    std::string out;
    for (unsigned n = pick(4); n > 0; --n) out += "/" + segments_[pick(segments_.size())];
    if (out.empty() || pick(3) == 0) out += "/";
    return out;
  }
  std::string host() {
    const std::vector<std::string> hosts = {"a.org", "x.a.org", "y.x.a.org", "b.org", "ba.org"};
    return hosts[pick(hosts.size())];
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  std::mt19937 random_{42};
  std::vector<std::string> segments_ = {"a", "ab", "b", "a%20b"};
  std::vector<std::string> hosts_ = {"", "a.org", "*.a.org", "*.x.a.org", "x.a.org"};
};

TEST(RoutesProperty, AgreesWithTheNaiveReferenceOnRandomTables) {
  RandomTables random;
  for (int round = 0; round < 500; ++round) {
    const std::vector<config::Route> routes = random.table();
    for (int n = 0; n < 40; ++n) {
      const std::string host = random.host();
      const std::string path = random.path();
      ASSERT_EQ(winner(routes, host, path), naive_winner(routes, host, path)) << host << path;
    }
  }
}

TEST(RoutesProperty, RewritingGivesNormalPaths) {
  RandomTables random;
  for (int round = 0; round < 5000; ++round) {
    const config::Route by = route(random.path(), "", random.path());
    const std::string path = random.path();
    if (!http::path_has_prefix(path, by.prefix)) continue;
    const std::string out = rewritten(by, path + "?q");
    EXPECT_EQ(http::parse_target(out).value().str(), out) << by.prefix << by.rewrite << path;
  }
}

// Attacks that were published against others.

TEST(RoutesAttack, Cve202673511MatrixParametersDecideNoRoute) {
  const std::vector<config::Route> routes = {route("/"), route("/admin"), route("/app/public")};
  for (const std::string_view path :
       {"/admin;x", "/admin;x/y", "/admin%3bx", "/;x/admin", "/app/public;x", "/app;v=1/public"}) {
    EXPECT_EQ(winner(routes, "h", path), -2) << path;
  }
  EXPECT_EQ(winner(routes, "h", "/admin/a;x"), 1);
  EXPECT_EQ(winner(routes, "h", "/other;x"), 0);
}

TEST(RoutesAttack, Cve202640912RewritingNeverSlicesByADecodedLength) {
  const config::Route by = route("/api", "", "/");
  EXPECT_EQ(rewritten(by, "/%61pi/admin"), "/admin");
  EXPECT_EQ(rewritten(by, "/api/%61dmin"), "/admin");
  EXPECT_FALSE(http::parse_target("/api%2e/admin").value().path() == "/api/admin");
  EXPECT_EQ(winner({by}, "h", http::parse_target("/api%2e/admin").value().path()), -1);
}

TEST(RoutesAttack, Cve202648020PrefixWithDotsBehindIsNoMatch) {
  const std::vector<config::Route> routes = {route("/api", "", "/")};
  EXPECT_EQ(winner(routes, "h", "/api.."), -1);
  EXPECT_EQ(winner(routes, "h", "/api../x"), -1);
  EXPECT_FALSE(http::parse_target("/api/../x"));
}

TEST(RoutesAttack, Cve202566490EscapedReservedCharactersDoNotMatchTheirPlainSelves) {
  const std::vector<config::Route> routes = {route("/"), route("/a:b")};
  EXPECT_EQ(winner(routes, "h", http::parse_target("/a%3Ab").value().path()), 0);
  EXPECT_FALSE(http::parse_target("/a%2Fb"));
}

}  // namespace
}  // namespace gatehouse::gateway
