#include "net/server_names.h"

#include <gtest/gtest.h>

namespace gatehouse::net {
namespace {

TEST(ServerNamesTest, TheMostParticularWins) {
  ServerNames names;
  std::size_t index = 0;
  for (const char* name : {"*", "*.example.org", "*.b.example.org", "a.example.org"}) {
    ASSERT_TRUE(names.add(name, index++));
  }
  EXPECT_EQ(names.find("a.example.org"), 3U);
  EXPECT_EQ(names.find("x.b.example.org"), 2U);
  EXPECT_EQ(names.find("x.y.b.example.org"), 2U);
  EXPECT_EQ(names.find("b.example.org"), 1U);
  EXPECT_EQ(names.find("x.a.example.org"), 1U);
  EXPECT_EQ(names.find("example.org"), 0U) << "a pattern is not for the name itself";
  EXPECT_EQ(names.find(".example.org"), 0U);
  EXPECT_EQ(names.find("xexample.org"), 0U);
  EXPECT_EQ(names.find(""), 0U);
}

TEST(ServerNamesTest, WithoutOneForAllOthersThereMayBeNone) {
  ServerNames names;
  ASSERT_TRUE(names.add("Example.ORG", 0));
  EXPECT_EQ(names.find("example.org"), 0U);
  EXPECT_EQ(names.find("example.org."), std::nullopt);
  EXPECT_EQ(names.find(""), std::nullopt);
}

TEST(ServerNamesTest, ANameForTwoIsRefused) {
  ServerNames names;
  ASSERT_TRUE(names.add("example.org", 0));
  EXPECT_TRUE(names.add("EXAMPLE.org", 0));
  EXPECT_EQ(names.add("example.org", 1).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(names.add("", 0));
  EXPECT_EQ(names.add("*", 1).error().code, ErrorCode::kConflict);
}

TEST(ServerNamesTest, WhatIsNoHostNameIsRefused) {
  ServerNames names;
  for (const char* bad : {"a b", "*example.org", "a.*.org", "*.", "*.*.org", ".org", "a..b", "a.",
                          "a/b", "ex\xc3\xa4mple.org", "a:443"}) {
    EXPECT_FALSE(names.add(bad, 0)) << bad;
  }
}

}  // namespace
}  // namespace gatehouse::net
