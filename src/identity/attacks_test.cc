// What went wrong at other providers, each as a test: docs/threat-model.md names them.
#include <set>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "identity/test_provider.h"
#include "jose/jwt.h"

namespace gatehouse::identity {
namespace {

using std::chrono::seconds;

class AttackTest : public ProviderTest {
 protected:
  static http::Parameters with(http::Parameters form, const std::string& name,
                               const std::string& value) {
    for (auto& member : form) {
      if (member.first == name) member.second = value;
    }
    return form;
  }

  void expect_invalid_grant(const http::Response& response) {
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(member(response, "error"), "invalid_grant");
    EXPECT_FALSE(json(response).contains("access_token"));
    EXPECT_FALSE(json(response).contains("refresh_token"));
  }

  http::Response fail_login(const std::string& login = "alice@example.org") {
    return log_in(login_url(), login, "wrong password");
  }
};

// --- Where the answer goes.

TEST_F(AttackTest, UnknownClientOrRedirectUriGetsAPageAndNoRedirect) {
  for (const auto& parameters :
       {with(authorization(), "client_id", "nobody"),
        with(authorization(), "redirect_uri", "https://evil.example/"),
        with(authorization(), "redirect_uri", "//evil.example/authservice/oidc/callback"),
        with(authorization(), "redirect_uri", "/authservice/oidc/callback/../../x")}) {
    const http::Response response = get("/dex/auth?" + http::encode_form(parameters));
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(location(response), "");
    EXPECT_EQ(response.body.bytes.find("evil.example"), std::string::npos);
  }
}

TEST_F(AttackTest, RedirectUriIsDecodedOnceAndNotTwice) {
  const std::string once =
      http::encode_form(with(authorization(), "redirect_uri", "%2Fauthservice%2Foidc%2Fcallback"));
  EXPECT_EQ(get("/dex/auth?" + once).status, 400);
}

TEST_F(AttackTest, DuplicateParametersAreRefusedAlsoOverQueryAndBody) {
  const std::string query = http::encode_form(authorization());
  EXPECT_EQ(get("/dex/auth?" + query + "&redirect_uri=https://evil.example/").status, 400);
  const http::Response scope = get("/dex/auth?" + query + "&scope=openid");
  EXPECT_EQ(parameter(location(scope), "error"), "invalid_request");
  const http::Response split = post("/dex/auth?state=x", authorization());
  EXPECT_EQ(parameter(location(split), "error"), "invalid_request");
}

TEST_F(AttackTest, OpenRedirectThroughBackIsNoUse) {
  std::string url = login_url();
  for (const char* back : {"https://evil.example/", "//evil.example", "javascript:alert(1)"}) {
    const std::string tampered = url + http::percent_encode(back);
    const http::Response page = get(tampered);
    EXPECT_EQ(page.body.bytes.find("evil"), std::string::npos);
    EXPECT_EQ(page.body.bytes.find("javascript"), std::string::npos);
    EXPECT_TRUE(location(log_in(tampered)).starts_with(kCallback));
  }
}

TEST_F(AttackTest, EveryAnswerNamesTheIssuerAgainstMixUp) {
  EXPECT_EQ(parameter(location(log_in(login_url())), "iss"), kIssuer);
  http::Parameters none = authorization();
  none.emplace_back("prompt", "none");
  const http::Response error = get("/dex/auth?" + http::encode_form(none));
  EXPECT_EQ(parameter(location(error), "error"), "login_required");
  EXPECT_EQ(parameter(location(error), "iss"), kIssuer);
  EXPECT_EQ(parameter(location(error), "state"), "the state");
}

TEST_F(AttackTest, ForgedOrForeignRequestInProgressIsRefused) {
  const std::string url = login_url();
  EXPECT_EQ(get("/dex/auth/local/login").status, 400);
  EXPECT_EQ(get("/dex/auth/local/login?state=AAAA&back=").status, 400);
  EXPECT_EQ(log_in(url.substr(0, url.size() - 12)).status, 400);
  EXPECT_EQ(get(url + "&state=second").status, 400);
  // A request sealed for a client that has gone since is void.
  config::Identity settings = test_settings();
  settings.clients.erase(settings.clients.begin());
  start(settings);
  EXPECT_EQ(log_in(url).status, 400);
}

TEST_F(AttackTest, RequestInProgressEndsAfterItsLifetime) {
  const std::string url = login_url();
  clock_.advance(seconds(3'601));
  const http::Response response = log_in(url);
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.bytes.find("expired"), std::string::npos);
}

TEST_F(AttackTest, StrangersCannotFillTheStore) {
  database_.broken = true;  // whatever touches the store fails now
  EXPECT_EQ(get("/dex/auth?" + http::encode_form(authorization())).status, 302);
  EXPECT_EQ(get(login_url()).status, 200);
}

TEST_F(AttackTest, KnownRequestIdYieldsNoCodeWithoutAPassword) {
  const std::string url = login_url();
  EXPECT_EQ(log_in(url).status, 303);
  const http::Response again = get(url);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(location(again), "");
  EXPECT_EQ(get("/dex/approval?req=x").status, 404);
}

// --- Codes.

TEST_F(AttackTest, CodeWorksOnce) {
  const std::string value = code();
  EXPECT_EQ(token(redemption(value)).status, 200);
  expect_invalid_grant(token(redemption(value)));
}

TEST_F(AttackTest, CodeReplayRevokesWhatTheCodeGave) {
  const std::string value = code(authorization("openid offline_access"));
  const http::Response first = token(redemption(value));
  ASSERT_EQ(userinfo(member(first, "access_token")).status, 200);
  expect_invalid_grant(token(redemption(value)));
  EXPECT_EQ(userinfo(member(first, "access_token")).status, 401);
  expect_invalid_grant(refresh(member(first, "refresh_token")));
}

TEST_F(AttackTest, CodeOfAnotherClientIsRefusedAndSpent) {
  const std::string value = code();
  expect_invalid_grant(send(token_request(redemption(value), "other", "other's secret")));
  expect_invalid_grant(token(redemption(value)));
}

TEST_F(AttackTest, CodeInjectionFailsOnTheVerifier) {
  const std::string other(43, 'x');
  expect_invalid_grant(token(with(redemption(code()), "code_verifier", other)));
  http::Parameters without = redemption(code());
  without.pop_back();
  expect_invalid_grant(token(without));
}

TEST_F(AttackTest, PkceDowngradeIsRefused) {
  // The attacker takes the challenge out of the request; the client still sends its verifier.
  http::Parameters stripped = authorization();
  stripped.resize(stripped.size() - 2);
  expect_invalid_grant(token(redemption(code(stripped))));
  http::Parameters without = redemption(code(stripped));
  without.pop_back();
  EXPECT_EQ(token(without).status, 200);
}

TEST_F(AttackTest, CodeIsBoundToItsRedirectUri) {
  expect_invalid_grant(token(with(redemption(code()), "redirect_uri", "https://app.example/cb")));
  expect_invalid_grant(token(with(redemption(code()), "redirect_uri", "")));
}

TEST_F(AttackTest, CodeExpires) {
  const std::string value = code();
  clock_.advance(seconds(60));
  expect_invalid_grant(token(redemption(value)));
}

TEST_F(AttackTest, CodeOfAUserDisabledMeanwhileGivesNothing) {
  const std::string value = code();
  disable("alice@example.org");
  expect_invalid_grant(token(redemption(value)));
}

// --- Clients.

TEST_F(AttackTest, ClientWithoutItsSecretGetsNothing) {
  const std::string value = code();
  for (const auto& [id, secret] : std::vector<std::pair<std::string, std::string>>{
           {"gatekeeper", ""}, {"gatekeeper", "wrong"}, {"nobody", ""}, {"nobody", "wrong"}}) {
    const http::Response response = send(token_request(redemption(value), id, secret));
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(member(response, "error"), "invalid_client");
    EXPECT_TRUE(response.headers.has("WWW-Authenticate"));
  }
  http::Parameters named = redemption(value);
  named.emplace_back("client_id", "gatekeeper");
  EXPECT_EQ(post("/dex/token", named).status, 401);
  EXPECT_EQ(post("/dex/token", redemption(value)).status, 401);
  EXPECT_EQ(token(redemption(value)).status, 200);  // none of these spent the code
}

TEST_F(AttackTest, OneWayOfClientAuthenticationAtATime) {
  http::Parameters posted = redemption(code());
  posted.emplace_back("client_id", "gatekeeper");
  posted.emplace_back("client_secret", "gatekeeper's secret: a+b%");
  EXPECT_EQ(send(token_request(posted)).status, 400);
  EXPECT_EQ(post("/dex/token", posted).status, 200);
  http::Parameters mixed = redemption(code());
  mixed.emplace_back("client_id", "other");
  EXPECT_EQ(send(token_request(mixed)).status, 400);
}

TEST_F(AttackTest, PublicClientTakesNoSecret) {
  http::Parameters form = redemption("x");
  form.emplace_back("client_id", "cli");
  form.emplace_back("client_secret", "guess");
  EXPECT_EQ(post("/dex/token", form).status, 401);
}

TEST_F(AttackTest, TokenEndpointRefusesDuplicatesAndOtherForms) {
  http::Parameters twice = redemption(code());
  twice.emplace_back("code", "x");
  EXPECT_EQ(member(token(twice), "error"), "invalid_request");
  http::Request json_body = token_request(redemption(code()));
  json_body.headers.set("Content-Type", "application/json");
  EXPECT_EQ(send(std::move(json_body)).status, 400);
  EXPECT_EQ(member(token({{"grant_type", "password"}}), "error"), "unsupported_grant_type");
  EXPECT_EQ(member(token({{"code", "x"}}), "error"), "invalid_request");
  EXPECT_EQ(
      token({{"grant_type", "authorization_code"}, {"code", std::string(20'000, 'x')}}).status,
      400);
}

// --- Refresh tokens.

TEST_F(AttackTest, RefreshReuseRevokesTheFamily) {
  const Json first = tokens("openid offline_access");
  const http::Response second = refresh(first["refresh_token"]);
  clock_.advance(seconds(4));
  expect_invalid_grant(refresh(first["refresh_token"]));
  expect_invalid_grant(refresh(member(second, "refresh_token")));
  EXPECT_EQ(userinfo(member(second, "access_token")).status, 401);
}

TEST_F(AttackTest, RepeatWithinTheReuseIntervalGetsTheSameSuccessor) {
  const Json first = tokens("openid offline_access");
  const http::Response second = refresh(first["refresh_token"]);
  clock_.advance(seconds(3));
  const http::Response repeat = refresh(first["refresh_token"]);
  ASSERT_EQ(repeat.status, 200);
  EXPECT_EQ(member(repeat, "refresh_token"), member(second, "refresh_token"));
  EXPECT_EQ(refresh(member(second, "refresh_token")).status, 200);
}

TEST_F(AttackTest, RefreshTokenOfAnotherClientIsRefused) {
  const Json issued = tokens("openid offline_access");
  const http::Parameters form = {{"grant_type", "refresh_token"},
                                 {"refresh_token", issued["refresh_token"]}};
  expect_invalid_grant(send(token_request(form, "other", "other's secret")));
}

TEST_F(AttackTest, RefreshMayNarrowTheScopesAndNeverWiden) {
  const Json issued = tokens("openid email offline_access");
  http::Parameters form = {{"grant_type", "refresh_token"},
                           {"refresh_token", issued["refresh_token"]},
                           {"scope", "openid email groups"}};
  EXPECT_EQ(member(token(form), "error"), "invalid_scope");
  form.back().second = "email";
  EXPECT_EQ(member(token(form), "error"), "invalid_scope");
  form.back().second = "openid";
  const http::Response narrowed = token(form);
  EXPECT_EQ(member(narrowed, "scope"), "openid");
  EXPECT_FALSE(json(userinfo(member(narrowed, "access_token"))).contains("email"));
  EXPECT_EQ(member(refresh(member(narrowed, "refresh_token")), "scope"),
            "openid email offline_access");
}

TEST_F(AttackTest, RefreshTokensEndWhenIdleAndAbsolutely) {
  config::Identity settings = test_settings();
  settings.refresh_idle = seconds(100);
  settings.refresh_absolute = seconds(250);
  start(settings);
  const Json idle = tokens("openid offline_access");
  std::string used = tokens("openid offline_access")["refresh_token"];
  for (int i = 0; i < 2; ++i) {
    clock_.advance(seconds(99));
    const http::Response response = refresh(used);
    ASSERT_EQ(response.status, 200);
    used = member(response, "refresh_token");
  }
  expect_invalid_grant(refresh(idle["refresh_token"]));
  clock_.advance(seconds(53));
  expect_invalid_grant(refresh(used));
}

TEST_F(AttackTest, DisabledUserLosesRefreshAndUserinfoAtOnce) {
  const Json issued = tokens("openid offline_access");
  disable("alice@example.org");
  EXPECT_EQ(userinfo(issued["access_token"]).status, 401);
  expect_invalid_grant(refresh(issued["refresh_token"]));
}

TEST_F(AttackTest, RefreshTokenOnlyForOfflineAccess) {
  EXPECT_FALSE(tokens("openid email").contains("refresh_token"));
  EXPECT_TRUE(tokens("openid offline_access").contains("refresh_token"));
}

TEST_F(AttackTest, GrantIdFromAnAccessTokenIsNoRefreshToken) {
  const std::string access_token = tokens("openid offline_access")["access_token"];
  const std::size_t dot = access_token.find('.');
  const std::string payload =
      base64url_decode(access_token.substr(dot + 1, access_token.rfind('.') - dot - 1)).value();
  const std::string grant = parse_json(payload).value()["grant"];
  expect_invalid_grant(refresh(grant));
  expect_invalid_grant(refresh("grant:" + grant));
}

// --- Userinfo.

TEST_F(AttackTest, UserinfoTakesOnlyItsOwnTokens) {
  const Json issued = tokens();
  EXPECT_EQ(userinfo(issued["id_token"]).status, 401);
  std::string forged = issued["access_token"];
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(userinfo(forged).status, 401);
  const std::string none = base64url_encode(R"({"alg":"none","typ":"at+jwt"})");
  const std::string token = issued["access_token"];
  const std::string body = token.substr(token.find('.'), token.rfind('.') - token.find('.') + 1);
  EXPECT_EQ(userinfo(none + body).status, 401);
  clock_.advance(seconds(86'406));
  EXPECT_EQ(userinfo(issued["access_token"]).status, 401);
}

TEST_F(AttackTest, UserinfoChallengesAsRfc6750Says) {
  const http::Response bare = get("/dex/userinfo");
  EXPECT_EQ(bare.status, 401);
  EXPECT_EQ(bare.headers.get("WWW-Authenticate"), "Bearer realm=\"userinfo\"");
  const http::Response bad = userinfo("bad");
  EXPECT_EQ(bad.status, 401);
  EXPECT_NE(bad.headers.get("WWW-Authenticate")->find("error=\"invalid_token\""),
            std::string_view::npos);
  const std::string token = tokens()["access_token"];
  http::Request both = form_request("/dex/userinfo", {{"access_token", token}});
  both.headers.set("Authorization", "Bearer " + token);
  EXPECT_EQ(send(std::move(both)).status, 400);
  EXPECT_EQ(get("/dex/userinfo?access_token=" + token).status, 401);
}

// --- Passwords.

TEST_F(AttackTest, UnknownDisabledAndWrongAreOneAnswerForOneHash) {
  disable("bob@example.org");
  const Result<void> added = transact([&](store::Transaction& transaction) {
    store::User user;
    user.id = "without";
    user.email = "nopw1@example.org";
    return transaction.create_user(user);
  });
  ASSERT_TRUE(added);
  const std::string url = login_url();
  std::set<std::string> bodies;
  std::set<int> statuses;
  for (const char* login : {"alice@example.org", "ghost@example.org", "nopw1@example.org"}) {
    const std::uint64_t before = shared_->passwords().verifications();
    const http::Response response = log_in(url, login, "wrong password");
    EXPECT_EQ(shared_->passwords().verifications(), before + 1) << login;
    std::string body = response.body.bytes;
    body.replace(body.find(login), std::string(login).size(), "LOGIN");
    bodies.insert(body);
    statuses.insert(response.status);
  }
  const std::uint64_t before = shared_->passwords().verifications();
  const http::Response disabled = log_in(url, "bob@example.org", kPassword);
  EXPECT_EQ(shared_->passwords().verifications(), before + 1);
  EXPECT_EQ(disabled.status, 401);
  EXPECT_EQ(bodies.size(), 1u);
  EXPECT_EQ(statuses, std::set<int>{401});
}

TEST_F(AttackTest, DecoyHashCostsWhatAUsersHashCosts) {
  const std::string decoy = make_decoy(kTestCost, entropy_);
  EXPECT_TRUE(crypto::is_password_hash(decoy));
  EXPECT_FALSE(crypto::needs_rehash(decoy, kTestCost));
  EXPECT_FALSE(crypto::verify_password(Secret(""), decoy));
  const std::string real = cheap_hash("x");
  EXPECT_EQ(decoy.size(), real.size());
  EXPECT_EQ(decoy.substr(0, decoy.find("$", 12)), real.substr(0, real.find("$", 12)));
}

TEST_F(AttackTest, FifthFailureSlowsDownAlsoForNamesThatDoNotExist) {
  for (const char* login : {"alice@example.org", "ghost@example.org"}) {
    for (int i = 0; i < 4; ++i) EXPECT_EQ(fail_login(login).status, 401);
    const http::Response fifth = fail_login(login);
    EXPECT_EQ(fifth.status, 429);
    EXPECT_EQ(fifth.headers.get("Retry-After"), "2");
    EXPECT_NE(fifth.body.bytes.find("Too many tries. Wait 2 seconds."), std::string::npos);
  }
}

TEST_F(AttackTest, LockoutIsNotBypassedByANewFlowNorByCaseNorBySpaces) {
  for (int i = 0; i < 5; ++i) fail_login();
  const std::uint64_t hashes = shared_->passwords().verifications();
  for (const char* login : {"alice@example.org", "ALICE@EXAMPLE.ORG", "  alice@example.org\t"}) {
    EXPECT_EQ(log_in(login_url(), login).status, 429) << login;
  }
  EXPECT_EQ(shared_->passwords().verifications(), hashes);
  http::Request forwarded =
      form_request(login_url(), {{"login", "alice@example.org"}, {"password", kPassword}});
  forwarded.headers.set("X-Forwarded-For", "198.51.100.1");
  forwarded.headers.set("X-Real-IP", "198.51.100.1");
  EXPECT_EQ(send(std::move(forwarded)).status, 429);
}

TEST_F(AttackTest, BehindATrustedProxyFailuresCountForTheirOwnClient) {
  shared_ = std::make_shared<SharedState>(test_settings(), Secret(kSealingKey), hash_pool_,
                                          entropy_, clock_, std::vector<std::string>{"192.0.2.7"});
  ASSERT_TRUE(shared_->start(database_));
  provider_ =
      Provider::make(shared_, loop_, store::Store(loop_, store_pool_, database_), entropy_, clock_);
  const auto try_from = [&](const char* client, const char* password) {
    http::Request made =
        form_request(login_url(), {{"login", "alice@example.org"}, {"password", password}});
    made.headers.set("X-Forwarded-For", client);
    return send(std::move(made)).status;
  };
  for (int i = 0; i < 5; ++i) try_from("203.0.113.9", "wrong password");
  EXPECT_EQ(try_from("203.0.113.9", kPassword), 429);
  EXPECT_EQ(try_from("1.1.1.1, 203.0.113.9", kPassword), 429);
  EXPECT_EQ(try_from("198.51.100.4", kPassword), 303);
}

TEST_F(AttackTest, LockoutDoublesAndEnds) {
  for (int i = 0; i < 5; ++i) fail_login();
  clock_.advance(seconds(2));
  EXPECT_EQ(fail_login().headers.get("Retry-After"), "4");
  clock_.advance(seconds(4));
  EXPECT_EQ(log_in(login_url()).status, 303);
  EXPECT_EQ(fail_login().status, 401);
}

TEST_F(AttackTest, LockoutCannotBeUsedToLockOthersOut) {
  for (int i = 0; i < 20; ++i) fail_login();
  EXPECT_EQ(log_in(login_url()).status, 429);
  address_ = "198.51.100.20";
  EXPECT_EQ(log_in(login_url()).status, 303);
}

TEST_F(AttackTest, LoginFormFromAnotherSiteIsRefused) {
  const auto posted_with = [&](const char* name, const char* value) {
    http::Request made =
        form_request(login_url(), {{"login", "alice@example.org"}, {"password", kPassword}});
    made.headers.set(name, value);
    return send(std::move(made)).status;
  };
  EXPECT_EQ(posted_with("Sec-Fetch-Site", "cross-site"), 403);
  EXPECT_EQ(posted_with("Sec-Fetch-Site", "same-site"), 403);
  EXPECT_EQ(posted_with("Origin", "https://evil.example"), 403);
  EXPECT_EQ(posted_with("Origin", "https://kubeflow.example.org.evil.example"), 403);
  EXPECT_EQ(posted_with("Origin", "null"), 403);
  EXPECT_EQ(posted_with("Origin", "https://kubeflow.example.org"), 303);
  EXPECT_EQ(posted_with("Sec-Fetch-Site", "same-origin"), 303);
}

TEST_F(AttackTest, DuplicateOrOversizedLoginFieldsAreRefused) {
  const std::uint64_t before = shared_->passwords().verifications();
  EXPECT_EQ(post(login_url(), {{"login", "alice"}, {"login", "bob"}, {"password", "x"}}).status,
            400);
  EXPECT_EQ(post(login_url(), {{"login", "alice"}, {"password", ""}}).status, 400);
  EXPECT_EQ(post(login_url(), {{"login", std::string(600, 'a')}, {"password", "x"}}).status, 400);
  EXPECT_EQ(post(login_url(), {{"login", "alice"}, {"password", std::string(20'000, 'x')}}).status,
            400);
  EXPECT_EQ(shared_->passwords().verifications(), before);
}

// --- Every error denies.

TEST_F(AttackTest, BrokenStoreGivesNoCode) {
  const std::string url = login_url();
  database_.broken = true;
  const http::Response response = log_in(url);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(location(response), "");
  database_.broken = false;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(fail_login().status, 401);  // it counted for nothing
}

TEST_F(AttackTest, BrokenStoreGivesNoToken) {
  const std::string value = code();
  const Json issued = tokens("openid offline_access");
  database_.broken = true;
  for (const http::Response& response :
       {token(redemption(value)), refresh(issued["refresh_token"])}) {
    EXPECT_EQ(response.status, 503);
    EXPECT_FALSE(json(response).contains("access_token"));
  }
  EXPECT_EQ(userinfo(issued["access_token"]).status, 503);
  database_.broken = false;
  EXPECT_EQ(token(redemption(value)).status, 200);
}

TEST_F(AttackTest, FullPoolIs503AndCountsForNothing) {
  // A pool without a thread that accepts nothing.
  BlockingPool full({.name = "full", .threads = 0, .queue_limit = 0});
  PasswordVerifier verifier(full, kTestCost, entropy_);
  const Result<PasswordVerdict> verdict =
      loop_.wait(verifier.verify(loop_, Secret(kPassword), cheap_hash(kPassword)));
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, ErrorCode::kExhausted);
}

TEST_F(AttackTest, WrongSealingKeyDoesNotStart) {
  SharedState stranger(test_settings(), Secret("another key of thirty-two bytes!"), hash_pool_,
                       entropy_, clock_);
  const Result<void> started = stranger.start(database_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(stranger.ready());
}

TEST_F(AttackTest, StoreHoldsNoSecretInTheClear) {
  const std::string value = code();
  const Json issued = tokens("openid offline_access");
  const std::string refresh_token = issued["refresh_token"];
  refresh(refresh_token);
  const Result<void> looked = transact([&](store::Transaction& transaction) -> Result<void> {
    EXPECT_FALSE(transaction.take_one_time("code", value).value());
    EXPECT_FALSE(transaction.refresh_token(refresh_token).value());
    const auto row = transaction.refresh_token(hex_encode(crypto::sha256(refresh_token))).value();
    EXPECT_TRUE(row && row->rotated && !row->successor.empty());
    for (const store::Key& key : transaction.keys("sign/RS256").value()) {
      EXPECT_FALSE(crypto::PrivateKey::from_der(Secret(key.sealed)));
    }
    return {};
  });
  EXPECT_TRUE(looked);
}

}  // namespace
}  // namespace gatehouse::identity
