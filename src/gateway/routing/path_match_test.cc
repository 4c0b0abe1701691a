#include "gateway/routing/path_match.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

TEST(HasPrefix, BySegments) {
  const auto matches = [](std::string_view path, std::string_view prefix) {
    return has_prefix(path, prefix, PrefixMode::kSegment, true);
  };
  EXPECT_TRUE(matches("/a", "/a") && matches("/a/", "/a") && matches("/a/b", "/a"));
  EXPECT_FALSE(matches("/ab", "/a"));
  EXPECT_FALSE(matches("/", "/a"));
  EXPECT_TRUE(matches("/a/", "/a/") && matches("/a/b", "/a/"));
  EXPECT_FALSE(matches("/a", "/a/"));
  EXPECT_TRUE(matches("/", "/") && matches("/a", "/"));
  EXPECT_FALSE(matches("/A", "/a"));
}

TEST(HasPrefix, AsAStringExactlyAndInAnyCase) {
  EXPECT_TRUE(has_prefix("/ab", "/a", PrefixMode::kString, true));
  EXPECT_FALSE(has_prefix("/b", "/a", PrefixMode::kString, true));
  EXPECT_TRUE(has_prefix("/a", "/a", PrefixMode::kExact, true));
  EXPECT_FALSE(has_prefix("/a/", "/a", PrefixMode::kExact, true));
  EXPECT_FALSE(has_prefix("/a/b", "/a/", PrefixMode::kExact, true));
  EXPECT_TRUE(has_prefix("/A/x", "/a", PrefixMode::kSegment, false));
  EXPECT_FALSE(has_prefix("/AB", "/a", PrefixMode::kSegment, false));
}

TEST(PathParameters, AreLeftOut) {
  EXPECT_EQ(without_parameters("/a;x/b;y=1;z"), "/a/b");
  EXPECT_EQ(without_parameters("/a%3bx/b%3By/"), "/a/b/");
  EXPECT_EQ(without_parameters("/;x/a"), "/a");
  EXPECT_EQ(without_parameters("/"), "/");
  EXPECT_TRUE(has_parameters("/a%3B") && has_parameters("/a;"));
  EXPECT_FALSE(has_parameters("/a%3a"));
}

TEST(Escapes, AreKnownInEitherCase) {
  EXPECT_TRUE(has_lower_escape("/a%3b"));
  EXPECT_TRUE(has_lower_escape("/%C3%a9"));
  EXPECT_FALSE(has_lower_escape("/%C3%A9%20abc"));
  EXPECT_EQ(upper_escapes("/a%c3%a9bc%20de"), "/a%C3%A9bc%20de");
}

}  // namespace
}  // namespace gatehouse::gateway
