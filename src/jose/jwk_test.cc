#include "jose/jwk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace gatehouse::jose {
namespace {

using ::testing::HasSubstr;

// RFC 7638 §3.1.
constexpr std::string_view kRsaModulus =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPeb"
    "WKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368Q"
    "QMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2"
    "NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
// RFC 7515 Appendix A.3.
constexpr std::string_view kEcX = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
constexpr std::string_view kEcY = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
// RFC 8037 Appendix A.2.
constexpr std::string_view kEdX = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

Json rsa_jwk() {
  return {{"kty", "RSA"}, {"n", kRsaModulus}, {"e", "AQAB"}};
}
Json ec_jwk() {
  return {{"kty", "EC"}, {"crv", "P-256"}, {"x", kEcX}, {"y", kEcY}};
}
Json ed_jwk() {
  return {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", kEdX}};
}

Json with(Json jwk, const char* member, Json value) {
  jwk[member] = std::move(value);
  return jwk;
}

std::string refusal(const Json& jwk) {
  const auto key = parse_jwk(jwk);
  return key ? "" : key.error().message;
}

TEST(Algorithm, KeepsItsName) {
  for (const char* const name : {"HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA"}) {
    ASSERT_TRUE(parse_algorithm(name)) << name;
    EXPECT_EQ(to_string(*parse_algorithm(name)), name);
  }
}

TEST(Algorithm, IsNotNoneInAnySpellingNorUnsupported) {
  for (const char* const name :
       {"none", "None", "NONE", "nOnE", "", "hs256", "rs256", "RS256 ", "HS384", "HS512", "RS384",
        "RS512", "PS384", "PS512", "ES512", "ES256K", "RS1", "A256KW", "dir"}) {
    EXPECT_FALSE(parse_algorithm(name)) << name;
  }
}

TEST(Thumbprint, IsThatOfTheRfcs) {
  EXPECT_EQ(thumbprint(parse_jwk(rsa_jwk())->key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  EXPECT_EQ(thumbprint(parse_jwk(ed_jwk())->key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(ParseJwk, ChoosesTheAlgorithmByTypeWhereNoneIsNamed) {
  EXPECT_EQ(parse_jwk(rsa_jwk())->algorithm, Algorithm::kRs256);
  EXPECT_EQ(parse_jwk(ec_jwk())->algorithm, Algorithm::kEs256);
  EXPECT_EQ(parse_jwk(ed_jwk())->algorithm, Algorithm::kEdDsa);
  EXPECT_EQ(parse_jwk(with(rsa_jwk(), "alg", "PS256"))->algorithm, Algorithm::kPs256);
}

TEST(ParseJwk, TakesWhatDoesNotConcernIt) {
  Json jwk = with(with(rsa_jwk(), "kid", "one"), "use", "sig");
  jwk["key_ops"] = {"verify"};
  jwk["x5c"] = {"not looked at"};
  jwk["x5u"] = "https://not.looked.at.example/";
  const auto key = parse_jwk(jwk);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->kid, "one");
}

TEST(ParseJwk, RefusesPrivateMembersWithoutShowingThem) {
  for (const char* const member : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
    const std::string message = refusal(with(rsa_jwk(), member, "c2VjcmV0"));
    EXPECT_THAT(message, HasSubstr("private or symmetric")) << member;
    EXPECT_EQ(message.find("c2VjcmV0"), std::string::npos);
  }
}

TEST(ParseJwk, RefusesASymmetricKey) {
  EXPECT_NE(refusal({{"kty", "oct"}, {"k", "AAAA"}}), "");
  EXPECT_THAT(refusal({{"kty", "oct"}}), HasSubstr("\"oct\" is not supported"));
}

TEST(ParseJwk, RefusesAnAlgorithmThatDoesNotFitTheType) {
  for (const auto& [jwk, algorithm] :
       {std::pair(rsa_jwk(), "ES256"), std::pair(rsa_jwk(), "HS256"), std::pair(ec_jwk(), "RS256"),
        std::pair(ec_jwk(), "ES384"), std::pair(ec_jwk(), "HS256"), std::pair(ed_jwk(), "ES256"),
        std::pair(ed_jwk(), "HS256")}) {
    EXPECT_THAT(refusal(with(jwk, "alg", algorithm)), HasSubstr("does not fit")) << algorithm;
  }
}

TEST(ParseJwk, RefusesUnsupportedAlgorithmsCurvesAndTypesByName) {
  EXPECT_THAT(refusal(with(rsa_jwk(), "alg", "none")), HasSubstr("\"none\" is not supported"));
  EXPECT_THAT(refusal(with(rsa_jwk(), "alg", "RS512")), HasSubstr("\"RS512\" is not supported"));
  EXPECT_THAT(refusal(with(ec_jwk(), "crv", "P-521")), HasSubstr("\"P-521\" is not supported"));
  EXPECT_THAT(refusal(with(ec_jwk(), "crv", "secp256k1")), HasSubstr("\"secp256k1\""));
  EXPECT_THAT(refusal(with(ed_jwk(), "crv", "X25519")), HasSubstr("\"X25519\""));
  EXPECT_THAT(refusal(with(ed_jwk(), "kty", "XYZ")), HasSubstr("\"XYZ\""));
}

TEST(ParseJwk, ShowsForeignNamesShortAndPrintable) {
  const std::string message = refusal(with(ed_jwk(), "kty", "a\nb" + std::string(500, 'x')));
  EXPECT_THAT(message, HasSubstr("\"a?bxxx"));
  EXPECT_LT(message.size(), 120u);
}

TEST(ParseJwk, RefusesAKeyForAnotherUse) {
  EXPECT_THAT(refusal(with(rsa_jwk(), "use", "enc")), HasSubstr("\"enc\""));
  EXPECT_NE(refusal(with(rsa_jwk(), "use", Json::array({"sig"}))), "");
  EXPECT_THAT(refusal(with(rsa_jwk(), "key_ops", Json::array({"encrypt"}))), HasSubstr("key_ops"));
  EXPECT_NE(refusal(with(rsa_jwk(), "key_ops", Json::array())), "");
  EXPECT_NE(refusal(with(rsa_jwk(), "key_ops", "verify")), "");
  EXPECT_NE(refusal(with(rsa_jwk(), "key_ops", Json::array({"verify", 1}))), "");
}

TEST(ParseJwk, RefusesMembersOfTheWrongType) {
  EXPECT_NE(refusal(Json::array()), "");
  EXPECT_NE(refusal("RSA"), "");
  EXPECT_NE(refusal(with(rsa_jwk(), "kty", 1)), "");
  EXPECT_NE(refusal(with(rsa_jwk(), "kid", 1)), "");
  EXPECT_NE(refusal(with(rsa_jwk(), "alg", nullptr)), "");
  EXPECT_NE(refusal(with(rsa_jwk(), "n", 1)), "");
  EXPECT_NE(refusal({{"kty", "RSA"}, {"e", "AQAB"}}), "");
  EXPECT_NE(refusal({{"kty", "EC"}, {"crv", "P-256"}, {"x", kEcX}}), "");
}

TEST(ParseJwk, RefusesNumbersThatAreNoCanonicalBase64url) {
  EXPECT_NE(refusal(with(rsa_jwk(), "e", "AQAB=")), "");
  EXPECT_NE(refusal(with(rsa_jwk(), "e", "AQ AB")), "");
  EXPECT_NE(refusal(with(ed_jwk(), "x", std::string(kEdX.substr(0, 42)) + "p")), "");
}

TEST(ParseJwk, RefusesAPointOffTheCurve) {
  EXPECT_THAT(refusal(with(ec_jwk(), "y", kEcX)), HasSubstr("not on its curve"));
}

TEST(ParseJwk, IsTheInverseOfToJwk) {
  for (const auto algorithm :
       {Algorithm::kPs256, Algorithm::kEs256, Algorithm::kEs384, Algorithm::kEdDsa}) {
    const SigningKey key = generate_key(algorithm).value();
    const Json jwk = to_jwk(public_part(key));
    EXPECT_EQ(jwk["use"], "sig");
    EXPECT_EQ(jwk["alg"], to_string(algorithm));
    const auto parsed = parse_jwk(jwk);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(to_jwk(*parsed), jwk);
    EXPECT_EQ(parsed->kid, thumbprint(parsed->key));
  }
}

TEST(GenerateKey, MakesNoKeyPairForHs256) {
  const auto key = generate_key(Algorithm::kHs256);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, ErrorCode::kInvalid);
}

TEST(ToJwk, ShowsNoPrivateMember) {
  const SigningKey key = generate_key(Algorithm::kRs256).value();
  const Json jwk = to_jwk(public_part(key));
  EXPECT_EQ(jwk.size(), 6u) << dump_json(jwk);
  for (const char* const member : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
    EXPECT_FALSE(jwk.contains(member));
  }
}

TEST(ParseJwks, PassesOverWhatCannotVerify) {
  const Json set = {{"keys",
                     {with(rsa_jwk(), "kid", "a"), with(rsa_jwk(), "use", "enc"),
                      Json{{"kty", "oct"}, {"k", "AAAA"}}, "text", nullptr,
                      with(ec_jwk(), "alg", "ES512"), with(ec_jwk(), "kid", "b")}}};
  const auto keys = parse_jwks(dump_json(set));
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ((*keys)[0].kid, "a");
  EXPECT_EQ((*keys)[1].kid, "b");
}

TEST(ParseJwks, ReadsNoMoreThanItsLimit) {
  Json set = {{"keys", Json::array()}};
  for (int i = 0; i < 150; ++i) set["keys"].push_back(ed_jwk());
  EXPECT_EQ(parse_jwks(dump_json(set))->size(), 100u);
  EXPECT_EQ(parse_jwks(dump_json(set), 3)->size(), 3u);
  EXPECT_EQ(parse_jwks(dump_json(set), 0)->size(), 0u);
}

TEST(ParseJwks, RefusesWhatIsNoSet) {
  for (const char* const text :
       {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[)", R"({"keys":[],"keys":[]})", "null"}) {
    EXPECT_FALSE(parse_jwks(text)) << text;
  }
  EXPECT_FALSE(parse_jwks("{\"keys\":[]" + std::string(600'000, ' ') + "}"));
}

TEST(ParseJwks, IsTheInverseOfToJwks) {
  const std::vector<VerificationKey> keys = {public_part(generate_key(Algorithm::kEs256).value()),
                                             public_part(generate_key(Algorithm::kEdDsa).value())};
  const auto parsed = parse_jwks(to_jwks(keys));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(to_jwks(*parsed), to_jwks(keys));
  EXPECT_EQ(to_jwks({}), R"({"keys":[]})");
}

}  // namespace
}  // namespace gatehouse::jose
