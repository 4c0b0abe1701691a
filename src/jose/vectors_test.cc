// The cases of Project Wycheproof and the examples of RFC 7520, 7797 and 8037, in tests/vectors/.
//
// The rule for each: what is invalid is refused. What is valid is accepted if its algorithm is
// supported, and otherwise refused by name, as kAlgorithm: that covers every JWE, and HS256, whose
// tokens no verifier of public keys takes (verify_hs256() takes this program's own, and only with
// the header that it makes). No case of these files has the result "acceptable".
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "jose/jwt.h"

namespace gatehouse::jose {
namespace {

namespace fs = std::filesystem;

fs::path vectors() {
  return fs::path(GATEHOUSE_SOURCE_DIR) / "tests" / "vectors";
}

Json read(const fs::path& file) {
  std::ifstream stream(file);
  return Json::parse(stream);
}

Json without_private_members(Json jwk) {
  for (const char* const member : {"d", "p", "q", "dp", "dq", "qi"}) jwk.erase(member);
  return jwk;
}

/// The public keys of a group that this program takes. Some groups give private keys only.
std::vector<VerificationKey> keys_of(const Json& group) {
  const Json& given = group.contains("public") ? group["public"] : group["private"];
  const Json jwks = given.contains("keys") ? given["keys"] : Json::array({given});
  Json set = {{"keys", Json::array()}};
  for (const Json& jwk : jwks) set["keys"].push_back(without_private_members(jwk));
  return parse_jwks(dump_json(set)).value();
}

/// The compact form, or the JSON text of a case in the JSON serialization.
std::string token_of(const Json& test) {
  const Json& token = test.contains("jws") ? test["jws"] : test["jwe"];
  return token.is_string() ? token.get<std::string>() : dump_json(token);
}

bool is_supported(const std::string& token) {
  const auto text = base64url_decode(token.substr(0, token.find('.')));
  if (!text) return false;
  const Json header = Json::parse(*text, nullptr, false);
  const auto algorithm = parse_algorithm(json_string(header, "alg").value_or(""));
  return algorithm && *algorithm != Algorithm::kHs256;
}

// Cases of HS256 that are called valid though a "?" stands within their base64url. It must be
// refused (RFC 7515 §2), and no MAC over the text as it stands is theirs.
const std::set<int> kForeignCharacters = {372, 373};

const Result<std::string, JwtError> kUnsupported = std::unexpected(JwtError::kAlgorithm);
const Result<std::string, JwtError> kMalformed = std::unexpected(JwtError::kMalformed);

struct Tally {
  int accepted = 0;
  int refused_by_name = 0;
  int refused_as_invalid = 0;
};

Tally run(const std::string& file) {
  Tally tally;
  const Json suite = read(vectors() / "wycheproof" / file);
  for (const Json& group : suite["testGroups"]) {
    const std::vector<VerificationKey> keys = keys_of(group);
    for (const Json& test : group["tests"]) {
      const std::string token = token_of(test);
      const auto payload = verify_jws(token, keys);
      const std::string about = file + " " + dump_json(test["tcId"]) + " " +
                                test["comment"].get<std::string>() +
                                (payload ? "" : ": " + std::string(to_string(payload.error())));
      if (test["result"] == "invalid") {
        EXPECT_FALSE(payload) << about;
        ++tally.refused_as_invalid;
      } else if (is_supported(token)) {
        EXPECT_TRUE(payload) << about;
        ++tally.accepted;
      } else {
        const bool is_malformed =
            kForeignCharacters.contains(test["tcId"]) && payload == kMalformed;
        EXPECT_TRUE(payload == kUnsupported || is_malformed) << about;
        ++tally.refused_by_name;
      }
    }
  }
  return tally;
}

TEST(Wycheproof, SignaturesAreJudgedAsTheVectorsSay) {
  const Tally tally = run("json_web_signature_test.json");
  EXPECT_EQ(tally.accepted, 16);
  EXPECT_EQ(tally.refused_by_name, 30);
  EXPECT_EQ(tally.refused_as_invalid, 355);
}

TEST(Wycheproof, KeysAreJudgedAsTheVectorsSay) {
  const Tally tally = run("json_web_key_test.json");
  EXPECT_EQ(tally.accepted, 1);
  EXPECT_EQ(tally.refused_by_name, 4);
  EXPECT_EQ(tally.refused_as_invalid, 21);
}

TEST(Wycheproof, MixedCasesAreJudgedAsTheVectorsSay) {
  const Tally tally = run("json_web_crypto_test.json");
  EXPECT_EQ(tally.accepted, 2);
  EXPECT_EQ(tally.refused_by_name, 4);
  EXPECT_EQ(tally.refused_as_invalid, 77);
}

TEST(Wycheproof, EncryptionIsRefusedByName) {
  const Tally tally = run("json_web_encryption_test.json");
  EXPECT_EQ(tally.accepted, 0);
  EXPECT_EQ(tally.refused_by_name, 65);
  EXPECT_EQ(tally.refused_as_invalid, 74);
}

/// Whether the last part is the HMAC of all before it, under the octets of the JWK.
bool has_mac(const std::string& token, const Json& jwk) {
  const std::size_t dot = token.rfind('.');
  const auto tag = base64url_decode(token.substr(dot + 1));
  crypto::HmacSha256 key{Secret(base64url_decode(jwk["k"].get<std::string>()).value())};
  return tag && key.verify(token.substr(0, dot), *tag);
}

TEST(Wycheproof, TheMacsOfHs256AreTheOnesThatAreMadeHere) {
  int checked = 0;
  for (const Json& group :
       read(vectors() / "wycheproof" / "json_web_signature_test.json")["testGroups"]) {
    const Json& key = group["private"];
    if (key.value("alg", "") != "HS256") continue;
    for (const Json& test : group["tests"]) {
      if (test["result"] != "valid") continue;
      const int id = test["tcId"];
      EXPECT_EQ(has_mac(token_of(test), key), !kForeignCharacters.contains(id)) << id;
      ++checked;
    }
  }
  EXPECT_EQ(checked, 10);
}

/// What is expected of the example's compact form: its payload, or a refusal.
struct Example {
  const char* file;
  std::optional<JwtError> refusal;
};

/// The judgement of an example of a signature; nullopt: accepted, and its payload is right.
std::optional<JwtError> judge(const Json& example) {
  const Json jwk = without_private_members(example["input"]["key"]);
  const auto keys = parse_jwks(dump_json(Json{{"keys", {jwk}}})).value();
  const auto payload = verify_jws(example["output"]["compact"].get<std::string>(), keys);
  if (!payload) return payload.error();
  EXPECT_EQ(*payload, example["input"]["payload"].get<std::string>());
  return std::nullopt;
}

std::string shown(std::optional<JwtError> refusal) {
  return refusal ? std::string(to_string(*refusal)) : "accepted";
}

/// The example's RSA key with the algorithm that it is used with, since RS256 is what a key without
/// one means.
Json with_algorithm(Json example) {
  example["input"]["key"]["alg"] = example["input"]["alg"];
  return example;
}

TEST(Cookbook, SignaturesAreAcceptedOrRefusedByName) {
  const Example examples[] = {
      {"jws/4_1.rsa_v15_signature.json", std::nullopt},
      {"jws/4_2.rsa-pss_signature.json", JwtError::kAlgorithm},  // PS384
      {"jws/4_3.ecdsa_signature.json", JwtError::kAlgorithm},    // ES512
      {"jws/4_4.hmac-sha2_integrity_protection.json", JwtError::kAlgorithm},
      {"jws/4_5.signature_with_detached_content.json", JwtError::kAlgorithm},
      {"curve25519/jws.json", std::nullopt},
      {"rfc7797/hmac-sha2_b64_false.json", JwtError::kAlgorithm},
  };
  for (const Example& example : examples) {
    const auto refusal = judge(read(vectors() / "jose-cookbook" / example.file));
    EXPECT_EQ(refusal, example.refusal) << example.file << ": " << shown(refusal);
  }
}

TEST(Cookbook, TheNestedSignatureIsAcceptedAndItsEncryptionRefusedByName) {
  const Json nested =
      read(vectors() / "jose-cookbook" / "6.nesting_signatures_and_encryption.json");
  EXPECT_EQ(judge(with_algorithm(nested["sign"])), std::nullopt);
  const auto encrypted = verify_jws(nested["encrypt"]["output"]["compact"].get<std::string>(), {});
  EXPECT_EQ(encrypted.error(), JwtError::kAlgorithm);
}

TEST(Cookbook, TheJsonSerializationIsMalformed) {
  int tried = 0;
  for (const auto& entry : fs::recursive_directory_iterator(vectors() / "jose-cookbook")) {
    if (entry.path().extension() != ".json") continue;
    const Json example = read(entry.path());
    if (!example.contains("output")) continue;
    for (const char* const form : {"json", "json_flat"}) {
      if (!example["output"].contains(form)) continue;
      const auto refused = verify_jws(dump_json(example["output"][form]), {});
      EXPECT_EQ(refused.error(), JwtError::kMalformed) << entry.path();
      ++tried;
    }
  }
  EXPECT_EQ(tried, 48);
}

TEST(Cookbook, EncryptionIsRefusedByName) {
  int tried = 0;
  for (const char* const folder : {"jwe", "curve25519"}) {
    for (const auto& entry : fs::directory_iterator(vectors() / "jose-cookbook" / folder)) {
      const Json example = read(entry.path());
      if (entry.path().filename() == "jws.json" || !example["output"].contains("compact")) continue;
      const auto refused = verify_jws(example["output"]["compact"].get<std::string>(), {});
      EXPECT_EQ(refused.error(), JwtError::kAlgorithm) << entry.path();
      ++tried;
    }
  }
  EXPECT_EQ(tried, 10);
}

TEST(Cookbook, OfTheKeysOnlyThePublicOneOfASupportedCurveIsTaken) {
  const std::pair<const char*, const char*> keys[] = {
      {"3_1.ec_public_key.json", "\"P-521\" is not supported"},
      {"3_2.ec_private_key.json", "private or symmetric"},
      {"3_3.rsa_public_key.json", ""},
      {"3_4.rsa_private_key.json", "private or symmetric"},
      {"3_5.symmetric_key_mac_computation.json", "private or symmetric"},
      {"3_6.symmetric_key_encryption.json", "private or symmetric"},
  };
  for (const auto& [file, refusal] : keys) {
    const auto key = parse_jwk(read(vectors() / "jose-cookbook" / "jwk" / file));
    EXPECT_THAT(key ? "" : key.error().message, ::testing::HasSubstr(refusal)) << file;
    EXPECT_EQ(key.has_value(), std::string_view(refusal).empty()) << file;
  }
}

}  // namespace
}  // namespace gatehouse::jose
