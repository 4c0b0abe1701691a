#include "oauth/error.h"

#include <gtest/gtest.h>

namespace gatehouse::oauth {
namespace {

TEST(OAuthErrorTest, EachCodeReadsBackAsItself) {
  for (int i = 0; i <= static_cast<int>(OAuthError::kRequestUriNotSupported); ++i) {
    const auto error = static_cast<OAuthError>(i);
    EXPECT_EQ(parse_error(to_string(error)), error) << to_string(error);
  }
}

TEST(OAuthErrorTest, CodesAreThoseOfTheSpecifications) {
  EXPECT_EQ(to_string(OAuthError::kInvalidGrant), "invalid_grant");
  EXPECT_EQ(to_string(OAuthError::kUnsupportedResponseType), "unsupported_response_type");
  EXPECT_EQ(to_string(OAuthError::kRequestUriNotSupported), "request_uri_not_supported");
}

TEST(OAuthErrorTest, UnknownCodeIsNone) {
  EXPECT_EQ(parse_error(""), std::nullopt);
  EXPECT_EQ(parse_error("Invalid_Request"), std::nullopt);
  EXPECT_EQ(parse_error("<script>alert(1)</script>"), std::nullopt);
}

}  // namespace
}  // namespace gatehouse::oauth
