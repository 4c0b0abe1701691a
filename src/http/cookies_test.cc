#include "http/cookies.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gatehouse::http {
namespace {

using Strings = std::vector<std::string>;

Headers with_cookies(const Strings& fields) {
  Headers headers;
  for (const std::string& field : fields) headers.add("Cookie", field);
  return headers;
}

Strings pairs(const Headers& headers) {
  Strings out;
  for_each_cookie(headers, [&](const Cookie& cookie) {
    out.push_back(std::string(cookie.name) + "|" + std::string(cookie.value));
    return true;
  });
  return out;
}

/// The Cookie fields that are left.
Strings left_after_removal(const Strings& fields, const Strings& names) {
  Headers headers = with_cookies(fields);
  remove_cookies(headers, names);
  Strings out;
  for (const Field field : headers) out.emplace_back(field.value);
  return out;
}

TEST(Cookies, AreReadInOrderFromAllFields) {
  EXPECT_EQ(pairs(with_cookies({"a=1; b=2", "c=\"3\";d=x=y"})),
            (Strings{"a|1", "b|2", "c|\"3\"", "d|x=y"}));
}

TEST(Cookies, IllFormedPairsArePassedOver) {
  EXPECT_EQ(pairs(with_cookies({"; ;=v; no_equals; a b=1; ok=; \"q=1; ;"})), Strings{"ok|"});
}

TEST(Cookies, OtherPeoplesBytesHideNoneBesideThem) {
  EXPECT_EQ(pairs(with_cookies({"n=M\xc3\xbcller; s=1; \xfc=2; t=\xa0; u=3"})),
            (Strings{"n|M\xc3\xbcller", "s|1", "t|\xa0", "u|3"}));
}

TEST(Cookies, ReadingStopsWhenTold) {
  int calls = 0;
  for_each_cookie(with_cookies({"a=1; b=2"}), [&](const Cookie&) { return ++calls > 9; });
  EXPECT_EQ(calls, 1);
}

TEST(Cookies, AllValuesOfANameAreSeen) {
  const Headers headers = with_cookies({"s=1; t=2; s=3", "S=4; s=5"});
  EXPECT_EQ(cookie_values(headers, "s"), (std::vector<std::string_view>{"1", "3", "5"}));
}

TEST(RemoveCookies, KeepsTheOthersInOrder) {
  EXPECT_EQ(left_after_removal({"a=1; s=x; b=2"}, {"s"}), Strings{"a=1; b=2"});
  EXPECT_EQ(left_after_removal({"a=1;b=\"2\"", "s=x"}, {"s"}), Strings{"a=1;b=\"2\""});
}

TEST(RemoveCookies, OtherPeoplesBytesStayAsTheyAre) {
  EXPECT_EQ(left_after_removal({"n=M\xfcller; s=x; \xc3\xbc=1"}, {"s"}),
            Strings{"n=M\xfcller; \xc3\xbc=1"});
}

TEST(RemoveCookies, AnEmptyFieldGoes) {
  EXPECT_EQ(left_after_removal({"s=x"}, {"s"}), Strings{});
  EXPECT_EQ(left_after_removal({"s=x; s=y;"}, {"s"}), Strings{});
}

TEST(RemoveCookies, AStarMatchesByPrefix) {
  EXPECT_EQ(
      left_after_removal({"gatehouse_session=1; gatehouse=2; gatehouse_x=3"}, {"gatehouse_*"}),
      Strings{"gatehouse=2"});
}

TEST(RemoveCookies, EveryCopyGoesHoweverItIsWritten) {
  EXPECT_EQ(left_after_removal({"s=1;s=2; s =3;\ts=4; s; a=1"}, {"s"}), Strings{"a=1"});
  EXPECT_EQ(left_after_removal({"q=\"a; s=secret; b\""}, {"s"}), Strings{"q=\"a; b\""});
}

TEST(RemoveCookies, OtherFieldsStay) {
  Headers headers;
  headers.add("X-Cookie", "s=1");
  headers.add("COOKIE", "s=1");
  remove_cookies(headers, {"s"});
  EXPECT_EQ(headers.size(), 1U);
  EXPECT_EQ(headers.get("x-cookie"), "s=1");
}

TEST(SetCookie, WritesItsAttributes) {
  SetCookie cookie{.name = "__Host-s", .value = "v.1"};
  EXPECT_EQ(cookie.str(), "__Host-s=v.1; Path=/; HttpOnly; SameSite=Lax");
  cookie.max_age = std::chrono::seconds(60);
  cookie.secure = true;
  cookie.http_only = false;
  cookie.domain = "example.org";
  cookie.same_site = SameSite::kNone;
  EXPECT_EQ(cookie.str(),
            "__Host-s=v.1; Path=/; Domain=example.org; Max-Age=60; Secure; SameSite=None");
}

TEST(SetCookieDeath, IllegalBytesNeverBecomeAField) {
  EXPECT_DEBUG_DEATH((SetCookie{.name = "a", .value = "x; Domain=evil"}.str()), "");
  EXPECT_DEBUG_DEATH((SetCookie{.name = "a\r\n", .value = "x"}.str()), "");
}

}  // namespace
}  // namespace gatehouse::http
