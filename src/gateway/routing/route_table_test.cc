#include "gateway/routing/route_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gateway/routing/fakes.h"

namespace gatehouse::gateway {
namespace {

using Routes = std::vector<config::Route>;

/// Made from a prefix by setting members.
template <class Set>
config::Route with(std::string prefix, Set set) {
  config::Route out = route(std::move(prefix));
  set(out);
  return out;
}

TEST(Routes, TheLongestPrefixOfWholeSegmentsWins) {
  const Routes routes = {route("/"), route("/notebook/ns/a"), route("/notebook"),
                         route("/notebook/ns/a/")};
  EXPECT_EQ(winner(routes, "h", "/"), 0);
  EXPECT_EQ(winner(routes, "h", "/notebook"), 2);
  EXPECT_EQ(winner(routes, "h", "/notebooks"), 0);
  EXPECT_EQ(winner(routes, "h", "/notebook/ns/ab"), 2);
  EXPECT_EQ(winner(routes, "h", "/notebook/ns/a"), 1);
  EXPECT_EQ(winner(routes, "h", "/notebook/ns/a/"), 3);
  EXPECT_EQ(winner(routes, "h", "/notebook/ns/a/b/c"), 3);
}

TEST(Routes, AreListedInTheirOrder) {
  std::vector<config::Route> routes(4);
  routes[0].prefix = "/";
  routes[1].prefix = "/long";
  routes[2].prefix = "/long";
  routes[2].shadow = true;
  routes[3].precedence = 1;
  EXPECT_EQ(RouteTable::make(routes).table.in_order(), (std::vector<std::size_t>{3, 1, 2, 0}));
}

TEST(Routes, WithoutAMatchThereIsNone) {
  EXPECT_EQ(winner(Routes{}, "h", "/"), -1);
  EXPECT_EQ(winner({route("/a/")}, "h", "/a"), -1);
  EXPECT_EQ(winner({route("/a", "other")}, "h", "/a"), -1);
  EXPECT_EQ(winner(RouteTable(), request("/")), -1);
}

TEST(Routes, ExactHostsThenLongestSuffixThenPrefixThenRegexThenAny) {
  Routes routes = {route("/"),
                   route("/", "*.example.org"),
                   route("/", "*.a.example.org"),
                   route("/", "x.a.Example.org"),
                   route("/", "example.*"),
                   route("/")};
  routes[5].host_regex = "example\\..*|.*evil.*";
  EXPECT_EQ(winner(routes, "x.a.example.org:8080", "/"), 3);
  EXPECT_EQ(winner(routes, "y.a.example.org", "/"), 2);
  EXPECT_EQ(winner(routes, "a.example.org", "/"), 1);
  EXPECT_EQ(winner(routes, "example.org", "/"), 4);
  EXPECT_EQ(winner(routes, "evilexample.org:1", "/"), 5);
  EXPECT_EQ(winner(routes, "other", "/"), 0);
  EXPECT_EQ(winner(routes, "", "/"), 0);
}

TEST(Routes, AHostWithoutThatRouteFallsBackToLessParticularHosts) {
  const Routes routes = {route("/"), route("/dex"), route("/app", "h")};
  EXPECT_EQ(winner(routes, "h", "/app/x"), 2);
  EXPECT_EQ(winner(routes, "h", "/dex/auth"), 1);
}

TEST(Routes, AMoreParticularHostComesBeforeAnyPrecedence) {
  const Routes routes = {with("/", [](config::Route& r) { r.precedence = 9; }), route("/", "h")};
  EXPECT_EQ(winner(routes, "h", "/"), 1);
}

TEST(Routes, ByStringExactlyAndByRegularExpression) {
  const Routes routes = {matching("string", "/a"), matching("exact", "/abc"),
                         matching("regex", "/[xy]/.*")};
  EXPECT_EQ(winner(routes, "h", "/ab"), 0);
  EXPECT_EQ(winner(routes, "h", "/abc"), 1);
  EXPECT_EQ(winner(routes, "h", "/abc/"), 0);
  EXPECT_EQ(winner(routes, "h", "/x/b?c"), 2);
  EXPECT_EQ(winner(routes, "h", "/x"), -1);
  EXPECT_EQ(winner(routes, "h", "/z/x/b"), -1);
}

TEST(Routes, ByMethod) {
  const Routes routes = {
      with("/", [](config::Route& r) { r.methods = {"POST", "PUT"}; }),
      with("/", [](config::Route& r) { r.method_regex = "GET|HEAD"; }),
  };
  const RouteTable table = RouteTable::make(routes).table;
  EXPECT_EQ(winner(table, request("/", "h", "PUT")), 0);
  EXPECT_EQ(winner(table, request("/", "h", "HEAD")), 1);
  EXPECT_EQ(winner(table, request("/", "h", "DELETE")), -1);
  EXPECT_EQ(winner(table, request("/", "h", "post")), -1);
}

TEST(Routes, AmbassadorsOrder) {
  const auto header = [](std::string name) {
    return config::FieldMatch{.name = std::move(name), .value = "", .regex = ""};
  };
  const Routes routes = {
      route("/a"),
      with("/a", [&](config::Route& r) { r.headers = {header("x")}; }),
      with("/a", [&](config::Route& r) { r.headers = {header("x"), header("y")}; }),
      with("/a", [&](config::Route& r) { r.query = {header("q")}; }),
      with("/",
           [](config::Route& r) {
             r.precedence = 1;
             r.methods = {"PUT"};
           }),
      with("/a", [](config::Route& r) { r.methods = {"POST"}; }),
      with("/a/b", [](config::Route& r) { r.precedence = -1; }),
  };
  const RouteTable table = RouteTable::make(routes).table;
  const auto of = [&](std::string_view target, std::string method,
                      const std::vector<std::string>& headers) {
    http::Request asked = request(target, "h", std::move(method));
    for (const std::string& name : headers) asked.headers.add(name, "1");
    return winner(table, asked);
  };
  EXPECT_EQ(of("/a", "GET", {}), 0);
  EXPECT_EQ(of("/a", "GET", {"X"}), 1);
  EXPECT_EQ(of("/a", "GET", {"x", "y"}), 2);
  EXPECT_EQ(of("/a?q", "GET", {}), 3);
  EXPECT_EQ(of("/a?q", "GET", {"x"}), 1);
  EXPECT_EQ(of("/a?q", "PUT", {"x", "y"}), 4);
  EXPECT_EQ(of("/a", "POST", {}), 5);
  EXPECT_EQ(of("/a/b", "GET", {}), 0);
}

TEST(Routes, ThatMatchTheSameAreOneGroup) {
  Routes routes = {route("/a", "H"), route("/a", "h"), route("/a"), route("/a/"), route("/a", "h")};
  routes[0].methods = routes[1].methods = {"GET", "PUT"};
  std::ranges::reverse(routes[1].methods);
  routes[0].headers = routes[1].headers = {{"X-A", "1", ""}, {"x-b", "", ""}};
  routes[1].headers[0].name = "x-a";
  std::ranges::reverse(routes[1].headers);
  http::Request asked = request("/a");
  asked.headers.add("x-a", "1");
  asked.headers.add("x-b", "1");
  const RouteTable table = RouteTable::make(routes).table;
  const RouteGroup* const group = table.find(asked).value();
  ASSERT_EQ(group->members().size(), 2);
  EXPECT_EQ(group->pick(0.6), 1);
  EXPECT_EQ(winner(table, request("/a")), 4);
}

TEST(Routes, AHostsSelectorHidesRoutesWithoutItsLabels) {
  Routes routes = {route("/"), route("/a"), route("/a")};
  routes[1].labels = {"app=x", "tier=front"};
  routes[2].labels = {"app=y"};
  const auto host = [](std::string name, std::string selector) {
    config::Host out;
    out.hostname = std::move(name);
    out.route_selector = std::move(selector);
    return out;
  };
  const RouteTable::Made made = RouteTable::make(
      routes, {host("x.org", "app=x"), host("*.org", "app=y"), host("z.org", "app=x, tier=front"),
               host("none.org", "nothing"), host("all.org", "")});
  EXPECT_EQ(winner(made.table, request("/a", "x.org")), 1);
  EXPECT_EQ(winner(made.table, request("/", "x.org")), -1);
  EXPECT_EQ(winner(made.table, request("/a", "w.org")), 2);
  EXPECT_EQ(winner(made.table, request("/a", "z.org")), 1);
  EXPECT_EQ(winner(made.table, request("/a", "none.org")), -1);
  EXPECT_EQ(winner(made.table, request("/", "all.org")), 0);
  EXPECT_EQ(winner(made.table, request("/", "other")), 0);
  ASSERT_EQ(made.problems.size(), 1);
  EXPECT_EQ(made.problems[0].of, Problem::Of::kHost);
  EXPECT_EQ(made.problems[0].index, 3);
}

TEST(Routes, WhatCannotBeIsLeftOutAndNamed) {
  Routes bad = {route("a"),
                route(""),
                route("/a//b"),
                route("/../a"),
                route("/%61"),
                route("/a?b"),
                route("/a", "a b"),
                route("/a", "a:80"),
                route("/a", "a*b.org"),
                route("/a", "*.a.*"),
                route("/a", "", "b"),
                route("/a", "", "/b/../c"),
                route("/a#"),
                matching("glob", "/a"),
                matching("regex", "("),
                matching("regex", "")};
  bad.push_back(with("/a", [](config::Route& r) { r.host_regex = "("; }));
  bad.push_back(with("/a", [](config::Route& r) { r.host = "a", r.host_regex = "a"; }));
  bad.push_back(with("/a", [](config::Route& r) { r.methods = {"G T"}; }));
  bad.push_back(with("/a", [](config::Route& r) { r.method_regex = "("; }));
  bad.push_back(with("/a", [](config::Route& r) { r.headers = {{"a b", "", ""}}; }));
  bad.push_back(with("/a", [](config::Route& r) { r.query = {{"a", "", "("}}; }));
  bad.push_back(with("/a", [](config::Route& r) { r.shadow = true; }));
  for (const config::Route& one : bad) {
    const RouteTable::Made made = RouteTable::make({route("/good"), one});
    ASSERT_EQ(made.problems.size(), 1) << one.prefix << " " << one.host << " " << one.rewrite;
    EXPECT_EQ(made.problems[0].index, 1);
    EXPECT_TRUE(made.problems[0].left_out);
    EXPECT_FALSE(made.problems[0].reason.empty());
    EXPECT_EQ(winner(made.table, request("/good")), 0);
    EXPECT_EQ(winner(made.table, request("/a")), -1);
    const Result<void> all = require_all(made.problems, {route("/good"), one}, {});
    ASSERT_FALSE(all);
    EXPECT_TRUE(all.error().message.starts_with("route \"" + one.prefix + "\": "));
  }
}

TEST(Routes, AWeightThatCannotBeIsAWarning) {
  Routes routes = {route("/a"), route("/a")};
  routes[0].weight = routes[1].weight = 80;
  const RouteTable::Made made = RouteTable::make(routes);
  ASSERT_EQ(made.problems.size(), 1);
  EXPECT_FALSE(made.problems[0].left_out);
  EXPECT_TRUE(require_all(made.problems, routes, {}));
  EXPECT_EQ(winner(made.table, request("/a")), 0);
}

TEST(Routes, CaseIsNothingToACaseInsensitiveRoute) {
  const Routes routes = {with("/Api", [](config::Route& r) { r.case_sensitive = false; })};
  EXPECT_EQ(winner(routes, "h", "/aPI/x"), 0);
  EXPECT_EQ(winner(routes, "h", "/apis"), -1);
}

// Attacks that were published against others, or that a new feature would open.

TEST(RoutesAttack, Cve202673511MatrixParametersDecideNoRoute) {
  const Routes routes = {route("/"), route("/admin"), route("/app/public")};
  for (const std::string_view path :
       {"/admin;x", "/admin;x/y", "/admin%3bx", "/;x/admin", "/app/public;x", "/app;v=1/public"}) {
    EXPECT_EQ(winner(routes, "h", path), -2) << path;
  }
  EXPECT_EQ(winner(routes, "h", "/admin/a;x"), 1);
  EXPECT_EQ(winner(routes, "h", "/other;x"), 0);
  EXPECT_EQ(winner({route("/"), matching("regex", "/admin(/.*)?")}, "h", "/admin;x"), -2);
  EXPECT_EQ(winner({route("/"), matching("exact", "/admin")}, "h", "/admin;x"), -2);
  EXPECT_EQ(winner({matching("string", "/admin")}, "h", "/admin;x"), 0);
  EXPECT_EQ(winner({route("/admin")}, "h", "/admin;x"), -2);
}

TEST(RoutesAttack, ACaseInsensitiveRouteIsNoWayAroundACaseSensitiveOne) {
  const auto any_case = [](std::string prefix) {
    return with(std::move(prefix), [](config::Route& r) {
      r.case_sensitive = false;
      r.authenticate = false;
    });
  };
  const Routes routes = {any_case("/api"), route("/api/admin"), route("/API")};
  EXPECT_EQ(winner(routes, "h", "/api/admin"), 1);
  EXPECT_EQ(winner(routes, "h", "/API/x"), 2);
  for (const std::string_view path :
       {"/api/ADMIN", "/Api/admin/x", "/api/Admin;x", "/api/x", "/api;x/ADMIN"}) {
    EXPECT_EQ(winner(routes, "h", path), -2) << path;
  }
  const Routes two = {any_case("/api"), route("/api/admin"), matching("regex", "/api/v[0-9]/adm")};
  EXPECT_EQ(winner(two, "h", "/Api/x"), 0);
  EXPECT_EQ(winner(two, "h", "/Api/administrators"), 0);
  EXPECT_EQ(winner(two, "h", "/Api/ADMIN"), -2);
  EXPECT_EQ(winner(two, "h", "/api/v1/adm"), 2);
  EXPECT_EQ(winner(two, "h", "/api/V1/adm"), -2);
  const Routes by_host = {any_case("/"), any_case("/a"), route("/admin", "h")};
  EXPECT_EQ(winner(by_host, "h", "/x"), 0);
  EXPECT_EQ(winner(by_host, "h", "/ADMIN"), 0);
  EXPECT_EQ(winner({any_case("/a"), route("/a/x", "h")}, "h", "/A/X"), -2);
}

TEST(RoutesAttack, TheCaseOfAnEscapeDecidesNoRoute) {
  const Routes routes = {route("/"), route("/caf%C3%A9"), route("/a%3bb")};
  EXPECT_EQ(winner(routes, "h", "/caf%c3%a9/x"), 1);
  EXPECT_EQ(winner(routes, "h", "/caf%C3%a9"), 1);
  EXPECT_EQ(winner(routes, "h", "/CAF%C3%a9"), 0);
}

TEST(RoutesAttack, Cve202640912RoutesByTheNormalPath) {
  EXPECT_EQ(winner({route("/api", "", "/")}, "h", "/api%2e/admin"), -1);
  EXPECT_EQ(winner({route("/"), route("/api")}, "h", "/%61pi/x"), 1);
}

TEST(RoutesAttack, Cve202648020PrefixWithDotsBehindIsNoMatch) {
  const Routes routes = {route("/api", "", "/")};
  EXPECT_EQ(winner(routes, "h", "/api.."), -1);
  EXPECT_EQ(winner(routes, "h", "/api../x"), -1);
  EXPECT_FALSE(http::parse_target("/api/../x"));
}

TEST(RoutesAttack, Cve202566490EscapedReservedCharactersDoNotMatchTheirPlainSelves) {
  const Routes routes = {route("/"), route("/a:b")};
  EXPECT_EQ(winner(routes, "h", "/a%3Ab"), 0);
  EXPECT_FALSE(http::parse_target("/a%2Fb"));
}

TEST(RoutesAttack, Cve202554576NoExpressionSeesTheQuery) {
  const Routes routes = {route("/"), matching("regex", ".*/public")};
  EXPECT_EQ(winner(routes, "h", "/secret?x=/public"), 0);
}

}  // namespace
}  // namespace gatehouse::gateway
