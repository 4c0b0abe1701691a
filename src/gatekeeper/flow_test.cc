// The whole way of a person through the front door, in process, with a provider beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gatekeeper/test_world.h"

namespace gatehouse::gatekeeper {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

constexpr const char* kPage = "/pipeline/?ns=a%20b";
constexpr const char* kSession = "gatehouse_session";

class Flow : public testing::Test {
 protected:
  void SetUp() override { world.start(); }
  World world;
  Browser browser{world};
};

TEST_F(Flow, AStrangerIsRedirectedToLogInWithTheParametersInOrder) {
  const http::Response response = browser.open(kPage);
  EXPECT_EQ(response.status, 301);
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  EXPECT_THAT(header(response, "Location"),
              MatchesRegex("/dex/auth\\?client_id=authservice-oidc"
                           "&redirect_uri=%2Fauthservice%2Foidc%2Fcallback&response_type=code"
                           "&scope=openid\\+profile\\+email\\+groups&state=[A-Za-z0-9_-]+"
                           "&nonce=[A-Za-z0-9_-]+&code_challenge=[A-Za-z0-9_-]+"
                           "&code_challenge_method=S256"));
}

TEST_F(Flow, TheRedirectOfAStrangerAsksNeitherStoreNorProvider) {
  world.database->broken = true;
  EXPECT_EQ(browser.open(kPage).status, 301);
  EXPECT_EQ(world.provider.requests, 0);
}

TEST_F(Flow, TheStatusOfTheRedirectIsASetting) {
  for (const int status : {301, 302, 303}) {
    config::Gatekeeper settings;
    settings.redirect_status = status;
    World other(settings);
    other.start();
    EXPECT_EQ(Browser(other).open(kPage).status, status);
  }
}

TEST_F(Flow, ALoginEndsAtTheOriginalPageByteForByteWithASessionCookie) {
  const http::Response response = browser.log_in(kPage);
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(header(response, "Location"), kPage);
  const auto cookies = set_cookies(response, std::string(kSession) + "=");
  ASSERT_EQ(cookies.size(), 1U);
  EXPECT_THAT(cookies[0], HasSubstr("HttpOnly"));
  EXPECT_THAT(cookies[0], HasSubstr("SameSite=Lax"));
  EXPECT_THAT(cookies[0], HasSubstr("Path=/"));
  EXPECT_THAT(cookies[0], Not(HasSubstr("Secure")));
  EXPECT_LT(cookies[0].size(), 1024U);
  EXPECT_EQ(browser.user_at(kPage), "ada@example.org");
}

TEST_F(Flow, OverHttpsTheCookiesAreSecureAndBoundToTheHost) {
  browser.https = true;
  const http::Response response = browser.log_in(kPage);
  const auto cookies = set_cookies(response, "__Host-gatehouse_session=");
  ASSERT_EQ(cookies.size(), 1U);
  EXPECT_THAT(cookies[0], HasSubstr("Secure"));
  EXPECT_TRUE(set_cookies(response, kSession).empty());
  EXPECT_EQ(browser.user_at(kPage), "ada@example.org");
}

TEST_F(Flow, TheVerdictSetsUserAndGroupsAndNamesTheSession) {
  browser.log_in(kPage);
  http::Request request = make_request("GET", kPage);
  request.headers.add("Cookie", browser.cookie_field());
  const http::Verdict verdict = world.judge(request);
  const auto* allow = std::get_if<http::Allow>(&verdict);
  ASSERT_NE(allow, nullptr);
  EXPECT_EQ(allow->set[0],
            (std::pair<std::string, std::string>("kubeflow-userid", "ada@example.org")));
  EXPECT_EQ(allow->set[1],
            (std::pair<std::string, std::string>("kubeflow-groups", "team-a,team-b")));
  EXPECT_EQ(allow->set[2], (std::pair<std::string, std::string>("gatehouse-session-expires",
                                                                "2027-01-16T08:00:00Z")));
  EXPECT_EQ(allow->user, "ada@example.org");
  EXPECT_FALSE(allow->session.empty());
}

TEST_F(Flow, WithoutGroupsTheGroupsHeaderIsRemoved) {
  world.provider.person.erase("groups");
  browser.log_in(kPage);
  http::Request request = make_request("GET", kPage);
  request.headers.add("Cookie", browser.cookie_field());
  const http::Verdict verdict = world.judge(request);
  EXPECT_THAT(std::get<http::Allow>(verdict).remove, testing::Contains("kubeflow-groups"));
}

TEST_F(Flow, EachLoginGetsAFreshSessionId) {  // GHSA-f24x-5g9q-753f: fixation
  browser.log_in(kPage);
  const std::string first = *browser.cookie(kSession);
  Browser again(world);
  again.cookies.emplace_back(kSession, "planted");
  again.log_in(kPage);
  EXPECT_NE(*again.cookie(kSession), first);
  EXPECT_NE(*again.cookie(kSession), "planted");
}

TEST_F(Flow, TwoTabsThatLogInAtOnceBothEndAtTheirOwnPage) {
  const std::string first = header(browser.open("/tab/1?a=1"), "Location");
  const std::string second = header(browser.open("/tab/2?b=2"), "Location");
  EXPECT_EQ(header(browser.open(world.provider.log_in(second)), "Location"), "/tab/2?b=2");
  EXPECT_EQ(header(browser.open(world.provider.log_in(first)), "Location"), "/tab/1?a=1");
  EXPECT_EQ(browser.user_at(kPage), "ada@example.org");
}

TEST_F(Flow, ManyTabsThatComeBackAtOnceAreNoLoop) {
  std::vector<std::string> locations;
  for (int tab = 0; tab < 6; ++tab) {
    locations.push_back(header(browser.open("/tab/" + std::to_string(tab)), "Location"));
  }
  for (const std::string& location : locations) {
    EXPECT_EQ(browser.open(world.provider.log_in(location)).status, 303);
  }
}

TEST_F(Flow, AtMostSixLoginsAreKeptAndTheOldestGoes) {
  const std::string oldest = header(browser.open("/tab/0"), "Location");
  for (int tab = 1; tab <= 6; ++tab) browser.open("/tab/" + std::to_string(tab));
  EXPECT_EQ(browser.cookies.size(), 6U);
  // The first tab's login starts afresh.
  const http::Response response = browser.open(world.provider.log_in(oldest));
  EXPECT_THAT(header(response, "Location"), StartsWith("/dex/auth?"));
}

TEST_F(Flow, TheLoginCookieGoesWhenItWasUsed) {
  browser.log_in(kPage);
  for (const auto& [name, value] : browser.cookies) {
    EXPECT_THAT(name, Not(StartsWith("gatehouse_login_")));
  }
}

TEST_F(Flow, AReplayedCallbackWithALiveSessionLeadsOn) {
  const std::string callback = world.provider.log_in(header(browser.open(kPage), "Location"));
  browser.open(callback);
  const http::Response response = browser.open(callback);
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(header(response, "Location"), "/");
}

TEST_F(Flow, ACodeUsedAlreadyWithALiveSessionLeadsToTheOriginalPage) {
  const std::string callback = world.provider.log_in(header(browser.open(kPage), "Location"));
  const auto before = browser.cookies;
  browser.open(callback);
  for (const auto& cookie : before) browser.cookies.push_back(cookie);  // as if it had not gone
  const http::Response response = browser.open(callback);
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(header(response, "Location"), kPage);
}

TEST_F(Flow, AStaleCallbackWithoutASessionStartsAfresh) {
  const std::string callback = world.provider.log_in(header(browser.open(kPage), "Location"));
  browser.cookies.clear();
  const http::Response response = browser.open(callback);
  EXPECT_EQ(response.status, 301);
  EXPECT_THAT(header(response, "Location"), StartsWith("/dex/auth?"));
  EXPECT_EQ(world.provider.exchanges, 0);
  // And that one succeeds.
  EXPECT_EQ(browser.open(world.provider.log_in(header(response, "Location"))).status, 303);
  EXPECT_EQ(browser.user_at("/"), "ada@example.org");
}

TEST_F(Flow, ALoginThatTookTooLongStartsAfresh) {
  const std::string callback = world.provider.log_in(header(browser.open(kPage), "Location"));
  world.clock.advance(std::chrono::hours(2));
  EXPECT_THAT(header(browser.open(callback), "Location"), StartsWith("/dex/auth?"));
  EXPECT_EQ(world.provider.exchanges, 0);
}

TEST_F(Flow, ACodeReplayedWithoutASessionStartsAfreshForTheSamePage) {
  const std::string callback = world.provider.log_in(header(browser.open(kPage), "Location"));
  const auto before = browser.cookies;
  browser.open(callback);
  browser.cookies = before;
  const http::Response again = browser.open(callback);
  EXPECT_THAT(header(again, "Location"), StartsWith("/dex/auth?"));
  EXPECT_EQ(browser.cookie(kSession), nullptr);
  const http::Response done = browser.open(world.provider.log_in(header(again, "Location")));
  EXPECT_EQ(header(done, "Location"), kPage);
}

TEST_F(Flow, ABrowserThatKeepsNoCookiesGetsAPageInsteadOfALoop) {
  std::string location = header(browser.open(kPage), "Location");
  http::Response response;
  int rounds = 0;
  do {
    browser.cookies.clear();
    response = browser.open(world.provider.log_in(location));
    location = header(response, "Location");
  } while (!location.empty() && ++rounds < 10);
  EXPECT_LE(rounds, 3);
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body.bytes, HasSubstr("Your browser did not keep a cookie"));
}

TEST_F(Flow, ABrowserThatLosesTheSessionCookieAloneGetsAPageInsteadOfALoop) {
  http::Response response;
  int rounds = 0;
  do {
    std::erase_if(browser.cookies, [](const auto& cookie) { return cookie.first == kSession; });
    response = browser.log_in(kPage);
  } while (response.status == 303 && ++rounds < 10);
  EXPECT_EQ(rounds, 3);
  EXPECT_THAT(response.body.bytes, HasSubstr("Your browser did not keep a cookie"));
}

TEST_F(Flow, LoggingInAndOutAgainAndAgainIsNoLoop) {
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(browser.log_in(kPage).status, 303);
    EXPECT_EQ(browser.send("POST", "/authservice/logout", kNavigation).status, 303);
  }
}

TEST_F(Flow, ARestartLosesNoSession) {
  browser.log_in(kPage);
  World after({}, "", world.database);
  after.start();
  Browser same(after);
  same.cookies = browser.cookies;
  EXPECT_EQ(same.user_at(kPage), "ada@example.org");
}

TEST_F(Flow, TheBearerFormOfTheSessionPassesAndDoesNotReachTheUpstream) {
  browser.log_in(kPage);
  const http::Request request = make_request(
      "GET", "/pipeline/apis/v1", {{"Authorization", "Bearer " + *browser.cookie(kSession)}});
  const http::Verdict verdict = world.judge(request);
  const auto* allow = std::get_if<http::Allow>(&verdict);
  ASSERT_NE(allow, nullptr);
  EXPECT_THAT(allow->remove, testing::Contains("authorization"));
}

TEST_F(Flow, AnUpstreamsOwnBearerTokenGoesOnBesideTheCookie) {
  browser.log_in(kPage);
  http::Request request = make_request("GET", "/kserve/", {{"Authorization", "Bearer a.b.c"}});
  request.headers.add("Cookie", browser.cookie_field());
  const http::Verdict verdict = world.judge(request);
  EXPECT_THAT(std::get<http::Allow>(verdict).remove, Not(testing::Contains("authorization")));
}

TEST_F(Flow, AnAuthorizationHeaderThatIsNotOursIsNoSession) {  // CVE-2022-29226
  for (const char* value : {"Bearer a.b.c", "Bearer ", "Basic YTpi", "Bearer x"}) {
    http::Request request =
        make_request("GET", kPage, {{"Authorization", value}, {"X-Requested-With", "x"}});
    const http::Verdict verdict = world.judge(request);
    const auto* deny = std::get_if<http::Deny>(&verdict);
    ASSERT_NE(deny, nullptr) << value;
    EXPECT_EQ(deny->response.status, 401);
  }
}

TEST_F(Flow, WhoCannotLogInGets401WithAChallengeAndJson) {
  const http::Response response =
      browser.send("GET", "/api", {{"X-Requested-With", "XMLHttpRequest"}});
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(header(response, "WWW-Authenticate"), "Bearer realm=\"gatehouse\"");
  EXPECT_THAT(response.body.bytes, HasSubstr("\"error\":\"login_required\""));
  EXPECT_EQ(header(response, "Location"), "");
}

}  // namespace
}  // namespace gatehouse::gatekeeper
