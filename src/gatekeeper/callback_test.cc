// Answers of the provider that are wrong, or somebody else's: none of them signs anybody in.
#include "gatekeeper/callback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gatekeeper/test_world.h"

namespace gatehouse::gatekeeper {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kPage = "/pipeline/?ns=a%20b";
constexpr const char* kSession = "gatehouse_session";

class CallbackTest : public testing::Test {
 protected:
  void SetUp() override { world.start(); }

  /// The login ends on a page of that status, and no session was given.
  void expect_refused(int status, std::string_view failure = "provider's answer refused") {
    const http::Response response = browser.log_in(kPage);
    EXPECT_EQ(response.status, status) << response.body.bytes;
    EXPECT_TRUE(set_cookies(response, kSession).empty());
    EXPECT_EQ(browser.failure, failure);
    EXPECT_EQ(browser.user_at(kPage), "");
  }
  void expect_refused_claims(std::function<void(Json&)> change) {
    world.provider.change_claims = std::move(change);
    expect_refused(502);
  }
  std::string log_in_callback() {
    return world.provider.log_in(header(browser.open(kPage), "Location"));
  }

  World world;
  Browser browser{world};
};

TEST_F(CallbackTest, AWrongNonceIsRefused) {
  expect_refused_claims([](Json& claims) { claims["nonce"] = "another"; });
  expect_refused_claims([](Json& claims) { claims.erase("nonce"); });
  expect_refused_claims([](Json& claims) { claims["nonce"] = 1; });
}

TEST_F(CallbackTest, AnIdTokenForAnotherClientIsRefused) {  // GHSA-wcvh-g65p-v576
  expect_refused_claims([](Json& claims) { claims["aud"] = "other"; });
  expect_refused_claims([](Json& claims) { claims.erase("aud"); });
  expect_refused_claims([](Json& claims) { claims["aud"] = Json::array(); });
  expect_refused_claims([](Json& claims) { claims["aud"] = {"authservice-oidc", "other"}; });
  expect_refused_claims([](Json& claims) {
    claims["aud"] = {"authservice-oidc", "other"};
    claims["azp"] = "other";
  });
  expect_refused_claims([](Json& claims) { claims["azp"] = "other"; });
}

TEST_F(CallbackTest, AnIdTokenOfAnotherIssuerIsRefused) {
  expect_refused_claims([](Json& claims) { claims["iss"] = "http://evil.example/dex"; });
  expect_refused_claims([](Json& claims) { claims.erase("iss"); });
  expect_refused_claims(
      [](Json& claims) { claims["iss"] = std::string(TestProvider::kIssuer) + "/"; });
}

TEST_F(CallbackTest, AnExpiredIdTokenIsRefused) {
  expect_refused_claims([](Json& claims) { claims["exp"] = 1'700'000'000; });
  expect_refused_claims([](Json& claims) { claims.erase("exp"); });
  expect_refused_claims([](Json& claims) { claims["exp"] = "never"; });
}

TEST_F(CallbackTest, AnIdTokenWithoutASubjectIsRefused) {
  expect_refused_claims([](Json& claims) { claims.erase("sub"); });
}

TEST_F(CallbackTest, AnUnsignedIdTokenIsRefused) {  // alg: none; GHSA-fv82-r8qv-ch4v
  const std::string head = base64url_encode(R"({"alg":"none"})");
  const std::string claims = base64url_encode(
      R"({"iss":"http://localhost:8080/dex","aud":"authservice-oidc","sub":"1","exp":1900000000})");
  for (const std::string& token : {head + "." + claims + ".", head + "." + claims + ".AA"}) {
    world.provider.id_token = token;
    expect_refused(502);
  }
}

TEST_F(CallbackTest, AnIdTokenSignedBySomebodyElseIsRefused) {
  world.provider.other_key = *jose::generate_key(jose::Algorithm::kEs256);
  expect_refused(502);
}

TEST_F(CallbackTest, AnIdTokenUnderTheKidOfAnotherKeyIsRefused) {
  world.provider.other_key = *jose::generate_key(jose::Algorithm::kEs256);
  world.provider.other_key->kid = world.provider.key.kid;
  expect_refused(502);
}

TEST_F(CallbackTest, AnHs256TokenUnderThePublicKeyIsRefused) {
  const std::string jwks = jose::to_jwks({jose::public_part(world.provider.key)});
  jose::Hs256Key forger(world.provider.key.kid, Secret(jwks));
  world.provider.id_token = forger.sign(
      R"({"iss":"http://localhost:8080/dex","aud":"authservice-oidc","sub":"1","exp":1900000000})");
  expect_refused(502);
}

TEST_F(CallbackTest, AnRs256ProviderServesAsWell) {
  world.provider.key = *jose::generate_key(jose::Algorithm::kRs256);
  EXPECT_EQ(browser.log_in(kPage).status, 303);
}

TEST_F(CallbackTest, AnAnswerThatNamesAnotherProviderIsRefusedBeforeTheCodeGoesOut) {  // mix-up
  for (const char* issuer : {"http://evil.example/dex", "", "http://localhost:8080/dex/"}) {
    world.provider.answered_issuer = issuer;
    expect_refused(502, "answer of another provider");
  }
  EXPECT_EQ(world.provider.exchanges, 0);
}

TEST_F(CallbackTest, AForeignStateSignsNobodyIn) {
  Browser victim(world);
  victim.open(kPage);
  const http::Response response = victim.open(log_in_callback());
  EXPECT_THAT(header(response, "Location"), StartsWith("/dex/auth?"));
  EXPECT_EQ(victim.cookie(kSession), nullptr);
  EXPECT_EQ(world.provider.exchanges, 0);
}

TEST_F(CallbackTest, AStateCookieUnderAnotherStatesNameSignsNobodyIn) {
  Browser victim(world);
  victim.open(kPage);
  const std::string callback = log_in_callback();
  victim.cookies.emplace_back(browser.cookies[0].first, victim.cookies[0].second);
  EXPECT_THAT(header(victim.open(callback), "Location"), StartsWith("/dex/auth?"));
  EXPECT_EQ(world.provider.exchanges, 0);
}

TEST_F(CallbackTest, ParametersThatStandTwiceAreRefused) {
  const std::string callback = log_in_callback();
  for (const char* more : {"&code=x", "&state=x", "&iss=x", "&error=x", "&error=x&error=y"}) {
    const http::Response response = browser.open(callback + more);
    EXPECT_EQ(response.status, 400) << more;
    EXPECT_THAT(response.body.bytes, HasSubstr("Sign in again"));
  }
  EXPECT_EQ(world.provider.exchanges, 0);
}

TEST_F(CallbackTest, NeitherCodeNorErrorIsAPageThatLeadsOn) {
  for (const char* query : {"", "?", "?state=x", "?code=", "?%zz", "?state=x&code=%00"}) {
    const http::Response response = browser.open(std::string("/authservice/oidc/callback") + query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_THAT(header(response, "Content-Type"), StartsWith("text/html"));
  }
}

TEST_F(CallbackTest, AHeadRequestDoesNotUseTheCodeUp) {
  const std::string callback = log_in_callback();
  EXPECT_EQ(browser.send("HEAD", callback, kNavigation).status, 405);
  EXPECT_EQ(browser.open(callback).status, 303);
}

TEST_F(CallbackTest, ErrorsOfTheProviderBecomePagesWithARetry) {
  for (const auto& [error, status] :
       std::vector<std::pair<std::string, int>>{{"access_denied", 403},
                                                {"temporarily_unavailable", 503},
                                                {"server_error", 502},
                                                {"<script>", 502}}) {
    const std::string state = TestProvider::value(
        TestProvider::query_of(header(browser.open(kPage), "Location")), "state");
    const http::Response response = browser.open(
        "/authservice/oidc/callback?" +
        http::encode_form({{"error", error}, {"state", state}, {"iss", TestProvider::kIssuer}}));
    EXPECT_EQ(response.status, status) << error;
    EXPECT_THAT(response.body.bytes, HasSubstr("href=\"/pipeline/?ns=a%20b\""));
    EXPECT_THAT(response.body.bytes, testing::Not(HasSubstr("<script>")));
  }
}

TEST_F(CallbackTest, AProviderThatIsDownIsA503WithRetryAfter) {
  world.provider.status = 503;
  const http::Response response = browser.log_in(kPage);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(header(response, "Retry-After"), "5");
  EXPECT_EQ(browser.user_at(kPage), "");
  // Our own pages are served meanwhile.
  EXPECT_EQ(browser.open("/authservice/site/after_logout").status, 200);
}

TEST_F(CallbackTest, ATokenEndpointThatFailsSignsNobodyIn) {
  world.provider.token_answer = {500, "oops"};
  expect_refused(503, "provider unreachable");
  world.provider.token_answer = {401, R"({"error":"invalid_client"})"};
  expect_refused(502);
  for (const char* body : {"", "{}", "null", "[]", R"({"id_token":1})", R"({"id_token":""})",
                           R"({"id_token":"a","id_token":"b"})"}) {
    world.provider.token_answer = {200, body};
    expect_refused(502);
  }
  world.provider.token_answer = {200, std::string(100'000, ' ')};
  expect_refused(503, "provider unreachable");
}

TEST_F(CallbackTest, AStoreThatFailsSignsNobodyIn) {
  const std::string callback = log_in_callback();
  world.database->broken = true;
  const http::Response response = browser.open(callback);
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(set_cookies(response, kSession).empty());
}

TEST_F(CallbackTest, AUserThatCannotBeAHeaderIsRefused) {
  for (const char* user :
       {"a\r\nkubeflow-groups: admin@x", "j\xc3\xb6rg@example.org", " a@b", ""}) {
    world.provider.person["email"] = user;
    expect_refused(403, "account refused");
  }
}

TEST_F(CallbackTest, AnAccountWithMoreGroupsThanACookieHoldsIsToldSo) {
  Json groups = Json::array();
  for (int i = 0; i < 500; ++i) groups.push_back("group-" + std::to_string(i));
  world.provider.person["groups"] = groups;
  expect_refused(403, "session token too large");
}

TEST_F(CallbackTest, TheSessionStandsInTheStoreWithDeviceAndAddress) {
  browser.log_in(kPage);
  const auto sessions = *store::transact_now(*world.database, [](store::Transaction& transaction) {
    return transaction.sessions_of("ada@example.org");
  });
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_EQ(sessions[0].device, "TestBrowser/1.0");
  EXPECT_EQ(sessions[0].address, "192.0.2.7");
  EXPECT_EQ(sessions[0].email, "ada@example.org");
  EXPECT_EQ(sessions[0].expires, world.clock.now() + std::chrono::hours(24));
}

TEST_F(CallbackTest, ADevicesNameIsKeptAsText) {
  Fields fields = kNavigation;
  fields.back().second =
      "Test\xfc"
      "Browser";
  const std::string back = world.provider.log_in(header(browser.open(kPage), "Location"));
  browser.send("GET", back, fields);
  const auto sessions = *store::transact_now(*world.database, [](store::Transaction& transaction) {
    return transaction.sessions_of("ada@example.org");
  });
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_EQ(sessions[0].device,
            "Test\xef\xbf\xbd"
            "Browser");
}

}  // namespace
}  // namespace gatehouse::gatekeeper
