// The whole way of a login, as a browser and its client go it.
#include "base/encoding.h"
#include "identity/discovery/discovery.h"
#include "identity/grants/claims.h"
#include "identity/grants/token_issuer.h"
#include "identity/test_provider.h"
#include "jose/jwt.h"
#include "oauth/metadata.h"

namespace gatehouse::identity {
namespace {

using std::chrono::seconds;

class FlowTest : public ProviderTest {
 protected:
  /// The claims of a token, checked by the published keys alone, as a relying party does.
  Json claims(const std::string& jwt, const std::string& audience = "gatekeeper",
              const std::string& type = "JWT") {
    const auto keys = jose::parse_jwks(get("/dex/keys").body.bytes);
    EXPECT_TRUE(keys);
    const auto judged = jose::verify_jwt(
        jwt, *keys, {.issuer = kIssuer, .audience = audience, .type = type}, clock_.now());
    EXPECT_TRUE(judged) << jose::to_string(judged.error());
    return judged.value_or(Json());
  }
};

TEST_F(FlowTest, AuthorizeLeadsStraightToTheLoginPage) {
  const http::Response response = get("/dex/auth?" + http::encode_form(authorization()));
  EXPECT_EQ(response.status, 302);
  EXPECT_TRUE(location(response).starts_with("/dex/auth/local/login?state="));
  EXPECT_TRUE(location(response).ends_with("&back="));
  const http::Response by_connector = get("/dex/auth/local?" + http::encode_form(authorization()));
  EXPECT_EQ(by_connector.status, 302);
  EXPECT_EQ(post("/dex/auth", authorization()).status, 302);
}

TEST_F(FlowTest, RightPasswordGivesACodeToTheClient) {
  const http::Response page = get(login_url());
  EXPECT_EQ(page.status, 200);
  const http::Response response = log_in(login_url());
  EXPECT_EQ(response.status, 303);
  EXPECT_TRUE(location(response).starts_with(std::string(kCallback) + "?code="));
  EXPECT_EQ(parameter(location(response), "state"), "the state");
  EXPECT_EQ(parameter(location(response), "iss"), kIssuer);
  EXPECT_EQ(parameter(location(response), "code").size(), 43u);
}

TEST_F(FlowTest, EmailAndUsernameInAnyCaseBothWork) {
  for (const char* login : {"alice@example.org", " ALICE@Example.ORG ", "alice", "Alice"}) {
    EXPECT_EQ(log_in(login_url(), login).status, 303) << login;
  }
}

TEST_F(FlowTest, CodeIsExchangedForTokensThatThePublishedKeysVerify) {
  const http::Response response = token(redemption(code()));
  ASSERT_EQ(response.status, 200) << response.body.bytes;
  EXPECT_EQ(response.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(member(response, "token_type"), "bearer");
  EXPECT_EQ(json(response)["expires_in"], 86'400);
  EXPECT_FALSE(json(response).contains("refresh_token"));

  const Json id_token = claims(member(response, "id_token"));
  EXPECT_EQ(id_token["aud"], "gatekeeper");
  EXPECT_EQ(id_token["sub"], "CggwOGE4Njg0YhIFbG9jYWw");
  EXPECT_EQ(id_token["nonce"], "the nonce");
  EXPECT_EQ(id_token["email"], "alice@example.org");
  EXPECT_EQ(id_token["email_verified"], true);
  EXPECT_EQ(id_token["groups"], Json::array({"team-a", "team-b"}));
  EXPECT_EQ(id_token["preferred_username"], "alice");
  EXPECT_EQ(id_token["auth_time"], unix_seconds(clock_.now()));
  EXPECT_EQ(id_token["exp"], unix_seconds(clock_.now()) + 86'400);
  EXPECT_EQ(id_token["at_hash"], at_hash(member(response, "access_token")));
  EXPECT_FALSE(id_token.contains("azp"));
  EXPECT_FALSE(id_token.contains("federated_claims"));
}

TEST_F(FlowTest, SubjectIsDexsToTheBit) {
  EXPECT_EQ(subject("2342749", "github"), "CgcyMzQyNzQ5EgZnaXRodWI");
  const std::string decoded = base64url_decode(subject(std::string(200, 'u'), "local")).value();
  EXPECT_EQ(decoded.substr(0, 3), "\x0a\xc8\x01");
}

TEST_F(FlowTest, ScopesChooseTheClaims) {
  const Json id_token = claims(tokens("openid federated:id")["id_token"]);
  EXPECT_FALSE(id_token.contains("email"));
  EXPECT_FALSE(id_token.contains("groups"));
  EXPECT_FALSE(id_token.contains("preferred_username"));
  EXPECT_EQ(id_token["federated_claims"],
            Json({{"connector_id", "local"}, {"user_id", "08a8684b"}}));
}

TEST_F(FlowTest, IdTokenIsSignedAsItsClientWants) {
  http::Parameters asked = authorization("openid", "other");
  const http::Response response =
      send(token_request(redemption(code(asked)), "other", "other's secret"));
  ASSERT_EQ(response.status, 200);
  const std::string id_token = member(response, "id_token");
  const auto head = base64url_decode(id_token.substr(0, id_token.find('.')));
  EXPECT_EQ(parse_json(*head).value()["alg"], "ES256");
  EXPECT_EQ(claims(id_token, "other")["aud"], "other");
}

TEST_F(FlowTest, PublicClientProvesItselfByPkceAlone) {
  http::Parameters asked = authorization("openid", "cli");
  for (auto& [name, value] : asked) {
    if (name == "redirect_uri") value = "http://127.0.0.1:49152/cb";
  }
  http::Parameters form = redemption(code(asked));
  form[2].second = "http://127.0.0.1:49152/cb";
  form.emplace_back("client_id", "cli");
  EXPECT_EQ(post("/dex/token", form).status, 200);
}

TEST_F(FlowTest, UserinfoTellsWhatTheScopesGive) {
  const std::string access_token = tokens("openid email")["access_token"];
  const http::Response response = userinfo(access_token);
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(member(response, "sub"), "CggwOGE4Njg0YhIFbG9jYWw");
  EXPECT_EQ(member(response, "email"), "alice@example.org");
  EXPECT_FALSE(json(response).contains("groups"));
  EXPECT_EQ(post("/dex/userinfo", {{"access_token", access_token}}).status, 200);
}

TEST_F(FlowTest, RefreshGivesNewTokensAndANewRefreshToken) {
  const Json first = tokens("openid email offline_access");
  clock_.advance(seconds(100));
  const http::Response second = refresh(first["refresh_token"]);
  ASSERT_EQ(second.status, 200) << second.body.bytes;
  EXPECT_NE(first["refresh_token"], member(second, "refresh_token"));
  const Json id_token = claims(member(second, "id_token"));
  EXPECT_EQ(id_token["auth_time"], unix_seconds(clock_.now()) - 100);
  EXPECT_EQ(id_token["iat"], unix_seconds(clock_.now()));
  EXPECT_EQ(refresh(member(second, "refresh_token")).status, 200);
  EXPECT_EQ(userinfo(member(second, "access_token")).status, 200);
}

TEST_F(FlowTest, NothingIsLostByARestart) {
  const std::string url = login_url();
  const Json issued = tokens("openid offline_access");
  const std::string keys = get("/dex/keys").body.bytes;
  const std::string pending = code();
  start(test_settings());
  EXPECT_EQ(get("/dex/keys").body.bytes, keys);
  EXPECT_EQ(log_in(url).status, 303);
  EXPECT_EQ(token(redemption(pending)).status, 200);
  EXPECT_EQ(userinfo(issued["access_token"]).status, 200);
  EXPECT_EQ(refresh(issued["refresh_token"]).status, 200);
}

TEST_F(FlowTest, DiscoveryStatesWhatIsThere) {
  const http::Response response = get("/dex/.well-known/openid-configuration");
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Access-Control-Allow-Origin"), "*");
  EXPECT_TRUE(oauth::parse_metadata(response.body.bytes, kIssuer));
  const Json document = json(response);
  EXPECT_EQ(document["code_challenge_methods_supported"], Json::array({"S256"}));
  EXPECT_EQ(document["response_types_supported"], Json::array({"code"}));
  EXPECT_EQ(document["authorization_response_iss_parameter_supported"], true);
  for (const char* absent : {"device_authorization_endpoint", "introspection_endpoint",
                             "end_session_endpoint", "registration_endpoint"}) {
    EXPECT_FALSE(document.contains(absent)) << absent;
  }
  for (const char* endpoint :
       {"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"}) {
    const std::string url = document[endpoint];
    EXPECT_NE(get(url.substr(url.find("/dex"))).status, 404) << url;
  }
}

TEST_F(FlowTest, WhoHasTheDocumentGets304) {
  const http::Response first = get("/dex/keys");
  http::Request again = request("GET", "/dex/keys");
  again.headers.set("If-None-Match", *first.headers.get("ETag"));
  const http::Response second = send(std::move(again));
  EXPECT_EQ(second.status, 304);
  EXPECT_TRUE(second.body.empty());
}

TEST_F(FlowTest, OnlyWhatHasNoCookiesIsOpenToOtherOrigins) {
  for (const char* path :
       {"/dex/.well-known/openid-configuration", "/dex/keys", "/dex/token", "/dex/userinfo"}) {
    const http::Response response = send(request("OPTIONS", path));
    EXPECT_EQ(response.status, 204) << path;
    EXPECT_EQ(response.headers.get("Access-Control-Allow-Origin"), "*") << path;
  }
  const http::Response login = send(request("OPTIONS", login_url()));
  EXPECT_FALSE(login.headers.has("Access-Control-Allow-Origin"));
}

TEST_F(FlowTest, UnknownPathsAndWrongMethodsSaySo) {
  EXPECT_EQ(get("/dex").status, 404);
  EXPECT_EQ(get("/dex/nothing").status, 404);
  EXPECT_EQ(get("/dex/auth/github/login").status, 404);
  EXPECT_EQ(get("/dexter/keys").status, 404);
  const http::Response wrong = send(request("DELETE", "/dex/auth"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.get("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(get("/dex/token").status, 405);
}

TEST_F(FlowTest, HealthFollowsTheStore) {
  EXPECT_EQ(get("/dex/healthz").status, 200);
  database_.broken = true;
  EXPECT_EQ(get("/dex/healthz").status, 503);
}

}  // namespace
}  // namespace gatehouse::identity
