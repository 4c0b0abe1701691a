#include "identity/clients/client_authentication.h"

#include <gtest/gtest.h>

#include "oauth/credentials.h"

namespace gatehouse::identity {
namespace {

using oauth::OAuthError;

Client client(const char* id, const char* secret, bool is_public = false) {
  Client made;
  made.id = id;
  made.secret = Secret(secret);
  made.is_public = is_public;
  return made;
}

class ClientAuthenticationTest : public testing::Test {
 protected:
  std::expected<const Client*, TokenError> authenticate(const http::Parameters& form) {
    return authenticate_client(clients_, headers_, form);
  }
  void basic(const char* id, const char* secret) {
    headers_.add("Authorization", oauth::basic_credentials(id, secret));
  }

  const Clients clients_{{client("web", "s3cret"), client("unset", ""), client("cli", "", true)}};
  http::Headers headers_;
};

TEST_F(ClientAuthenticationTest, SecretInTheHeaderOrInTheBody) {
  EXPECT_EQ((*authenticate({{"client_id", "web"}, {"client_secret", "s3cret"}}))->id, "web");
  basic("web", "s3cret");
  EXPECT_EQ((*authenticate({}))->id, "web");
  EXPECT_EQ((*authenticate({{"client_id", "web"}}))->id, "web");
}

TEST_F(ClientAuthenticationTest, ConfidentialClientWithoutASecretIsNeverAuthentic) {
  EXPECT_EQ(authenticate({{"client_id", "unset"}}).error().error, OAuthError::kInvalidClient);
  basic("unset", "");
  EXPECT_EQ(authenticate({}).error().error, OAuthError::kInvalidClient);
}

TEST_F(ClientAuthenticationTest, UnknownClientAndWrongSecretAreToldAlike) {
  const auto unknown = authenticate({{"client_id", "ghost"}, {"client_secret", "x"}});
  const auto wrong = authenticate({{"client_id", "web"}, {"client_secret", "x"}});
  ASSERT_FALSE(unknown || wrong);
  EXPECT_EQ(unknown.error().description, wrong.error().description);
  EXPECT_EQ(unknown.error().error, wrong.error().error);
}

TEST_F(ClientAuthenticationTest, PublicClientNamesItself) {
  EXPECT_EQ((*authenticate({{"client_id", "cli"}}))->id, "cli");
  EXPECT_FALSE(authenticate({{"client_id", "cli"}, {"client_secret", "x"}}));
  EXPECT_FALSE(authenticate({}));
}

TEST_F(ClientAuthenticationTest, TwoMethodsAtOnceAreRefused) {
  basic("web", "s3cret");
  EXPECT_EQ(authenticate({{"client_secret", "s3cret"}}).error().error, OAuthError::kInvalidRequest);
  EXPECT_EQ(authenticate({{"client_id", "cli"}}).error().error, OAuthError::kInvalidRequest);
  basic("web", "s3cret");
  EXPECT_EQ(authenticate({}).error().error, OAuthError::kInvalidRequest);
}

}  // namespace
}  // namespace gatehouse::identity
