#include "gateway/routing/redirection.h"

#include <gtest/gtest.h>

#include "gateway/routing/fakes.h"

namespace gatehouse::gateway {
namespace {

std::string location(const config::Redirect& redirect, const http::Request& asked,
                     bool secure = false, std::string_view prefix = "/old",
                     PrefixMode mode = PrefixMode::kSegment) {
  return Redirection::make(redirect, prefix, mode).value().location(asked, secure).value_or("400");
}

bool can_be(const config::Redirect& redirect, PrefixMode mode = PrefixMode::kSegment) {
  return Redirection::make(redirect, "/old", mode).has_value();
}

TEST(Redirection, ToAnotherHost) {
  EXPECT_FALSE(is_redirect({}));
  EXPECT_FALSE(is_redirect({.https = true}));
  EXPECT_TRUE(is_redirect({.host = "b"}));
  EXPECT_EQ(location({.host = "B.org:81"}, request("/old/x?a=%2f&b", "a.org:80")),
            "http://b.org:81/old/x?a=%2f&b");
  EXPECT_EQ(location({.host = "b.org"}, request("/x?"), true), "https://b.org/x?");
  EXPECT_EQ(location({.host = "b.org", .https = true}, request("/x")), "https://b.org/x");
}

TEST(Redirection, ToAnotherPath) {
  EXPECT_EQ(location({.path = "/new"}, request("/old/x?q", "a.org:81")), "http://a.org:81/new?q");
  EXPECT_EQ(location({.path = "/new?x=1"}, request("/old/x?q")), "http://h/new?x=1");
  EXPECT_EQ(location({.prefix = "/new"}, request("/old/x?q")), "http://h/new/x?q");
  EXPECT_EQ(location({.prefix = "/new"}, request("/oldest"), false, "/old", PrefixMode::kString),
            "http://h/newest");
  EXPECT_EQ(location({.regex = "^/o(.*)$", .substitution = "/n\\1"}, request("/old/x?o")),
            "http://h/nld/x?o");
  EXPECT_EQ(location({.path = "/new"}, request("/old", "")), "/new");
}

TEST(Redirection, ToHttpsLeavesThePortOfHttpOut) {
  const config::Redirect to_https{.path = "/new", .https = true};
  EXPECT_EQ(location(to_https, request("/old", "a.org:80")), "https://a.org/new");
  EXPECT_EQ(location(to_https, request("/old", "a.org:8080")), "https://a.org:8080/new");
  EXPECT_EQ(location(to_https, request("/old", "[::1]:80")), "https://[::1]/new");
  EXPECT_EQ(location(to_https, request("/old", "a.org:80"), true), "https://a.org:80/new");
  EXPECT_EQ(location(to_https, request("/old", "")), "400");
}

TEST(RedirectionAttack, ALocationIsNeverAnotherHostNorBroken) {
  EXPECT_EQ(location({.regex = "^/old", .substitution = "/"}, request("/old/evil.org", "")), "400");
  EXPECT_EQ(location({.regex = "^/old/", .substitution = "//"}, request("/old/evil.org", "")),
            "400");
  EXPECT_EQ(location({.regex = "^/old/", .substitution = "@"}, request("/old/evil.org")), "400");
  EXPECT_EQ(location({.regex = "x", .substitution = "\r\nSet-Cookie: a=b"}, request("/x")), "400");
  EXPECT_EQ(location({.prefix = "/"}, request("/old../x"), false, "/old", PrefixMode::kString),
            "400");
}

TEST(Redirection, WhatCannotBeIsRefused) {
  EXPECT_FALSE(can_be({.host = "a b"}));
  EXPECT_FALSE(can_be({.host = "https://a"}));
  EXPECT_FALSE(can_be({.host = "a\r\nb"}));
  EXPECT_FALSE(can_be({.path = "new"}));
  EXPECT_FALSE(can_be({.path = "//new"}));
  EXPECT_FALSE(can_be({.path = "/a\nb"}));
  EXPECT_FALSE(can_be({.path = "http://a/b"}));
  EXPECT_FALSE(can_be({.prefix = "/a/../b"}));
  EXPECT_FALSE(can_be({.prefix = "/a"}, PrefixMode::kRegex));
  EXPECT_FALSE(can_be({.regex = "("}));
  EXPECT_FALSE(can_be({.path = "/a", .prefix = "/b"}));
  EXPECT_FALSE(can_be({.path = "/a", .status = 200}));
  for (const int status : {301, 302, 303, 307, 308}) {
    EXPECT_TRUE(can_be({.path = "/a", .status = status}));
  }
}

}  // namespace
}  // namespace gatehouse::gateway
