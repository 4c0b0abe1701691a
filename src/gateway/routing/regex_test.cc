#include "gateway/routing/regex.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

constexpr std::size_t kLimit = 1000;

std::string replaced(std::string_view pattern, std::string_view text, std::string_view by) {
  return Regex::make(pattern).value().replace(text, by, kLimit).value_or("refused");
}

TEST(Regex, MatchesTheWholeTextAlone) {
  const Regex regex = Regex::make("/a|/abc").value();
  EXPECT_TRUE(regex.matches("/a"));
  EXPECT_TRUE(regex.matches("/abc"));
  EXPECT_FALSE(regex.matches("/ab"));
  EXPECT_FALSE(regex.matches("x/a"));
  EXPECT_FALSE(Regex::make("/A").value().matches("/a"));
  EXPECT_TRUE(Regex::make("/A", false).value().matches("/a"));
}

TEST(Regex, BytesThatAreNoUtf8AreMatchedAsBytes) {
  EXPECT_TRUE(Regex::make(".*").value().matches("\xff\xfe"));
}

TEST(Regex, WhatIsWrongOrTooLargeIsRefused) {
  for (const std::string& bad :
       {std::string("("), std::string("a**b("), std::string("(?=a)"), std::string("\\1"),
        std::string("((a{100}){100}){100}"), std::string(Regex::kPatternLimit + 1, 'a')}) {
    EXPECT_FALSE(Regex::make(bad)) << bad.substr(0, 20);
  }
}

TEST(Regex, ReplacesWhatMatches) {
  EXPECT_EQ(replaced("^/v1/(.*)$", "/v1/a/b", "/\\1"), "/a/b");
  EXPECT_EQ(replaced("b", "abcb", "x"), "axcx");
  EXPECT_EQ(replaced("^a", "aaa", "x"), "xaa");
  EXPECT_EQ(replaced("x*", "abc", "-"), "-a-b-c-");
  EXPECT_EQ(replaced("b*", "abb", "-"), "-a-");
  EXPECT_EQ(replaced("z", "abc", "-"), "abc");
  EXPECT_EQ(replaced("", "", "-"), "-");
}

TEST(Regex, ASubstitutionOfAGroupThatIsNotThereIsRefused) {
  const Regex regex = Regex::make("(a)").value();
  EXPECT_TRUE(regex.check_substitution("\\1\\0"));
  EXPECT_FALSE(regex.check_substitution("\\2"));
}

TEST(Regex, ReplacementsHaveALimitInNumberAndLength) {
  const Regex regex = Regex::make("a").value();
  const std::string most(Regex::kReplacementLimit, 'a');
  EXPECT_EQ(regex.replace(most, "b", kLimit), std::string(most.size(), 'b'));
  EXPECT_EQ(regex.replace(most + "a", "b", kLimit), std::nullopt);
  EXPECT_EQ(regex.replace("aa", std::string(kLimit / 2, 'b'), kLimit)->size(), kLimit);
  EXPECT_EQ(regex.replace("aa!", std::string(kLimit / 2, 'b'), kLimit), std::nullopt);
  EXPECT_EQ(regex.replace("aaa", std::string(kLimit / 2, 'b'), kLimit), std::nullopt);
}

}  // namespace
}  // namespace gatehouse::gateway
