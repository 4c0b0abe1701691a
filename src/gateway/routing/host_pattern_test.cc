#include "gateway/routing/host_pattern.h"

#include <gtest/gtest.h>

#include <vector>

namespace gatehouse::gateway {
namespace {

TEST(HostPattern, ReadsNamesAndGlobs) {
  for (const std::string_view text :
       {"a.org", "*.a.org", "a.*", "a", "*", "[::1]", "*a.org", "*-x.a.org", "a.o*"}) {
    const std::optional<HostPattern> pattern = HostPattern::parse(text);
    ASSERT_TRUE(pattern) << text;
    EXPECT_EQ(pattern->str(), text);
  }
  EXPECT_EQ(HostPattern::parse("")->str(), "*");
  EXPECT_EQ(HostPattern::parse("A.Org")->str(), "a.org");
}

TEST(HostPattern, RefusesWhatIsNone) {
  for (const std::string_view text : {"a b", "a:80", "*:80", "*a.*", "*.a.*", "**", "*.", ".*",
                                      "*.*", "a.*.b", "a*b", "a/b", "a@b", "a,b"}) {
    EXPECT_FALSE(HostPattern::parse(text)) << text;
  }
}

TEST(HostPattern, AnIpv6AuthorityLosesItsPortOnly) {
  EXPECT_EQ(host_of("[::1]:8080"), "[::1]");
  EXPECT_EQ(host_of("[::1]"), "[::1]");
  EXPECT_EQ(host_of("a:1"), "a");
  EXPECT_EQ(host_of("a"), "a");
}

TEST(HostIndex, VisitsTheMostParticularFirst) {
  HostIndex<std::string> index;
  for (const std::string_view text :
       {"*.org", "a.*", "x.a.org", "*.a.org", "x.*", "x.a.*", "*.x.a.org", "b.org"}) {
    index[HostPattern::parse(text).value()] = text;
  }
  std::vector<std::string> visited;
  const auto visit = [&](const std::string& value) {
    visited.push_back(value);
    return false;
  };
  EXPECT_FALSE(index.visit("x.a.org", visit));
  EXPECT_EQ(visited, (std::vector<std::string>{"x.a.org", "*.a.org", "*.org", "x.a.*", "x.*"}));
  visited.clear();
  EXPECT_FALSE(index.visit("aorg", visit));
  EXPECT_FALSE(index.visit("org", visit));
  EXPECT_FALSE(index.visit("", visit));
  EXPECT_TRUE(visited.empty());
}

TEST(HostIndex, VisitsPatternsByLengthWhereverTheirStarStands) {
  HostIndex<std::string> index;
  for (const std::string_view text : {"*.a.org", "*-x.a.org", "*g", "x-*", "x-x.*", "x-x.a*"}) {
    index[HostPattern::parse(text).value()] = text;
  }
  std::vector<std::string> visited;
  const auto visit = [&](const std::string& value) {
    visited.push_back(value);
    return false;
  };
  EXPECT_FALSE(index.visit("x-x.a.org", visit));
  EXPECT_EQ(visited,
            (std::vector<std::string>{"*-x.a.org", "*.a.org", "*g", "x-x.a*", "x-x.*", "x-*"}));
  visited.clear();
  EXPECT_FALSE(index.visit("-x.a.org", visit));
  EXPECT_EQ(visited, (std::vector<std::string>{"*.a.org", "*g"}));
}

TEST(HostIndex, AgreesWithThePatternsThemselves) {
  const std::vector<std::string> patterns = {"a",     "a.b",   "*.b", "a.*", "*.a.b",
                                             "a.b.*", "b.a.b", "*b",  "a*",  "*a.b"};
  for (const std::string& text : patterns) {
    const HostPattern pattern = HostPattern::parse(text).value();
    HostIndex<int> index;
    index[pattern] = 1;
    for (const std::string_view host :
         {"a", "b", "a.b", "b.a.b", "a.b.a", "a.b.b.a", "ab", "aa.b", "a.bb"}) {
      EXPECT_EQ(index.visit(host, [](int) { return true; }), pattern.matches(host))
          << text << " " << host;
    }
  }
}

}  // namespace
}  // namespace gatehouse::gateway
