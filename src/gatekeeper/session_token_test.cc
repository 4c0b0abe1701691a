#include "gatekeeper/session_token.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/encoding.h"

namespace gatehouse::gatekeeper {
namespace {

constexpr long long kNow = 1'800'000'000;
const WallTime kNowTime = from_unix_seconds(kNow);

SessionClaims ada() {
  return {.session = "0123456789abcdefghijkl",
          .user = "ada@example.org",
          .email = "ada@example.org",
          .name = "Ada \"Countess\" Lovelace \xc3\xa9\\",
          .groups = "team-a,team-b",
          .issued = kNow,
          .expires = kNow + 86'400};
}

class SessionToken : public testing::Test {
 protected:
  Result<SessionClaims, SessionError> read(std::string_view token, WallTime now = kNowTime) {
    return tokens.read(token, keys, now);
  }
  SessionError error_of(std::string_view token, WallTime now = kNowTime) {
    const auto claims = read(token, now);
    EXPECT_FALSE(claims);
    return claims ? SessionError::kAmbiguous : claims.error();
  }
  static jose::Hs256Key key(std::string kid, char fill) {
    return jose::Hs256Key(std::move(kid), Secret(std::string(32, fill)));
  }
  static std::vector<jose::Hs256Key> two_keys() {
    std::vector<jose::Hs256Key> out;
    out.push_back(key("one", 'a'));
    out.push_back(key("two", 'b'));
    return out;
  }

  SessionTokens tokens{"authservice-oidc"};
  std::vector<jose::Hs256Key> keys = two_keys();
};

TEST_F(SessionToken, SaysAgainWhatWasPutIn) {
  for (jose::Hs256Key& signer : keys) {
    const auto claims = read(tokens.make(ada(), signer));
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->session, ada().session);
    EXPECT_EQ(claims->user, ada().user);
    EXPECT_EQ(claims->email, ada().email);
    EXPECT_EQ(claims->name, ada().name);
    EXPECT_EQ(claims->groups, ada().groups);
    EXPECT_EQ(claims->issued, ada().issued);
    EXPECT_EQ(claims->expires, ada().expires);
  }
}

TEST_F(SessionToken, OfAnOrdinaryUserIsBelowOneKilobyte) {
  EXPECT_LT(tokens.make(ada(), keys[0]).size(), 700U);
}

TEST_F(SessionToken, NoGroupsStayNoGroups) {
  SessionClaims claims = ada();
  claims.groups.clear();
  EXPECT_EQ(read(tokens.make(claims, keys[0]))->groups, "");
}

TEST_F(SessionToken, EndsWithItsExpiry) {
  const std::string token = tokens.make(ada(), keys[0]);
  EXPECT_TRUE(read(token, kNowTime + std::chrono::seconds(86'399)));
  EXPECT_EQ(error_of(token, kNowTime + std::chrono::seconds(86'400)), SessionError::kExpired);
}

TEST_F(SessionToken, FromTheFutureIsRefused) {
  const std::string token = tokens.make(ada(), keys[0]);
  EXPECT_TRUE(read(token, kNowTime - kClockTolerance));
  EXPECT_EQ(error_of(token, kNowTime - kClockTolerance - std::chrono::seconds(1)),
            SessionError::kNotYetValid);
}

TEST_F(SessionToken, OfAnotherKeyIsRefused) {
  jose::Hs256Key foreign = key("one", 'x');  // the same kid
  jose::Hs256Key unknown = key("three", 'a');
  EXPECT_EQ(error_of(tokens.make(ada(), foreign)), SessionError::kSignature);
  EXPECT_EQ(error_of(tokens.make(ada(), unknown)), SessionError::kSignature);
}

TEST_F(SessionToken, WithoutAlgorithmIsRefused) {  // alg: none
  const std::string token = tokens.make(ada(), keys[0]);
  const std::string payload = token.substr(token.find('.'));
  const std::string unsigned_payload = payload.substr(0, payload.rfind('.') + 1);
  for (const char* header : {R"({"alg":"none"})", R"({"alg":"none","kid":"one"})",
                             R"({"alg":"HS256","typ":"JWT"})", R"({"alg":"RS256","kid":"one"})"}) {
    const std::string head = base64url_encode(header);
    EXPECT_EQ(error_of(head + unsigned_payload), SessionError::kForm);
    EXPECT_EQ(error_of(head + unsigned_payload + "AA"), SessionError::kSignature);
    EXPECT_EQ(error_of(head + payload), SessionError::kSignature);
  }
}

TEST_F(SessionToken, EachChangedCharacterIsRefused) {
  const std::string token = tokens.make(ada(), keys[0]);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(read(changed)) << i;
  }
}

TEST_F(SessionToken, CutShortIsRefused) {
  const std::string token = tokens.make(ada(), keys[0]);
  for (std::size_t length = 0; length < token.size(); ++length) {
    EXPECT_FALSE(read(std::string_view(token).substr(0, length))) << length;
  }
}

TEST_F(SessionToken, OfWrongFormOrSizeIsRefusedBeforeAnyCryptography) {  // CVE-2024-24814
  const std::string token = tokens.make(ada(), keys[0]);
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"), std::string("a..b"),
        std::string("a.b.c.d"), token + ".", "." + token, token + "=", " " + token,
        "\"" + token + "\"", token + "\n", std::string(kSessionTokenLimit + 1, 'a'),
        "a." + std::string(kSessionTokenLimit, 'b') + ".c"}) {
    EXPECT_EQ(error_of(bad), SessionError::kForm) << bad.substr(0, 40);
  }
}

TEST_F(SessionToken, OfAnotherInstallationIsRefused) {
  EXPECT_EQ(error_of(SessionTokens("other").make(ada(), keys[0])), SessionError::kClaims);
}

TEST_F(SessionToken, SignedByUsButOfAnotherShapeIsRefused) {
  const std::string head = R"({"iss":"gatehouse","aud":"authservice-oidc",)";
  const std::string good =
      head + R"("sid":"s","sub":"u","email":"","name":"","groups":["a"],"iat":1800000000,)";
  ASSERT_TRUE(read(keys[0].sign(good + R"("exp":1900000000})")));
  for (const std::string& payload :
       {std::string("{}"), good + "\"exp\":1e300}", good + "\"exp\":1900000000,\"x\":1}",
        good + "\"exp\":1900000000}}", good + "\"exp\":\"1900000000\"}", good + "\"exp\":}",
        good + "\"exp\":99999999999999999999}", good,
        head + R"("sid":"","sub":"u","email":"","name":"","groups":[],"iat":1,"exp":1900000000})",
        head + R"("sid":"s","sub":"","email":"","name":"","groups":[],"iat":1,"exp":1900000000})",
        head + R"("sid":"s","sub":"u","email":"","name":"","groups":"a","iat":1,"exp":1900000000})",
        head + R"("sid":"s","sub":"u\","email":"","name":"","groups":[],"iat":1,"exp":1900000000})",
        head + R"("sid":"s","sub":"u)"}) {
    EXPECT_EQ(error_of(keys[0].sign(payload)), SessionError::kClaims) << payload;
  }
}

}  // namespace
}  // namespace gatehouse::gatekeeper
