#include "gateway/routing/route_actions.h"

#include <gtest/gtest.h>

#include <random>

#include "gateway/routing/fakes.h"

namespace gatehouse::gateway {
namespace {

std::string rewritten(const config::Route& by, std::string_view target) {
  std::vector<std::string> warnings;
  http::Target out = http::parse_target(target).value();
  return RouteActions::make(by, warnings).value().rewrite(out) ? out.str() : "refused";
}

config::Route in_mode(std::string match, std::string prefix, std::string rewrite) {
  config::Route out = route(std::move(prefix), "", std::move(rewrite));
  out.match = std::move(match);
  return out;
}

config::Route by_regex(std::string pattern, std::string substitution) {
  config::Route out;
  out.rewrite_regex = std::move(pattern);
  out.rewrite_substitution = std::move(substitution);
  return out;
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

TEST(Rewrite, ReplacesThePrefixAsAStringOrAllOfThePath) {
  EXPECT_EQ(rewritten(in_mode("string", "/a", "/b"), "/axy/z?q"), "/bxy/z?q");
  EXPECT_EQ(rewritten(in_mode("string", "/a", "/"), "/a/z"), "/z");
  EXPECT_EQ(rewritten(in_mode("string", "/a/", "/b/"), "/a/z"), "/b/z");
  EXPECT_EQ(rewritten(in_mode("string", "/a/", "/b"), "/a/z"), "/bz");
  EXPECT_EQ(rewritten(in_mode("exact", "/a", "/b/c"), "/a?q"), "/b/c?q");
  EXPECT_EQ(rewritten(in_mode("exact", "/a/", "/b"), "/a/"), "/b");
}

TEST(Rewrite, ReplacesWhatARegularExpressionMatches) {
  EXPECT_EQ(rewritten(by_regex("^/v[0-9]+/(.*)$", "/\\1"), "/v12/a/b?/v1/x"), "/a/b?/v1/x");
  EXPECT_EQ(rewritten(by_regex("^/a/([^/]+)/([^/]+)", "/\\2/\\1"), "/a/x/y/z"), "/y/x/z");
  EXPECT_EQ(rewritten(by_regex("^/a", "/b"), "/c"), "/c");
}

TEST(RewriteAttack, WhatIsNoNormalPathIsRefused) {
  EXPECT_EQ(rewritten(by_regex("^/a/(.*)$", "\\1"), "/a/x"), "refused");
  EXPECT_EQ(rewritten(by_regex("^/a", ""), "/a//x"), "/x");
  EXPECT_EQ(rewritten(by_regex("x", "//"), "/x"), "refused");
  EXPECT_EQ(rewritten(by_regex("x", "?"), "/x"), "refused");
  EXPECT_EQ(rewritten(by_regex("x", "."), "/x/a"), "refused");
  EXPECT_EQ(rewritten(by_regex("x", "\r\n"), "/x/a"), "refused");
  EXPECT_EQ(rewritten(by_regex("a", std::string(1000, 'b')), "/" + std::string(20, 'a')),
            "refused");
}

TEST(RewriteAttack, Cve202648020APrefixWithDotsBehindGivesNoDotSegment) {
  EXPECT_EQ(rewritten(in_mode("string", "/api", "/"), "/api../x"), "refused");
  EXPECT_EQ(rewritten(in_mode("string", "/api", "/"), "/api."), "refused");
  EXPECT_EQ(rewritten(in_mode("string", "/api", "/"), "/api..;/x"), "refused");
  EXPECT_EQ(rewritten(in_mode("string", "/api", "/"), "/api%252e%252e/x"), "refused");
}

TEST(RewriteAttack, Cve202640912NeverSlicesByADecodedLength) {
  const config::Route by = route("/api", "", "/");
  EXPECT_EQ(rewritten(by, "/%61pi/admin"), "/admin");
  EXPECT_EQ(rewritten(by, "/api/%61dmin"), "/admin");
  EXPECT_EQ(winner({by}, "h", "/api%2e/admin"), -1);
}

TEST(RewriteProperty, GivesNormalPathsOnly) {
  std::mt19937 random(42);
  const auto path = [&random] {
    std::string out;
    for (std::size_t n = random() % 4; n > 0; --n) {
      out += "/" + std::vector<std::string>{"a", "ab", "a..", "a%20b", "a."}[random() % 5];
    }
    return out.empty() || random() % 3 == 0 ? out + "/" : out;
  };
  int done = 0;
  for (int round = 0; round < 20'000; ++round) {
    const bool string = random() % 2 == 0;
    const config::Route by = in_mode(string ? "string" : "segment", path(), path());
    const std::string asked = path();
    const auto mode = string ? PrefixMode::kString : PrefixMode::kSegment;
    if (!has_prefix(asked, by.prefix, mode, true)) continue;
    const std::string out = rewritten(by, asked + "?q");
    if (out == "refused") continue;
    ++done;
    EXPECT_EQ(http::parse_target(out).value().str(), out) << by.prefix << by.rewrite << asked;
  }
  EXPECT_GT(done, 1000);
}

TEST(RouteActions, TheHostSentUpstream) {
  config::Route by = route("/");
  std::vector<std::string> warnings;
  EXPECT_EQ(RouteActions::make(by, warnings)->authority("client", "own"), "client");
  by.auto_host_rewrite = true;
  EXPECT_EQ(RouteActions::make(by, warnings)->authority("client", "own"), "own");
  by.host_rewrite = "Inner:81";
  EXPECT_EQ(RouteActions::make(by, warnings)->authority("client", "own"), "inner:81");
}

TEST(RouteActions, WhatCannotBeIsRefused) {
  std::vector<std::string> warnings;
  for (const std::string& bad : {"b", "/b/../c", "/b?x", "//b", "/%61"}) {
    EXPECT_FALSE(RouteActions::make(route("/a", "", bad), warnings)) << bad;
  }
  EXPECT_FALSE(RouteActions::make(by_regex("(", ""), warnings));
  EXPECT_FALSE(RouteActions::make(by_regex("a", "\\1"), warnings));
  config::Route by = route("/");
  by.host_rewrite = "a b";
  EXPECT_FALSE(RouteActions::make(by, warnings));
  by = route("/");
  by.redirect.host = "a/b";
  const Result<RouteActions> made = RouteActions::make(by, warnings);
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().message.starts_with("redirect: host")) << made.error().message;
}

TEST(RouteActions, WhatHasNoEffectIsWarnedOf) {
  std::vector<std::string> warnings;
  EXPECT_TRUE(RouteActions::make(in_mode("regex", "/a.*", "/b"), warnings));
  EXPECT_EQ(warnings.size(), 1);
  config::Route both = by_regex("a", "b");
  both.rewrite = "/x";
  EXPECT_TRUE(RouteActions::make(both, warnings));
  EXPECT_EQ(warnings.size(), 2);
}

}  // namespace
}  // namespace gatehouse::gateway
