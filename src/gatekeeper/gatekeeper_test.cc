// Verdicts: who passes, who does not, and that whatever fails denies.
#include "gatekeeper/gatekeeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gatekeeper/session_token.h"
#include "gatekeeper/test_world.h"

namespace gatehouse::gatekeeper {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

constexpr const char* kPage = "/pipeline/";
constexpr const char* kSession = "gatehouse_session";

class Verdicts : public testing::Test {
 protected:
  void SetUp() override { world.start(); }
  http::Verdict judge(std::string_view target, const std::string& cookie = "",
                      Fields fields = kNavigation) {
    http::Request request = make_request("GET", target, fields);
    if (!cookie.empty()) request.headers.add("Cookie", cookie);
    return world.judge(request);
  }
  bool passes(std::string_view target, const std::string& cookie = "") {
    return std::holds_alternative<http::Allow>(judge(target, cookie));
  }
  std::string session() {
    Browser browser(world);
    browser.log_in(kPage);
    return *browser.cookie(kSession);
  }
  static std::string cookie(std::string_view value) {
    return std::string(kSession) + "=" + std::string(value);
  }

  World world;
};

TEST_F(Verdicts, TheProvidersPathPassesUnaskedAsNobody) {
  const http::Verdict verdict = judge("/dex/auth?x=1");
  const auto& allow = std::get<http::Allow>(verdict);
  EXPECT_TRUE(allow.set.empty());
  EXPECT_THAT(allow.remove,
              ElementsAre("kubeflow-userid", "kubeflow-groups", "gatehouse-session-expires"));
  EXPECT_EQ(allow.user, "");
}

TEST_F(Verdicts, APathPassesByWholeSegmentsOnly) {  // CVE-2026-33494, CVE-2025-54576
  EXPECT_TRUE(passes("/dex"));
  EXPECT_TRUE(passes("/dex/"));
  EXPECT_TRUE(passes("/authservice/verify"));
  for (const char* target : {"/dexter", "/dex-admin/", "/Dex/", "/pipeline/dex/", "/?/dex/",
                             "/pipeline/?x=/dex/", "/authservices/", "/"}) {
    EXPECT_FALSE(passes(target)) << target;
  }
  // What could be read as /dex by one and as another path by the next never gets so far.
  for (const char* target :
       {"/dex/../pipeline/", "/dex/%2e%2e/pipeline/", "/dex%2fx", "/dex/..;/"}) {
    EXPECT_FALSE(http::parse_target(target)) << target;
  }
}

TEST_F(Verdicts, AHealthChecksUserAgentPassesNowhere) {  // CVE-2026-34457
  EXPECT_FALSE(
      std::holds_alternative<http::Allow>(judge(kPage, "", {{"User-Agent", "kube-probe/1.29"}})));
}

TEST_F(Verdicts, ABadCookieIsAStrangerAndIsDeleted) {  // CVE-2026-25748, CVE-2021-32637
  const std::string good = session();
  const std::string none = base64url_encode(R"({"alg":"none"})") + good.substr(good.find('.'));
  for (const std::string& value :
       {std::string("x"), std::string(), std::string("\"\""), std::string("a.b.c"), good + "x",
        none, none.substr(0, none.rfind('.') + 1), good.substr(1), "\"" + good + "\"",
        std::string(20'000, 'a'), std::string("%00"), std::string("a.b.c.d")}) {
    const http::Verdict verdict = judge(kPage, cookie(value));
    const auto* deny = std::get_if<http::Deny>(&verdict);
    ASSERT_NE(deny, nullptr) << value.substr(0, 60);
    EXPECT_EQ(deny->response.status, 301);
    const auto deleted = set_cookies(deny->response, std::string(kSession) + "=;");
    ASSERT_THAT(deleted, SizeIs(1)) << value.substr(0, 60);
    EXPECT_THAT(deleted[0], HasSubstr("Max-Age=0"));
  }
}

TEST_F(Verdicts, ABadCookieOfAScriptIsA401) {
  const http::Verdict verdict = judge(kPage, cookie("a.b.c"), {{"X-Requested-With", "x"}});
  const auto& response = std::get<http::Deny>(verdict).response;
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(header(response, "WWW-Authenticate"), HasSubstr("error=\"invalid_token\""));
}

TEST_F(Verdicts, AnExpiredSessionIsRefused) {
  const std::string value = cookie(session());
  world.clock.advance(std::chrono::hours(24) - std::chrono::seconds(1));
  EXPECT_TRUE(passes(kPage, value));
  world.clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(passes(kPage, value));
}

TEST_F(Verdicts, AClockThatJumpsNeverLetsMoreIn) {
  const std::string value = cookie(session());
  world.clock.advance(std::chrono::hours(24 * 365));
  EXPECT_FALSE(passes(kPage, value));
  world.clock.advance(-std::chrono::hours(24 * 366));
  EXPECT_FALSE(passes(kPage, value));
  world.clock.advance(std::chrono::hours(24));
  EXPECT_TRUE(passes(kPage, value));
}

TEST_F(Verdicts, APlantedCopyOfTheCookieDoesNotChangeWhoItIs) {  // CVE-2021-32777
  const std::string mine = session();
  world.provider.person["email"] = "mallory@example.org";
  const std::string planted = session();
  EXPECT_FALSE(passes(kPage, cookie(planted) + "; " + cookie(mine)));
  EXPECT_FALSE(passes(kPage, cookie(mine) + "; " + cookie(planted)));
  EXPECT_TRUE(passes(kPage, cookie(mine) + "; " + cookie(mine)));
  EXPECT_TRUE(passes(kPage, cookie("junk") + "; " + cookie(mine)));
  std::string many = cookie(mine);
  for (int i = 0; i < 20; ++i) many += "; " + cookie(mine);
  EXPECT_FALSE(passes(kPage, many));
}

TEST_F(Verdicts, ABearerOfAnotherSessionThanTheCookiesIsRefused) {
  const std::string mine = session();
  const std::string other = session();
  EXPECT_TRUE(std::holds_alternative<http::Deny>(
      judge(kPage, cookie(mine), {{"Authorization", "Bearer " + other}})));
}

TEST_F(Verdicts, OverHttpsAPlainCookieIsNotLookedAt) {
  http::Request request = make_request("GET", kPage);
  auto peer = std::make_shared<http::Peer>();
  peer->tls = true;
  request.peer = peer;
  request.headers.add("Cookie", cookie(session()));
  EXPECT_TRUE(std::holds_alternative<http::Deny>(world.judge(request)));
}

TEST_F(Verdicts, SessionsOfAnotherGatekeeperAreRefused) {
  World other;  // a store, and so keys, of its own
  other.start();
  Browser browser(other);
  browser.log_in(kPage);
  EXPECT_FALSE(passes(kPage, cookie(*browser.cookie(kSession))));
}

TEST_F(Verdicts, AnOpenSessionIsJudgedWithoutTheStore) {
  const std::string value = cookie(session());
  world.database->broken = true;
  EXPECT_TRUE(passes(kPage, value));
}

TEST_F(Verdicts, APrefixAndOtherHeadersAreSettings) {
  config::Gatekeeper settings;
  settings.userid_prefix = "oidc:";
  settings.userid_header = "x-user";
  settings.userid_claim = "sub";
  World other(settings);
  other.start();
  Browser browser(other);
  browser.log_in(kPage);
  http::Request request = make_request("GET", kPage);
  request.headers.add("Cookie", browser.cookie_field());
  const http::Verdict verdict = other.judge(request);
  EXPECT_THAT(std::get<http::Allow>(verdict).set,
              Contains(std::pair<std::string, std::string>("x-user", "oidc:1")));
  EXPECT_THAT(other.gatekeeper->managed_headers(), Contains("x-user"));
}

TEST_F(Verdicts, TheCookiesOfOursAreKeptFromUpstreams) {
  EXPECT_THAT(world.gatekeeper->private_cookies(),
              testing::IsSupersetOf({"gatehouse_*", "__Host-gatehouse_*", "gatehouse_session"}));
}

TEST_F(Verdicts, TheTargetOfATooLongRequestIsItsPath) {
  Browser browser(world);
  const http::Response response = browser.log_in("/pipeline/?q=" + std::string(4'000, 'a'));
  EXPECT_EQ(header(response, "Location"), "/pipeline/");
}

TEST(BeforeTheStart, EverythingIsDenied) {
  World world;
  world.gatekeeper = world.make_loop();
  EXPECT_FALSE(world.shared->ready());
  EXPECT_TRUE(std::holds_alternative<http::Failure>(world.judge(make_request("GET", kPage))));
  http::Request verify = make_request("GET", "/authservice/verify");
  EXPECT_EQ(world.handle(verify).status, 503);
}

TEST(Start, FailsWithTheStore) {
  World world;
  world.database->broken = true;
  const Result<void> started = world.shared->start(*world.database);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(world.shared->ready());
}

TEST(Start, FailsForATrustedProxyThatIsNone) {
  config::Gatekeeper settings;
  settings.trusted_proxies = {"10.0.0.0/33"};
  World world(settings);
  EXPECT_EQ(world.shared->start(*world.database).error().code, ErrorCode::kInvalid);
}

TEST(Start, MakesAClientSecretOnceAndKeepsIt) {
  World first;
  first.start();
  World second({}, "", first.database);
  second.start();
  EXPECT_GE(first.shared->client_secret().reveal().size(), 32U);
  EXPECT_EQ(first.shared->client_secret().reveal(), second.shared->client_secret().reveal());
  config::Gatekeeper settings;
  settings.client_secret = Secret("given");
  World third(settings, "", first.database);
  third.start();
  EXPECT_EQ(third.shared->client_secret().reveal(), "given");
}

TEST_F(Verdicts, MaintenanceRotatesKeysWithoutEndingSessions) {
  const std::string value = cookie(session());
  for (int hour = 0; hour < 23; ++hour) {
    world.clock.advance(std::chrono::hours(1));
    world.maintain();
    EXPECT_TRUE(passes(kPage, value));
  }
  world.clock.advance(std::chrono::minutes(59));
  world.maintain();
  EXPECT_TRUE(passes(kPage, value));
  const std::string head = value.substr(0, value.find('.'));
  world.clock.advance(std::chrono::hours(2));
  world.maintain();
  EXPECT_NE(cookie(session()).substr(0, head.size()), head);  // another key by now
}

TEST_F(Verdicts, MaintenanceThatFailsKeepsWhatIsKnown) {
  const std::string value = cookie(session());
  world.database->broken = true;
  world.maintain();
  EXPECT_TRUE(passes(kPage, value));
}

TEST_F(Verdicts, MaintenanceCollectsWhatExpired) {
  session();
  world.clock.advance(std::chrono::hours(72));
  world.maintain();
  const auto rows = *store::transact_now(*world.database, [](store::Transaction& transaction) {
    return transaction.sessions_of("ada@example.org");
  });
  EXPECT_TRUE(rows.empty());
}

TEST_F(Verdicts, WithoutAKeyThatSealsAStrangerGets503) {
  world.database->broken = true;
  world.clock.advance(std::chrono::hours(48));
  world.maintain();
  const http::Verdict verdict = judge(kPage);
  EXPECT_EQ(std::get<http::Deny>(verdict).response.status, 503);
}

// External authorization.

class External : public Verdicts {
 protected:
  http::Response ask(std::string method, std::string_view target, Fields fields) {
    http::Request request = make_request(std::move(method), target, fields);
    return world.authorize(request);
  }
};

TEST_F(External, Exactly200AllowsAndCarriesTheIdentity) {
  for (const char* method : {"GET", "POST", "DELETE", "OPTIONS"}) {
    const http::Response response = ask(method, kPage, {{"Cookie", cookie(session())}});
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(header(response, "kubeflow-userid"), "ada@example.org");
    EXPECT_EQ(header(response, "kubeflow-groups"), "team-a,team-b");
    EXPECT_EQ(header(response, "x-gatehouse-user"), "ada@example.org");
    EXPECT_FALSE(header(response, "x-gatehouse-session").empty());
  }
}

TEST_F(External, WhatTheVerdictDoesNotSetIsNamedForRemoval) {  // CVE-2026-30851
  world.provider.person.erase("groups");
  EXPECT_EQ(
      header(ask("GET", kPage, {{"Cookie", cookie(session())}}), "x-envoy-auth-headers-to-remove"),
      "kubeflow-groups");
  EXPECT_THAT(header(ask("GET", "/dex/auth", {{"kubeflow-userid", "root@x"}}),
                     "x-envoy-auth-headers-to-remove"),
              HasSubstr("kubeflow-userid"));
}

TEST_F(External, AStrangerGetsTheRedirectOrA401) {
  EXPECT_EQ(ask("GET", kPage, kNavigation).status, 301);
  EXPECT_EQ(ask("POST", kPage, {}).status, 401);
  EXPECT_EQ(ask("GET", kPage, {{"kubeflow-userid", "root@example.org"}, {"X-Requested-With", "x"}})
                .status,
            401);
}

TEST_F(External, OwnPathsAreServed) {
  EXPECT_EQ(ask("GET", "/authservice/site/after_logout", {}).status, 200);
  EXPECT_EQ(ask("GET", "/authservice/nothing", {}).status, 404);
}

TEST_F(External, BeforeTheStartNothingIsAllowed) {
  World cold;
  cold.gatekeeper = cold.make_loop();
  http::Request request = make_request("GET", kPage);
  EXPECT_EQ(cold.authorize(request).status, 503);
}

TEST_F(External, VerifyAnswers204OrNot) {
  const http::Response good = ask("GET", "/authservice/verify", {{"Cookie", cookie(session())}});
  EXPECT_EQ(good.status, 204);
  EXPECT_EQ(header(good, "kubeflow-userid"), "ada@example.org");
  EXPECT_EQ(ask("GET", "/authservice/verify", {{"X-Requested-With", "x"}}).status, 401);
  EXPECT_EQ(ask("GET", "/authservice/verify", kNavigation).status, 301);
}

TEST_F(External, AForgedOriginalUriPassesNowhere) {  // CVE-2026-40575, CVE-2026-76835
  for (const char* name : {"X-Forwarded-Uri", "X-Original-URI", "X-Original-URL", "X-Rewrite-URL",
                           "X-Forwarded-Prefix", "X-Envoy-Original-Path"}) {
    for (const char* target : {"/authservice/verify", kPage}) {
      EXPECT_EQ(ask("GET", target, {{name, "/dex/auth"}, {"X-Requested-With", "x"}}).status, 401)
          << name;
    }
  }
}

TEST_F(External, ForwardedHeadersOfNobodyWeTrustChangeNothing) {  // CVE-2023-36456
  const http::Response response = ask(
      "GET", kPage,
      {{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "evil.example"}, {"Accept", "*/*"}});
  EXPECT_TRUE(set_cookies(response, "__Host-").empty());
}

TEST_F(External, OfATrustedProxyHttpsIsBelieved) {
  config::Gatekeeper settings;
  settings.trusted_proxies = {"192.0.2.0/24"};
  World other(settings);
  other.start();
  http::Request request =
      make_request("GET", kPage, {{"X-Forwarded-Proto", "https"}, {"Accept", "*/*"}});
  EXPECT_THAT(set_cookies(other.authorize(request), "__Host-gatehouse_login_"), SizeIs(1));
}

// Our own pages.

class Own : public External {};

TEST_F(Own, TheSessionDocumentTellsWhoIsSignedIn) {
  const std::string value = session();
  const http::Response response = ask("GET", "/authservice/session", {{"Cookie", cookie(value)}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  const Json document = *parse_json(response.body.bytes);
  EXPECT_EQ(document["user"], "ada@example.org");
  EXPECT_EQ(document["groups"], Json({"team-a", "team-b"}));
  EXPECT_EQ(document["expires"], unix_seconds(world.clock.now()) + 86'400);
  EXPECT_EQ(document["session"].get<std::string>().size(), 8U);
  EXPECT_THAT(response.body.bytes, testing::Not(HasSubstr(value)));
}

TEST_F(Own, TheSessionDocumentIsForThisSiteOnly) {
  EXPECT_EQ(ask("GET", "/authservice/session",
                {{"Cookie", cookie(session())}, {"Sec-Fetch-Site", "cross-site"}})
                .status,
            403);
  EXPECT_EQ(ask("GET", "/authservice/session", {}).status, 401);
}

TEST_F(Own, PagesNeedNoScriptAndNoInlineStyle) {
  for (const char* path : {"/authservice/site/after_logout", "/authservice/site/homepage",
                           "/authservice/oidc/callback", "/authservice/nothing"}) {
    const http::Response response = ask("GET", path, kNavigation);
    const std::string& html = response.body.bytes;
    EXPECT_THAT(header(response, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
    EXPECT_THAT(html, HasSubstr("<html lang=\"en\">"));
    EXPECT_THAT(html, HasSubstr("width=device-width"));
    EXPECT_THAT(html, testing::Not(HasSubstr("<script")));
    EXPECT_THAT(html, testing::Not(HasSubstr("style=")));
  }
}

TEST_F(Own, TheStylesheetIsNamedByItsHashAndKept) {
  const http::Response page = ask("GET", "/authservice/site/after_logout", kNavigation);
  const std::string& html = page.body.bytes;
  const std::size_t start = html.find("/authservice/static/");
  const std::string path = html.substr(start, html.find('"', start) - start);
  const http::Response sheet = ask("GET", path, {});
  EXPECT_EQ(sheet.status, 200);
  EXPECT_THAT(header(sheet, "Content-Type"), StartsWith("text/css"));
  EXPECT_THAT(header(sheet, "Cache-Control"), HasSubstr("immutable"));
  EXPECT_THAT(sheet.body.bytes, HasSubstr("prefers-color-scheme: dark"));
}

}  // namespace
}  // namespace gatehouse::gatekeeper
