#include "jose/jwt.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "jose/forged_tokens.h"

namespace gatehouse::jose {
namespace {

const WallTime kNow = from_unix_seconds(1'800'000'000);
const std::string kPayload =
    R"({"iss":"https://op.example","aud":"client","sub":"ada","exp":1800000600,"iat":1800000000})";

Expected expected() {
  return {.issuer = "https://op.example", .audience = "client"};
}

/// One key an algorithm for all tests here: RSA keys take long to make.
const SigningKey& key_for(Algorithm algorithm) {
  static std::map<Algorithm, SigningKey> keys;
  const auto found = keys.find(algorithm);
  if (found != keys.end()) return found->second;
  return keys.emplace(algorithm, generate_key(algorithm).value()).first->second;
}

constexpr auto kAsymmetric = {Algorithm::kRs256, Algorithm::kPs256, Algorithm::kEs256,
                              Algorithm::kEs384, Algorithm::kEdDsa};

const SigningKey& signer() {
  return key_for(Algorithm::kEs256);
}
std::vector<VerificationKey> known_keys() {
  return {public_part(signer())};
}

/// nullopt if the token is accepted.
std::optional<JwtError> refusal(std::string_view token,
                                const std::vector<VerificationKey>& keys = known_keys()) {
  const auto claims = verify_jwt(token, keys, expected(), kNow);
  if (claims) return std::nullopt;
  return claims.error();
}

std::optional<JwtError> refusal_of_header(std::string_view header) {
  return refusal(forge(signer(), header, kPayload));
}

TEST(SignJwt, MakesTokensThatVerifyWithEachAlgorithm) {
  for (const Algorithm algorithm : kAsymmetric) {
    const SigningKey& key = key_for(algorithm);
    const auto token = sign_jwt(key, Json::parse(kPayload));
    ASSERT_TRUE(token);
    const std::vector<VerificationKey> keys = {public_part(key)};
    const auto claims = verify_jwt(*token, keys, expected(), kNow);
    ASSERT_TRUE(claims) << to_string(algorithm) << ": " << to_string(claims.error());
    EXPECT_EQ((*claims)["sub"], "ada");
  }
}

TEST(SignJwt, NamesAlgorithmTypeAndKeyInTheHeader) {
  const std::string token = sign_jwt(signer(), Json::object(), "at+jwt").value();
  const Json header = Json::parse(base64url_decode(token.substr(0, token.find('.'))).value());
  EXPECT_EQ(header, (Json{{"alg", "ES256"}, {"typ", "at+jwt"}, {"kid", signer().kid}}));
}

TEST(SignJwt, RefusesClaimsThatAreNoObjectOrTooLong) {
  EXPECT_FALSE(sign_jwt(signer(), Json::array()));
  EXPECT_FALSE(sign_jwt(signer(), {{"long", std::string(kTokenLimit, 'x')}}));
}

TEST(JwtAttack, AlgorithmNoneIsRefusedInAnySpelling) {
  for (const char* const none : {"none", "None", "NONE", "nOnE"}) {
    const std::string header = dump_json({{"alg", none}, {"kid", signer().kid}});
    EXPECT_EQ(refusal(assemble(header, kPayload, "")), JwtError::kAlgorithm);
    EXPECT_EQ(refusal(forge(signer(), header, kPayload)), JwtError::kAlgorithm);
  }
}

TEST(JwtAttack, AMissingOrWronglyTypedAlgorithmIsRefused) {
  for (const char* const header : {R"({})", R"({"alg":null})", R"({"alg":1})",
                                   R"({"alg":["ES256"]})", R"({"alg":{"ES256":1}})"}) {
    EXPECT_EQ(refusal_of_header(header), JwtError::kMalformed) << header;
  }
}

TEST(JwtAttack, AnAlgorithmThatIsNotItsKeysIsRefused) {
  for (const Algorithm signs : kAsymmetric) {
    for (const Algorithm claimed : kAsymmetric) {
      if (signs == claimed) continue;
      const SigningKey& key = key_for(signs);
      const std::vector<VerificationKey> keys = {public_part(key)};
      const Json named = {{"alg", to_string(claimed)}, {"kid", key.kid}};
      EXPECT_EQ(refusal(forge(key, dump_json(named), kPayload), keys), JwtError::kAlgorithm);
      const Json unnamed = {{"alg", to_string(claimed)}};
      EXPECT_EQ(refusal(forge(key, dump_json(unnamed), kPayload), keys), JwtError::kUnknownKey);
    }
  }
}

TEST(JwtAttack, AKeyThatIsMislabelledVerifiesNothing) {
  VerificationKey key = public_part(key_for(Algorithm::kRs256));
  key.algorithm = Algorithm::kEs256;
  const std::string header = dump_json({{"alg", "ES256"}, {"kid", key.kid}});
  EXPECT_EQ(refusal(forge(key_for(Algorithm::kRs256), header, kPayload), {key}),
            JwtError::kSignature);
}

TEST(JwtAttack, HS256UnderAPublicKeyIsRefused) {
  const VerificationKey key = public_part(key_for(Algorithm::kRs256));
  const auto [n, e] = key.key.numbers();
  const std::string header = dump_json({{"alg", "HS256"}, {"kid", key.kid}});
  for (const std::string& secret :
       {n, n + e, dump_json(to_jwk(key)), base64url_encode(n), std::string()}) {
    crypto::HmacSha256 hmac{Secret(secret)};
    const std::string input = base64url_encode(header) + '.' + base64url_encode(kPayload);
    const auto tag = hmac.sign(input);
    const std::string_view bytes(reinterpret_cast<const char*>(tag.data()), tag.size());
    EXPECT_EQ(refusal(input + '.' + base64url_encode(bytes), {key}), JwtError::kAlgorithm);
  }
}

TEST(JwtAttack, AnUnknownKidIsRefusedThoughTheSignatureFits) {
  const std::string header = R"({"alg":"ES256","kid":"another"})";
  EXPECT_EQ(refusal_of_header(header), JwtError::kUnknownKey);
  EXPECT_EQ(refusal_of_header(R"({"alg":"ES256","kid":""})"), JwtError::kUnknownKey);
  EXPECT_EQ(refusal(forge(signer(), header_of(signer()), kPayload), {}), JwtError::kUnknownKey);
}

TEST(JwtAttack, AKidIsNeverReadAsAnythingButAName) {
  for (const char* const kid : {"../../dev/null", "' OR 1=1 --", "a\\u0000b", "%2e%2e"}) {
    EXPECT_EQ(refusal_of_header(std::string(R"({"alg":"ES256","kid":")") + kid + "\"}"),
              JwtError::kUnknownKey);
  }
  EXPECT_EQ(refusal_of_header(R"({"alg":"ES256","kid":1})"), JwtError::kMalformed);
  EXPECT_EQ(refusal_of_header(R"({"alg":"ES256","kid":null})"), JwtError::kMalformed);
}

TEST(JwtAttack, AKidOfAnotherKeyDoesNotPassForThatKey) {
  const SigningKey other = generate_key(Algorithm::kEs256).value();
  const std::vector<VerificationKey> keys = {public_part(signer()), public_part(other)};
  EXPECT_EQ(refusal(forge(signer(), header_of(other), kPayload), keys), JwtError::kSignature);
  EXPECT_EQ(refusal(forge(signer(), header_of(signer()), kPayload), keys), std::nullopt);
  EXPECT_EQ(refusal(forge(other, header_of(other), kPayload), keys), std::nullopt);
}

TEST(JwtAttack, KeysOfOneKidAreKeptApartByAlgorithm) {
  VerificationKey rsa = public_part(key_for(Algorithm::kRs256));
  VerificationKey ec = public_part(signer());
  rsa.kid = ec.kid = "same";
  const std::string header = R"({"alg":"ES256","kid":"same"})";
  EXPECT_EQ(refusal(forge(signer(), header, kPayload), {rsa, ec}), std::nullopt);
  EXPECT_EQ(refusal(forge(key_for(Algorithm::kRs256), header, kPayload), {rsa, ec}),
            JwtError::kSignature);
}

TEST(JwtAttack, ATokenWithoutKidIsTriedOnEightKeysAtMost) {
  std::vector<VerificationKey> keys;
  for (int i = 0; i < 8; ++i) keys.push_back(public_part(generate_key(Algorithm::kEs256).value()));
  const std::string token = forge(signer(), R"({"alg":"ES256"})", kPayload);
  keys[7] = public_part(signer());
  EXPECT_EQ(refusal(token, keys), std::nullopt);
  keys.insert(keys.begin(), keys[0]);
  EXPECT_EQ(refusal(token, keys), JwtError::kSignature);
}

TEST(JwtAttack, KeysAndAddressesInTheHeaderAreNeverUsed) {
  const SigningKey attacker = generate_key(Algorithm::kEs256).value();
  const Json jwk = to_jwk(public_part(attacker));
  for (const auto& [member, value] : {std::pair<const char*, Json>("jwk", jwk),
                                      {"jku", "https://attacker.example/jwks"},
                                      {"x5u", "https://attacker.example/cert"},
                                      {"x5c", Json::array({"MIIB"})},
                                      {"x5t", "AAAA"},
                                      {"jwk", "nonsense"}}) {
    Json header = {{"alg", "ES256"}, {"kid", signer().kid}, {member, value}};
    EXPECT_EQ(refusal(forge(attacker, dump_json(header), kPayload)), JwtError::kSignature)
        << member;
    EXPECT_EQ(refusal(forge(signer(), dump_json(header), kPayload)), std::nullopt) << member;
    header["kid"] = attacker.kid;
    EXPECT_EQ(refusal(forge(attacker, dump_json(header), kPayload)), JwtError::kUnknownKey);
  }
}

TEST(JwtAttack, CriticalHeadersAreRefused) {
  for (const char* const critical : {R"(["exp"])", R"(["b64"])", "[]", "null", R"("exp")",
                                     R"(["alg"])", R"(["http://example.com/UNDEFINED"])"}) {
    EXPECT_EQ(
        refusal_of_header(std::string(R"({"alg":"ES256","crit":)") + critical + R"(,"exp":1})"),
        JwtError::kCritical)
        << critical;
  }
}

TEST(JwtAttack, AnUnencodedPayloadIsRefusedCriticalOrNot) {
  EXPECT_EQ(refusal_of_header(R"({"alg":"ES256","b64":false,"crit":["b64"]})"),
            JwtError::kCritical);
  EXPECT_EQ(refusal_of_header(R"({"alg":"ES256","b64":false})"), JwtError::kCritical);
}

TEST(JwtAttack, DuplicateMembersAreRefused) {
  const std::string kid = "\"kid\":\"" + signer().kid + "\"";
  EXPECT_EQ(refusal_of_header(R"({"alg":"none","alg":"ES256",)" + kid + "}"), JwtError::kMalformed);
  EXPECT_EQ(refusal_of_header(R"({"alg":"ES256","\u0061lg":"none",)" + kid + "}"),
            JwtError::kMalformed);
  const std::string twice = kPayload.substr(0, kPayload.size() - 1) + R"(,"sub":"root"})";
  EXPECT_EQ(refusal(forge(signer(), header_of(signer()), twice)), JwtError::kMalformed);
}

TEST(JwtAttack, ATokenBeyondTheLimitIsRefused) {
  const std::string filler(kTokenLimit, 'x');
  const std::string payload =
      kPayload.substr(0, kPayload.size() - 1) + R"(,"x":")" + filler + "\"}";
  EXPECT_EQ(refusal(forge(signer(), header_of(signer()), payload)), JwtError::kMalformed);
  EXPECT_EQ(refusal(std::string(100'000'000, '.')), JwtError::kMalformed);
}

TEST(JwtAttack, DeepNestingIsRefused) {
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  EXPECT_EQ(refusal(forge(signer(), header_of(signer()), deep)), JwtError::kMalformed);
  EXPECT_EQ(refusal_of_header(R"({"alg":"ES256","x":)" + deep.substr(4900, 200) + "}"),
            JwtError::kMalformed);
}

TEST(JwtAttack, EachOfTheThreePartsMustBeCanonicalBase64url) {
  const std::string token = forge(signer(), header_of(signer()), kPayload);
  ASSERT_EQ(refusal(token), std::nullopt);
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  for (const std::size_t end : {first, second, token.size()}) {
    for (const char* const foreign : {"=", " ", "\n", "+", "/", "?", "A", "\xff"}) {
      std::string changed = token;
      changed.insert(end, foreign);
      EXPECT_NE(refusal(changed), std::nullopt) << end << " " << foreign;
    }
  }
  // The last character of a 64 byte signature holds four bits of nothing: "A" and "B" decode alike
  // for a lax decoder.
  std::string loose = token;
  loose.back() = static_cast<char>(loose.back() + 1);
  EXPECT_EQ(refusal(loose), JwtError::kMalformed);
}

TEST(JwtAttack, TwoOrFourPartsAreRefused) {
  const std::string token = forge(signer(), header_of(signer()), kPayload);
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("..."), token + ".",
        token + ".x", "." + token, token.substr(0, token.rfind('.')),
        token.substr(0, token.find('.')), " " + token, token + " ", "Bearer " + token}) {
    EXPECT_EQ(refusal(text), JwtError::kMalformed) << text;
  }
  EXPECT_EQ(refusal(token.substr(0, token.rfind('.') + 1)), JwtError::kSignature);
}

TEST(JwtAttack, TheJsonSerializationIsRefused) {
  const std::string token = forge(signer(), header_of(signer()), kPayload);
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  EXPECT_EQ(refusal(dump_json({{"protected", token.substr(0, first)},
                               {"payload", token.substr(first + 1, second - first - 1)},
                               {"signature", token.substr(second + 1)}})),
            JwtError::kMalformed);
}

TEST(JwtAttack, AChangedPayloadOrHeaderIsRefused) {
  const std::string token = forge(signer(), header_of(signer()), kPayload);
  const std::string signature = token.substr(token.rfind('.'));
  std::string other = kPayload;
  other.replace(other.find("ada"), 3, "bob");
  EXPECT_EQ(
      refusal(base64url_encode(header_of(signer())) + '.' + base64url_encode(other) + signature),
      JwtError::kSignature);
  EXPECT_EQ(refusal(base64url_encode(" " + header_of(signer())) + '.' + base64url_encode(kPayload) +
                    signature),
            JwtError::kSignature);
}

TEST(JwtAttack, APayloadThatIsNoObjectIsRefused) {
  for (const char* const payload : {"", "[]", "null", "\"x\"", "1", "{", "{}x", "\xff"}) {
    EXPECT_EQ(refusal(forge(signer(), header_of(signer()), payload)), JwtError::kMalformed)
        << payload;
  }
}

TEST(VerifyJwt, TakesTheExpectedTypeWithoutCaseOrPrefix) {
  Expected access = expected();
  access.type = "at+jwt";
  const std::vector<VerificationKey> keys = known_keys();
  for (const char* const type : {"at+jwt", "AT+JWT", "application/at+jwt"}) {
    const std::string token = sign_jwt(signer(), Json::parse(kPayload), type).value();
    EXPECT_TRUE(verify_jwt(token, keys, access, kNow)) << type;
  }
  for (const char* const type : {"JWT", "", "at+jwtx", "text/at+jwt", "logout+jwt"}) {
    const std::string token = sign_jwt(signer(), Json::parse(kPayload), type).value();
    EXPECT_EQ(verify_jwt(token, keys, access, kNow).error(), JwtError::kType) << type;
  }
  const std::string untyped = forge(signer(), R"({"alg":"ES256"})", kPayload);
  EXPECT_EQ(verify_jwt(untyped, keys, access, kNow).error(), JwtError::kType);
  EXPECT_TRUE(verify_jwt(untyped, keys, expected(), kNow));
  EXPECT_EQ(refusal_of_header(R"({"alg":"ES256","typ":1})"), JwtError::kMalformed);
}

TEST(VerifyJws, GivesAnyPayloadBack) {
  const std::string payload("\0\xffnot JSON", 10);
  const std::string token = forge(signer(), header_of(signer()), payload);
  EXPECT_EQ(verify_jws(token, known_keys()).value(), payload);
  EXPECT_EQ(verify_jws(forge(signer(), header_of(signer()), ""), known_keys()).value(), "");
}

TEST(JwtError, HasAMessageForEach) {
  for (int i = 0; i <= static_cast<int>(JwtError::kClaims); ++i) {
    EXPECT_NE(to_string(static_cast<JwtError>(i)), "unknown") << i;
  }
}

}  // namespace
}  // namespace gatehouse::jose
