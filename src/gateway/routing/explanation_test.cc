#include "gateway/routing/explanation.h"

#include <gtest/gtest.h>

#include "gateway/routing/fakes.h"

namespace gatehouse::gateway {
namespace {

using Routes = std::vector<config::Route>;

Explanation explain(const Routes& routes, const http::Request& asked) {
  return RouteTable::make(routes).table.explain(asked, routes, false);
}

/// The reason why the route with that index lost; "" if it is not among the losers.
std::string reason(const Explanation& explanation, std::size_t route) {
  for (const Explanation::Loser& loser : explanation.losers) {
    if (loser.route == route) return loser.reason;
  }
  return "";
}

TEST(Explanation, SaysWhyEachMoreSpecificRouteLost) {
  Routes routes = {route("/a"),
                   route("/a/b"),
                   route("/a/b"),
                   route("/a/b"),
                   route("/a/b"),
                   route("/a/c"),
                   route("/a/b", "*.example.org"),
                   route("/"),
                   route("/a/bcdef")};
  routes[1].methods = {"POST"};
  routes[2].headers = {{"X-A", "", ""}};
  routes[3].query = {{"v", "1", ""}};
  routes[4].host_regex = "x.*";
  routes[8].prefix = "/a/b.*";
  routes[8].match = "regex";
  routes[8].methods = {"PUT", "PATCH"};
  const Explanation why = explain(routes, request("/a/b?v=2"));
  ASSERT_EQ(why.members.size(), 1);
  EXPECT_EQ(why.members[0].route, 0);
  EXPECT_EQ(reason(why, 1), "method GET is not POST");
  EXPECT_EQ(reason(why, 2), "header x-a is missing");
  EXPECT_EQ(reason(why, 3), "query parameter v is not \"1\"");
  EXPECT_EQ(reason(why, 4), "host does not match x.*");
  EXPECT_EQ(reason(why, 5), "prefix /a/c does not match /a/b");
  EXPECT_EQ(reason(why, 6), "host is not *.example.org");
  EXPECT_EQ(reason(why, 8), "method GET is not PATCH or PUT");
  EXPECT_EQ(reason(why, 7), "");
}

TEST(Explanation, NamesTheOtherReadingOfAnAmbiguousPath) {
  const Explanation by_parameter = explain({route("/"), route("/admin")}, request("/admin;x"));
  EXPECT_TRUE(by_parameter.ambiguous);
  EXPECT_TRUE(by_parameter.members.empty());
  EXPECT_EQ(by_parameter.ambiguity,
            "ambiguous path: without path parameters it is /admin, which takes route \"/admin\"");
  Routes routes = {route("/a"), route("/a/b")};
  routes[0].case_sensitive = false;
  EXPECT_EQ(explain(routes, request("/a/B")).ambiguity,
            "ambiguous path: in another case it takes route \"/a/b\"");
}

TEST(Explanation, ShowsWhatHappensThen) {
  Routes routes = {route("/a", "", "/"), route("/a"), route("/a"), route("/r")};
  routes[0].upstream.service = "http://one:81";
  routes[0].auto_host_rewrite = true;
  routes[0].weight = 90;
  routes[0].authenticate = false;
  routes[1].host_rewrite = "two.org";
  routes[1].upstream.service = "http://two";
  routes[2].shadow = true;
  routes[2].weight = 5;
  routes[3].redirect.path = "/new";
  routes[3].redirect.status = 308;
  const Explanation why = explain(routes, request("/a/x?q"));
  EXPECT_TRUE(why.authenticate);
  ASSERT_EQ(why.members.size(), 3);
  EXPECT_EQ(why.members[0].target, "/x?q");
  EXPECT_EQ(why.members[0].authority, "one:81");
  EXPECT_DOUBLE_EQ(why.members[0].share, 0.9);
  EXPECT_EQ(why.members[1].target, "/a/x?q");
  EXPECT_EQ(why.members[1].authority, "two.org");
  EXPECT_TRUE(why.members[2].shadow);
  EXPECT_DOUBLE_EQ(why.members[2].share, 0.05);
  const Explanation redirect = explain(routes, request("/r?q"));
  EXPECT_EQ(redirect.members[0].location, "http://h/new?q");
  EXPECT_EQ(redirect.members[0].status, 308);
}

TEST(Explanation, CountsWhatItDoesNotShowAndShowsTheNearestFirst) {
  Routes routes = {route("/")};
  for (int i = 0; i < 100; ++i) routes.push_back(route("/long/prefix/" + std::to_string(i)));
  routes.push_back(route("/x"));
  routes.back().methods = {"PUT"};
  const Explanation why = explain(routes, request("/x"));
  ASSERT_EQ(why.losers.size(), Explanation::kShown);
  EXPECT_EQ(why.losers[0].route, 101);
  EXPECT_EQ(why.not_shown, 101 - Explanation::kShown);
}

TEST(Explanation, AsText) {
  Routes routes = {route("/a", "", "/b"), route("/a")};
  routes[0].name = "app";
  routes[0].origin = "Mapping app in a.yaml:1";
  routes[0].upstream.service = "http://app";
  routes[1].methods = {"PUT"};
  routes[1].name = "put";
  EXPECT_EQ(to_text(explain(routes, request("/a/x")), routes),
            "Route \"app\" (Mapping app in a.yaml:1) wins: prefix /a, host any.\n"
            "  Authentication is asked for.\n"
            "  \"app\" (Mapping app in a.yaml:1): sends /b/x to http://app, Host h\n"
            "Routes that come before and do not match:\n"
            "  \"put\": method GET is not PUT\n");
  EXPECT_TRUE(to_text(explain(routes, request("/x")), routes).starts_with("No route: 404.\n"));
  EXPECT_TRUE(to_text(explain(routes, request("/a;b")), routes).starts_with("Refused with 400: "));
}

TEST(Explanation, AsJson) {
  Routes routes = {route("/a"), route("/a/b")};
  routes[0].upstream.service = "http://app";
  const Json why = to_json(explain(routes, request("/a/x")), routes);
  EXPECT_EQ(why["outcome"], "route");
  EXPECT_EQ(why["authenticate"], true);
  EXPECT_EQ(why["members"][0], Json({{"route", "/a"},
                                     {"share", 1.0},
                                     {"shadow", false},
                                     {"upstream", "http://app"},
                                     {"target", "/a/x"},
                                     {"host", "h"}}));
  EXPECT_EQ(why["losers"][0]["reason"], "prefix /a/b does not match /a/x");
  EXPECT_EQ(why["losers_not_shown"], 0);
  EXPECT_EQ(to_json(explain(routes, request("/x")), routes)["outcome"], "none");
  EXPECT_EQ(to_json(explain(routes, request("/a;x")), routes)["status"], 400);
}

}  // namespace
}  // namespace gatehouse::gateway
