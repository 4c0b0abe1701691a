#include "oauth/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace gatehouse::oauth {
namespace {

using testing::HasSubstr;

constexpr std::string_view kIssuer = "https://id.example.com/dex";

Json document() {
  return {{"issuer", kIssuer},
          {"authorization_endpoint", "https://id.example.com/dex/auth"},
          {"token_endpoint", "https://id.example.com/dex/token"},
          {"userinfo_endpoint", "https://id.example.com/dex/userinfo"},
          {"jwks_uri", "https://id.example.com/dex/keys"},
          {"end_session_endpoint", "https://id.example.com/dex/logout"},
          {"response_types_supported", {"code"}}};
}

std::string message_of(const Json& json) {
  const auto metadata = parse_metadata(dump_json(json), kIssuer);
  if (metadata) return "accepted";
  EXPECT_EQ(metadata.error().code, ErrorCode::kInvalid);
  return metadata.error().message;
}

TEST(ProviderMetadataTest, ReadsTheEndpoints) {
  const auto metadata = parse_metadata(dump_json(document()), kIssuer);
  ASSERT_TRUE(metadata) << metadata.error().message;
  EXPECT_EQ(metadata->issuer, kIssuer);
  EXPECT_EQ(metadata->authorization_endpoint, "https://id.example.com/dex/auth");
  EXPECT_EQ(metadata->token_endpoint, "https://id.example.com/dex/token");
  EXPECT_EQ(metadata->userinfo_endpoint, "https://id.example.com/dex/userinfo");
  EXPECT_EQ(metadata->jwks_uri, "https://id.example.com/dex/keys");
  EXPECT_EQ(metadata->end_session_endpoint, "https://id.example.com/dex/logout");
}

TEST(ProviderMetadataTest, MixUpAttackAnotherIssuerIsRefused) {
  for (const std::string_view other :
       {"https://id.example.com/dex/", "https://ID.example.com/dex", "https://evil.example/dex",
        "http://id.example.com/dex", ""}) {
    Json json = document();
    json["issuer"] = other;
    EXPECT_THAT(message_of(json), HasSubstr("not exactly the configured issuer")) << other;
  }
}

TEST(ProviderMetadataTest, LogOfARefusedIssuerDoesNotHoldTheForeignText) {
  Json json = document();
  json["issuer"] = "https://evil.example/\r\nforged line";
  EXPECT_THAT(message_of(json), testing::Not(HasSubstr("forged")));
}

TEST(ProviderMetadataTest, NamesTheRequiredMemberThatIsMissing) {
  for (const std::string member :
       {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"}) {
    Json json = document();
    json.erase(member);
    EXPECT_THAT(message_of(json), HasSubstr("\"" + member + "\" is missing"));
  }
}

TEST(ProviderMetadataTest, OptionalEndpointsMayBeAbsent) {
  Json json = document();
  json.erase("userinfo_endpoint");
  json["end_session_endpoint"] = nullptr;
  const auto metadata = parse_metadata(dump_json(json), kIssuer);
  ASSERT_TRUE(metadata);
  EXPECT_EQ(metadata->userinfo_endpoint, "");
  EXPECT_EQ(metadata->end_session_endpoint, "");
}

TEST(ProviderMetadataTest, RefusesEndpointsThatAreNoHttpUrl) {
  for (const Json& value : {Json("javascript:alert(1)"), Json("/dex/token"), Json(7),
                            Json("https://user:secret@id.example.com/token"), Json::array()}) {
    Json json = document();
    json["token_endpoint"] = value;
    EXPECT_THAT(message_of(json), HasSubstr("\"token_endpoint\" is not a")) << value;
  }
}

TEST(ProviderMetadataTest, DowngradeFromHttpsIsRefused) {
  Json json = document();
  json["token_endpoint"] = "http://id.example.com/dex/token";
  EXPECT_THAT(message_of(json), HasSubstr("must be https"));
}

TEST(ProviderMetadataTest, PlainHttpIssuerMayHavePlainEndpoints) {
  constexpr std::string_view kLocal = "http://localhost:8080/dex";
  Json json = {{"issuer", kLocal},
               {"authorization_endpoint", "http://localhost:8080/dex/auth"},
               {"token_endpoint", "http://localhost:8080/dex/token"},
               {"jwks_uri", "http://localhost:8080/dex/keys"}};
  EXPECT_TRUE(parse_metadata(dump_json(json), kLocal));
}

TEST(ProviderMetadataTest, RefusesWhatIsNoObjectOrNamesAMemberTwice) {
  EXPECT_FALSE(parse_metadata("[]", kIssuer));
  EXPECT_FALSE(parse_metadata("", kIssuer));
  EXPECT_FALSE(parse_metadata("<html>", kIssuer));
  std::string twice = dump_json(document());
  twice.insert(1, R"("issuer":"https://evil.example",)");
  EXPECT_FALSE(parse_metadata(twice, kIssuer));
}

}  // namespace
}  // namespace gatehouse::oauth
