#include "gatekeeper/authorization_request.h"

#include <gtest/gtest.h>

#include "gatekeeper/authorization_answer.h"
#include "gatekeeper/test_world.h"
#include "oauth/pkce.h"

namespace gatehouse::gatekeeper {
namespace {

FreshLogin login() {
  FreshLogin out;
  out.state = "STATE";
  out.login.nonce = "NONCE";
  out.login.code_verifier = std::string(43, 'v');
  return out;
}

std::string tail() {
  return "&state=STATE&nonce=NONCE&code_challenge=" + oauth::code_challenge(std::string(43, 'v')) +
         "&code_challenge_method=S256";
}

class AuthorizationRequestTest : public testing::Test {
 protected:
  std::string url(std::string_view endpoint) {
    const RequestOrigin origin(settings, public_url, {});
    return AuthorizationRequest(settings, origin)
        .url(make_request("GET", "/", {}), endpoint, login());
  }
  bool needs_metadata() {
    const RequestOrigin origin(settings, public_url, {});
    return AuthorizationRequest(settings, origin).needs_metadata();
  }
  config::Gatekeeper settings;
  std::string public_url;
};

TEST_F(AuthorizationRequestTest, AProviderUnderDexIsNamedByItsPath) {
  settings.issuer = "http://10.64.140.43.nip.io/dex";
  EXPECT_FALSE(needs_metadata());
  EXPECT_EQ(url(""),
            "/dex/auth?client_id=authservice-oidc&redirect_uri=%2Fauthservice%2Foidc%2Fcallback"
            "&response_type=code&scope=openid+profile+email+groups" +
                tail());
}

TEST_F(AuthorizationRequestTest, AnotherProviderIsNamedByItsMetadataWithAnAbsoluteRedirectUri) {
  settings.issuer = "https://accounts.example.com";
  EXPECT_TRUE(needs_metadata());
  const std::string rest =
      "client_id=authservice-oidc&redirect_uri="
      "http%3A%2F%2Flocalhost%3A8080%2Fauthservice%2Foidc%2Fcallback"
      "&response_type=code&scope=openid+profile+email+groups" +
      tail();
  EXPECT_EQ(url("https://accounts.example.com/o/auth"),
            "https://accounts.example.com/o/auth?" + rest);
  EXPECT_EQ(url("https://accounts.example.com/o?p=1"),
            "https://accounts.example.com/o?p=1&" + rest);
}

TEST_F(AuthorizationRequestTest, ThePublicUrlIsTheRedirectUris) {
  settings.issuer = "https://accounts.example.com";
  public_url = "https://kubeflow.example.org";
  EXPECT_TRUE(url("https://a.example/auth")
                  .contains("&redirect_uri=https%3A%2F%2Fkubeflow.example.org%2Fauthservice"));
}

TEST_F(AuthorizationRequestTest, AnAbsoluteRedirectUriStaysAsItIs) {
  settings.issuer = "https://accounts.example.com";
  settings.redirect_uri = "https://other.example/cb";
  EXPECT_TRUE(
      url("https://a.example/auth").contains("redirect_uri=https%3A%2F%2Fother.example%2Fcb&"));
}

TEST_F(AuthorizationRequestTest, AnAuthPathOfOnesOwnIsMeant) {
  settings.issuer = "https://sso.example.com/realms/x";
  settings.auth_path = "/sso/auth";
  EXPECT_FALSE(needs_metadata());
  settings.auth_path = "";
  EXPECT_TRUE(needs_metadata());
}

TEST(AuthorizationAnswerTest, IsACodeOrAnError) {
  const auto code = parse_answer("code=c&state=s&iss=http%3A%2F%2Fa&session_state=x");
  ASSERT_TRUE(code);
  EXPECT_EQ(code->code, "c");
  EXPECT_EQ(code->state, "s");
  EXPECT_EQ(code->issuer, "http://a");
  EXPECT_EQ(parse_answer("error=access_denied&state=s")->error, "access_denied");
  EXPECT_FALSE(parse_answer("code=c&error=e&state=s"));
  EXPECT_FALSE(parse_answer("state=s"));
}

TEST(AuthorizationAnswerTest, EachParameterStandsOnce) {
  for (const char* query : {"code=a&code=a", "code=a&state=s&state=s", "code=a&iss=x&iss=x",
                            "error=x&error=x", "code=a&%63ode=b"}) {
    EXPECT_FALSE(parse_answer(query)) << query;
  }
}

TEST(AuthorizationAnswerTest, HasALimit) {
  EXPECT_FALSE(parse_answer("state=s&code=" + std::string(kCodeLimit + 1, 'a')));
  EXPECT_FALSE(parse_answer("code=c&state=" + std::string(kStateLimit + 1, 'a')));
  EXPECT_FALSE(parse_answer("code=%0"));
}

}  // namespace
}  // namespace gatehouse::gatekeeper
