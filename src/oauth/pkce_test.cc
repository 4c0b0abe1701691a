#include "oauth/pkce.h"

#include <gtest/gtest.h>

namespace gatehouse::oauth {
namespace {

// RFC 7636, appendix B.
constexpr std::string_view kVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
constexpr std::string_view kChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

TEST(PkceTest, ChallengeIsThatOfTheRfc) {
  EXPECT_EQ(code_challenge(kVerifier), kChallenge);
}

TEST(PkceTest, VerifierHas43To128UnreservedCharacters) {
  EXPECT_TRUE(is_code_verifier(kVerifier));
  EXPECT_TRUE(is_code_verifier(std::string(43, '~')));
  EXPECT_TRUE(is_code_verifier(std::string(128, '.')));
  EXPECT_FALSE(is_code_verifier(std::string(42, 'a')));
  EXPECT_FALSE(is_code_verifier(std::string(129, 'a')));
  for (const char c : {'+', '/', '=', ' ', '%', '\n', '\0', '\xc3'}) {
    EXPECT_FALSE(is_code_verifier(std::string(42, 'a') + c)) << static_cast<int>(c);
  }
  EXPECT_FALSE(is_code_verifier(""));
}

TEST(PkceTest, ChallengeIsADigestInBase64Url) {
  EXPECT_TRUE(is_code_challenge(kChallenge));
  EXPECT_FALSE(is_code_challenge(""));
  EXPECT_FALSE(is_code_challenge(std::string(42, 'A')));
  EXPECT_FALSE(is_code_challenge(std::string(44, 'A')));
  EXPECT_FALSE(is_code_challenge(std::string(42, 'A') + "="));
  EXPECT_FALSE(is_code_challenge(std::string(42, 'A') + "B")) << "bits left over";
}

TEST(PkceTest, PlainVerifierOfAnotherLengthIsNoChallenge) {
  EXPECT_FALSE(is_code_challenge(std::string(64, 'a')));
}

}  // namespace
}  // namespace gatehouse::oauth
