#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "jose/forged_tokens.h"
#include "jose/jwt.h"

namespace gatehouse::jose {
namespace {

Secret secret(char byte) {
  return Secret(std::string(32, byte));
}

std::vector<Hs256Key> two_keys() {
  std::vector<Hs256Key> keys;
  keys.emplace_back("new", secret('n'));
  keys.emplace_back("old", secret('o'));
  return keys;
}

/// nullopt if the token is accepted.
std::optional<JwtError> refusal(std::string_view token) {
  std::vector<Hs256Key> keys = two_keys();
  const auto payload = verify_hs256(token, keys);
  if (payload) return std::nullopt;
  return payload.error();
}

std::string forge_hs256(std::string_view header, std::string_view payload, char key) {
  crypto::HmacSha256 hmac(secret(key));
  const std::string input = base64url_encode(header) + '.' + base64url_encode(payload);
  const auto tag = hmac.sign(input);
  return input + '.' + base64url_encode({reinterpret_cast<const char*>(tag.data()), tag.size()});
}

constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT","kid":"new"})";

TEST(Hs256, GivesThePayloadBackByteForByte) {
  std::vector<Hs256Key> keys = two_keys();
  for (const std::string payload : {R"({"sub":"ada"})", "{ \"b\" : 1 , \"a\" : 2 }", "", "{}"}) {
    EXPECT_EQ(verify_hs256(keys[0].sign(payload), keys).value(), payload);
    EXPECT_EQ(verify_hs256(keys[1].sign(payload), keys).value(), payload);
  }
}

TEST(Hs256, MakesAnOrdinaryJwt) {
  Hs256Key key("new", secret('n'));
  EXPECT_EQ(key.sign(R"({"sub":"ada"})"), forge_hs256(kHeader, R"({"sub":"ada"})", 'n'));
}

TEST(Hs256, TakesAKidThatNeedsEscapingInJson) {
  std::vector<Hs256Key> keys;
  keys.emplace_back("a\"b\\c", secret('k'));
  const std::string token = keys[0].sign("{}");
  EXPECT_EQ(verify_hs256(token, keys).value(), "{}");
  const Json header = Json::parse(base64url_decode(token.substr(0, token.find('.'))).value());
  EXPECT_EQ(header["kid"], "a\"b\\c");
}

TEST(Hs256, StaysValidWhileTheNextKeySigns) {
  std::vector<Hs256Key> before;
  before.emplace_back("old", secret('o'));
  const std::string token = before[0].sign("{}");
  EXPECT_EQ(refusal(token), std::nullopt);
  std::vector<Hs256Key> after;
  after.emplace_back("new", secret('n'));
  EXPECT_EQ(verify_hs256(token, after).error(), JwtError::kUnknownKey);
  EXPECT_EQ(verify_hs256(token, {}).error(), JwtError::kUnknownKey);
}

TEST(Hs256, RefusesAChangeOfAnyCharacter) {
  std::vector<Hs256Key> keys = two_keys();
  const std::string token = keys[0].sign(R"({"sub":"ada","exp":1})");
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify_hs256(changed, keys)) << i;
  }
  EXPECT_TRUE(verify_hs256(token, keys));
}

TEST(Hs256, RefusesATokenCutOrLengthenedAnywhere) {
  std::vector<Hs256Key> keys = two_keys();
  const std::string token = keys[0].sign(R"({"sub":"ada"})");
  for (std::size_t size = 0; size < token.size(); ++size) {
    EXPECT_FALSE(verify_hs256(token.substr(0, size), keys)) << size;
  }
  for (const char* const tail : {".", "=", "A", " ", "\n", ".x"}) {
    EXPECT_FALSE(verify_hs256(token + tail, keys)) << tail;
    EXPECT_FALSE(verify_hs256(tail + token, keys)) << tail;
  }
}

TEST(Hs256Attack, AKeyUnderAnothersKidIsRefused) {
  EXPECT_EQ(refusal(forge_hs256(kHeader, "{}", 'n')), std::nullopt);
  EXPECT_EQ(refusal(forge_hs256(kHeader, "{}", 'o')), JwtError::kSignature);
}

TEST(Hs256Attack, AnyOtherHeaderIsRefusedThoughTheKeyIsRight) {
  for (const char* const header :
       {R"({"alg":"none","typ":"JWT","kid":"new"})", R"({"alg":"HS512","typ":"JWT","kid":"new"})",
        R"({"typ":"JWT","alg":"HS256","kid":"new"})", R"({"alg":"HS256","kid":"new"})",
        R"( {"alg":"HS256","typ":"JWT","kid":"new"})", R"({"alg":"HS256","typ":"JWT"})",
        R"({"alg":"HS256","typ":"JWT","kid":"new","crit":["b64"],"b64":false})", "", "{}"}) {
    EXPECT_EQ(refusal(forge_hs256(header, "{}", 'n')), JwtError::kUnknownKey) << header;
  }
}

TEST(Hs256Attack, AnUnsignedTokenIsRefused) {
  EXPECT_EQ(refusal(assemble(kHeader, "{}", "")), JwtError::kSignature);
  EXPECT_EQ(refusal(assemble(R"({"alg":"none"})", "{}", "")), JwtError::kUnknownKey);
  EXPECT_EQ(refusal(base64url_encode(kHeader) + "."), JwtError::kUnknownKey);
  EXPECT_EQ(refusal(""), JwtError::kMalformed);
  EXPECT_EQ(refusal("."), JwtError::kUnknownKey);
}

TEST(Hs256Attack, APayloadThatIsNoCanonicalBase64urlIsRefusedThoughSigned) {
  crypto::HmacSha256 hmac(secret('n'));
  for (const char* const payload : {"e30=", "e3", "e31", "e30.e30", "e 30", "A"}) {
    const std::string input = base64url_encode(kHeader) + '.' + payload;
    const auto tag = hmac.sign(input);
    const std::string token =
        input + '.' + base64url_encode({reinterpret_cast<const char*>(tag.data()), tag.size()});
    if (std::string_view(payload) == "e3") {
      EXPECT_EQ(refusal(token), JwtError::kMalformed) << "loose bits";
    } else {
      EXPECT_NE(refusal(token), std::nullopt) << payload;
    }
  }
}

TEST(Hs256Attack, ATokenBeyondTheLimitIsRefusedUnread) {
  Hs256Key key("new", secret('n'));
  const std::size_t fits = (kTokenLimit - key.sign("").size()) * 3 / 4;
  EXPECT_EQ(refusal(key.sign(std::string(fits, 'x'))), std::nullopt);
  EXPECT_EQ(refusal(key.sign(std::string(fits + 3, 'x'))), JwtError::kMalformed);
}

TEST(Hs256DeathTest, TakesNoShortKey) {
  EXPECT_DEATH(Hs256Key("short", Secret(std::string(31, 'k'))), "at least 32 bytes");
}

}  // namespace
}  // namespace gatehouse::jose
