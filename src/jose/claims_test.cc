#include "jose/claims.h"

#include <gtest/gtest.h>

#include <optional>

namespace gatehouse::jose {
namespace {

constexpr long long kSecond = 1'800'000'000;

Json valid_claims() {
  return {{"iss", "https://op.example"}, {"aud", "client"}, {"exp", kSecond + 600}};
}

Json with(const char* name, Json value) {
  Json claims = valid_claims();
  claims[name] = std::move(value);
  return claims;
}

Json without(const char* name) {
  Json claims = valid_claims();
  claims.erase(name);
  return claims;
}

Expected expected() {
  return {.issuer = "https://op.example",
          .audience = "client",
          .type = "",
          .leeway = std::chrono::seconds(60)};
}

std::optional<JwtError> refusal(const Json& claims, const Expected& by = expected()) {
  const auto verdict = judge_claims(claims, by, from_unix_seconds(kSecond));
  if (verdict) return std::nullopt;
  return verdict.error();
}

TEST(Claims, AreValidWithIssuerAudienceAndExpiry) {
  EXPECT_EQ(refusal(valid_claims()), std::nullopt);
}

TEST(Claims, ExpireAfterTheLeeway) {
  EXPECT_EQ(refusal(with("exp", kSecond - 59)), std::nullopt);
  EXPECT_EQ(refusal(with("exp", kSecond - 60)), JwtError::kExpired);
  EXPECT_EQ(refusal(with("exp", kSecond - 59.5)), std::nullopt);
  EXPECT_EQ(refusal(with("exp", kSecond - 60.5)), JwtError::kExpired);
  EXPECT_EQ(refusal(with("exp", 0)), JwtError::kExpired);
  EXPECT_EQ(refusal(with("exp", -1)), JwtError::kExpired);
  EXPECT_EQ(refusal(with("exp", -1e300)), JwtError::kClaims);
}

TEST(Claims, WithoutExpiryAreRefused) {
  EXPECT_EQ(refusal(without("exp")), JwtError::kExpired);
}

TEST(Claims, WithAnExpiryBeyondAllTimeAreRefused) {
  EXPECT_EQ(refusal(with("exp", 1e300)), JwtError::kClaims);
  EXPECT_EQ(refusal(with("exp", 9007199254740994.0)), JwtError::kClaims);
  EXPECT_EQ(refusal(with("exp", 18446744073709551615u)), JwtError::kClaims);
  EXPECT_EQ(refusal(with("exp", std::numeric_limits<double>::infinity())), JwtError::kClaims);
  EXPECT_EQ(refusal(with("exp", std::numeric_limits<double>::quiet_NaN())), JwtError::kClaims);
  EXPECT_EQ(refusal(with("exp", 9007199254740992.0)), std::nullopt);
}

TEST(Claims, WithADateThatIsNoNumberAreRefused) {
  for (const char* const name : {"exp", "nbf", "iat"}) {
    for (const Json& value : {Json("1800000600"), Json(nullptr), Json(true), Json::array({1}),
                              Json::object(), Json("")}) {
      EXPECT_EQ(refusal(with(name, value)), JwtError::kClaims) << name << dump_json(value);
    }
  }
}

TEST(Claims, AreNotValidBeforeTheirTime) {
  for (const char* const name : {"nbf", "iat"}) {
    EXPECT_EQ(refusal(with(name, kSecond + 60)), std::nullopt) << name;
    EXPECT_EQ(refusal(with(name, kSecond + 60.5)), JwtError::kNotYetValid) << name;
    EXPECT_EQ(refusal(with(name, kSecond + 61)), JwtError::kNotYetValid) << name;
    EXPECT_EQ(refusal(with(name, 1e300)), JwtError::kClaims) << name;
    EXPECT_EQ(refusal(with(name, 0)), std::nullopt) << name;
  }
}

TEST(Claims, OfAnotherIssuerAreRefused) {
  for (const char* const issuer : {"https://op.example/", "https://OP.example", "",
                                   "https://op.example.attacker.example", "https://op.exampl"}) {
    EXPECT_EQ(refusal(with("iss", issuer)), JwtError::kIssuer) << issuer;
  }
  EXPECT_EQ(refusal(without("iss")), JwtError::kIssuer);
  EXPECT_EQ(refusal(with("iss", 1)), JwtError::kClaims);
  EXPECT_EQ(refusal(with("iss", Json::array({"https://op.example"}))), JwtError::kClaims);
}

TEST(Claims, ForAnotherAudienceAreRefused) {
  EXPECT_EQ(refusal(with("aud", "another")), JwtError::kAudience);
  EXPECT_EQ(refusal(with("aud", "")), JwtError::kAudience);
  EXPECT_EQ(refusal(with("aud", "client ")), JwtError::kAudience);
  EXPECT_EQ(refusal(with("aud", "clients")), JwtError::kAudience);
  EXPECT_EQ(refusal(without("aud")), JwtError::kAudience);
}

TEST(Claims, TakeAnArrayOfAudiences) {
  EXPECT_EQ(refusal(with("aud", Json::array({"client"}))), std::nullopt);
  EXPECT_EQ(refusal(with("aud", Json::array({"another", "client"}))), std::nullopt);
  EXPECT_EQ(refusal(with("aud", Json::array())), JwtError::kAudience);
  EXPECT_EQ(refusal(with("aud", Json::array({"another"}))), JwtError::kAudience);
  EXPECT_EQ(refusal(with("aud", Json::array({"client", 1}))), JwtError::kClaims);
  EXPECT_EQ(refusal(with("aud", Json::array({Json::array({"client"})}))), JwtError::kClaims);
  EXPECT_EQ(refusal(with("aud", Json{{"client", true}})), JwtError::kClaims);
  EXPECT_EQ(refusal(with("aud", nullptr)), JwtError::kClaims);
}

TEST(Claims, AreNeverAcceptedByAnEmptyExpectation) {
  Expected any_issuer = expected();
  any_issuer.issuer = "";
  EXPECT_EQ(refusal(with("iss", ""), any_issuer), JwtError::kIssuer);
  EXPECT_EQ(refusal(valid_claims(), any_issuer), JwtError::kIssuer);
  Expected any_audience = expected();
  any_audience.audience = "";
  EXPECT_EQ(refusal(with("aud", ""), any_audience), JwtError::kAudience);
  EXPECT_EQ(refusal(with("aud", Json::array({""})), any_audience), JwtError::kAudience);
}

TEST(Claims, WithASubjectOrIdThatIsNoStringAreRefused) {
  for (const char* const name : {"sub", "jti"}) {
    EXPECT_EQ(refusal(with(name, "x")), std::nullopt);
    EXPECT_EQ(refusal(with(name, 1)), JwtError::kClaims);
    EXPECT_EQ(refusal(with(name, nullptr)), JwtError::kClaims);
    EXPECT_EQ(refusal(with(name, Json::array({"x"}))), JwtError::kClaims);
  }
}

}  // namespace
}  // namespace gatehouse::jose
