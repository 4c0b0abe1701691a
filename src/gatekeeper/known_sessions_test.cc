#include "gatekeeper/known_sessions.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace gatehouse::gatekeeper {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'000'000)};

SessionClaims claims_until(long long expires) {
  SessionClaims claims;
  claims.session = "s1";
  claims.user = "alice";
  claims.issued = 999'000;
  claims.expires = expires;
  return claims;
}

http::Allow allow_of(std::string user) {
  http::Allow allow;
  allow.user = std::move(user);
  return allow;
}

std::string token(int number) {
  return "head.payload." + std::string(30, 'x') + std::to_string(1'000'000 + number) + "AAAAAA";
}

TEST(KnownSessionsTest, FindsTheVeryTokenAlone) {
  KnownSessions known;
  EXPECT_EQ(known.find(token(1), kNow), nullptr);
  known.remember(token(1), claims_until(2'000'000), allow_of("alice"));
  const http::Allow* const found = known.find(token(1), kNow);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->user, "alice");
  std::string other = token(1);
  for (char& c : other) {
    c = static_cast<char>(c ^ 1);
    EXPECT_EQ(known.find(other, kNow), nullptr);
    c = static_cast<char>(c ^ 1);
  }
  EXPECT_EQ(known.find(token(1) + "=", kNow), nullptr);
  EXPECT_EQ(known.find(token(1).substr(1), kNow), nullptr);
  EXPECT_EQ(known.find("", kNow), nullptr);
}

TEST(KnownSessionsTest, ForgetsWhatHasExpiredOrComesFromTheFuture) {
  KnownSessions known;
  known.remember(token(1), claims_until(1'000'001), allow_of("alice"));
  EXPECT_NE(known.find(token(1), kNow), nullptr);
  EXPECT_EQ(known.find(token(1), kNow + std::chrono::seconds(1)), nullptr);
  EXPECT_EQ(known.find(token(1), kNow), nullptr);
  known.remember(token(2), claims_until(2'000'000), allow_of("alice"));
  EXPECT_EQ(known.find(token(2), kNow - std::chrono::seconds(2'000)), nullptr);
}

TEST(KnownSessionsTest, TheLongestUnusedGivesWay) {
  KnownSessions known;
  // All meet in one place: the same end.
  const auto same_end = [](int number) { return std::to_string(number) + ".p.signature-end"; };
  for (int i = 0; i < 4; ++i) {
    known.remember(same_end(i), claims_until(2'000'000), allow_of(std::to_string(i)));
  }
  EXPECT_NE(known.find(same_end(0), kNow), nullptr);
  known.remember(same_end(4), claims_until(2'000'000), allow_of("4"));
  EXPECT_NE(known.find(same_end(0), kNow), nullptr);
  EXPECT_EQ(known.find(same_end(1), kNow), nullptr);
  EXPECT_NE(known.find(same_end(4), kNow), nullptr);
}

TEST(KnownSessionsTest, ClearForgetsAll) {
  KnownSessions known;
  known.remember(token(1), claims_until(2'000'000), allow_of("alice"));
  known.clear();
  EXPECT_EQ(known.find(token(1), kNow), nullptr);
}

}  // namespace
}  // namespace gatehouse::gatekeeper
