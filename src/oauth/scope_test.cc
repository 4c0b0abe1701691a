#include "oauth/scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gatehouse::oauth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(ScopeTest, KeepsTheOrderAndEachOnce) {
  EXPECT_THAT(parse_scope("openid email openid profile email"),
              Optional(ElementsAre("openid", "email", "profile")));
}

TEST(ScopeTest, PassesOverSpacesTooMany) {
  EXPECT_THAT(parse_scope("  openid   email "), Optional(ElementsAre("openid", "email")));
  EXPECT_THAT(parse_scope(""), Optional(IsEmpty()));
  EXPECT_THAT(parse_scope("   "), Optional(IsEmpty()));
}

TEST(ScopeTest, RefusesIllegalCharacters) {
  for (const std::string_view text :
       {"open\tid", "a\"b", "a\\b", "a\nb", "sch\xc3\xb6n", "a\x7f"}) {
    EXPECT_EQ(parse_scope(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_scope(std::string_view("a\0b", 3)), std::nullopt);
}

TEST(ScopeTest, TakesTheEdgesOfTheLegalRange) {
  EXPECT_THAT(parse_scope("!#[]~ https://example.com/a:b"),
              Optional(ElementsAre("!#[]~", "https://example.com/a:b")));
}

TEST(ScopeTest, RefusesMoreThanTheLimit) {
  std::string text;
  for (std::size_t i = 0; i < kScopeLimit; ++i) text += "s" + std::to_string(i) + " ";
  EXPECT_EQ(parse_scope(text)->size(), kScopeLimit);
  EXPECT_EQ(parse_scope(text + "one-more"), std::nullopt);
  EXPECT_TRUE(parse_scope(text + "s0")) << "a repeated one is no further one";
}

TEST(ScopeTest, JoinsWhatItParsed) {
  EXPECT_EQ(join_scope({"openid", "groups"}), "openid groups");
  EXPECT_EQ(join_scope({}), "");
}

TEST(ScopeTest, HasScopeComparesWholeNames) {
  EXPECT_TRUE(has_scope({"openid", "email"}, "email"));
  EXPECT_FALSE(has_scope({"openid", "email"}, "mail"));
  EXPECT_FALSE(has_scope({"openid"}, "OpenID"));
}

}  // namespace
}  // namespace gatehouse::oauth
