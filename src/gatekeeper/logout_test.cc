#include "gatekeeper/logout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gatekeeper/test_world.h"

namespace gatehouse::gatekeeper {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kPage = "/pipeline/";
constexpr const char* kLogout = "/authservice/logout";
constexpr const char* kSession = "gatehouse_session";
const Fields kForm = {{"Accept", "text/html"},
                      {"Origin", "http://localhost:8080"},
                      {"Sec-Fetch-Site", "same-origin"},
                      {"Sec-Fetch-Mode", "navigate"}};

class LogoutTest : public testing::Test {
 protected:
  void SetUp() override {
    world.start();
    browser.log_in(kPage);
    kept = browser.cookies;
  }
  /// Whether the cookie that the browser had after its login still passes.
  bool still_good(World& at) {
    Browser same(at);
    same.cookies = kept;
    return !same.user_at(kPage).empty();
  }

  World world;
  Browser browser{world};
  std::vector<std::pair<std::string, std::string>> kept;
};

TEST_F(LogoutTest, AFormEndsTheSessionAndShowsASignedOutPage) {
  const http::Response response = browser.send("POST", kLogout, kForm);
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(header(response, "Location"), "/authservice/site/after_logout");
  EXPECT_EQ(browser.cookie(kSession), nullptr);
  EXPECT_FALSE(still_good(world));  // CVE-2024-21492
  const http::Response page = browser.open("/authservice/site/after_logout");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body.bytes, HasSubstr("Sign in again"));
  EXPECT_EQ(header(page, "Refresh"), "");
}

TEST_F(LogoutTest, TheSessionIsRefusedByEveryLoopBeforeTheAnswerIsOut) {
  const auto other_loop = world.make_loop();
  http::Request request = make_request("GET", kPage);
  request.headers.add("Cookie", browser.cookie_field());
  EXPECT_TRUE(std::holds_alternative<http::Allow>(world.loop.wait(other_loop->judge(request))));
  browser.send("POST", kLogout, kForm);
  EXPECT_TRUE(std::holds_alternative<http::Deny>(world.loop.wait(other_loop->judge(request))));
}

TEST_F(LogoutTest, TheSessionIsRefusedAfterARestart) {
  browser.send("POST", kLogout, kForm);
  World after({}, "", world.database);
  after.start();
  EXPECT_FALSE(still_good(after));
}

TEST_F(LogoutTest, TheSessionIsRefusedByAReplicaAfterItsPoll) {
  World replica({}, "", world.database);
  replica.start();
  EXPECT_TRUE(still_good(replica));
  browser.send("POST", kLogout, kForm);
  replica.maintain();
  EXPECT_FALSE(still_good(replica));
}

TEST_F(LogoutTest, ABearerGets201AndWhereToGo) {
  const http::Response response = Browser(world).send(
      "POST", kLogout, {{"Authorization", "Bearer " + *browser.cookie(kSession)}});
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body.bytes, R"({"afterLogoutURL":"/authservice/site/after_logout"})");
  EXPECT_FALSE(still_good(world));
}

TEST_F(LogoutTest, AScriptWithTheCookieGets201) {
  EXPECT_EQ(browser.send("POST", kLogout, {{"Accept", "*/*"}}).status, 201);
  EXPECT_FALSE(still_good(world));
}

TEST_F(LogoutTest, AnotherSitesFormDoesNotEndIt) {
  for (const Fields& fields :
       {Fields{{"Origin", "https://evil.example"}}, Fields{{"Origin", "null"}},
        Fields{{"Origin", "http://localhost:8080.evil.example"}},
        Fields{{"Sec-Fetch-Site", "cross-site"}}, Fields{{"Sec-Fetch-Site", "same-site"}},
        Fields{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://localhost:8080"}}}) {
    EXPECT_EQ(browser.send("POST", kLogout, fields).status, 403);
    EXPECT_TRUE(still_good(world));
  }
}

TEST_F(LogoutTest, OurOwnOriginIsEnoughWhereTheBrowserTellsNoMore) {
  EXPECT_EQ(
      browser.send("POST", kLogout, {{"Origin", "http://localhost:8080"}, {"Accept", "text/html"}})
          .status,
      303);
  EXPECT_FALSE(still_good(world));
}

TEST_F(LogoutTest, AGetAloneOnlyAsks) {
  for (const Fields& fields :
       {kNavigation, Fields{},
        Fields{{"Sec-Fetch-Site", "cross-site"},
               {"Sec-Fetch-Mode", "navigate"},
               {"Sec-Fetch-User", "?1"}},
        Fields{{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Mode", "no-cors"}}}) {
    const http::Response response = browser.send("GET", kLogout, fields);
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.body.bytes,
                HasSubstr("<form method=\"post\" action=\"/authservice/logout\">"));
    // With no-referrer the form's Origin would be "null".
    EXPECT_EQ(header(response, "Referrer-Policy"), "same-origin");
    EXPECT_TRUE(still_good(world));
  }
}

TEST_F(LogoutTest, AClickOnALinkOfOurOwnEndsIt) {
  const http::Response response = browser.send("GET", kLogout,
                                               {{"Accept", "text/html"},
                                                {"Sec-Fetch-Site", "same-origin"},
                                                {"Sec-Fetch-Mode", "navigate"},
                                                {"Sec-Fetch-User", "?1"}});
  EXPECT_EQ(response.status, 303);
  EXPECT_FALSE(still_good(world));
}

TEST_F(LogoutTest, WithoutASessionItIsDoneAlready) {
  EXPECT_EQ(Browser(world).send("POST", kLogout, kForm).status, 303);
  EXPECT_EQ(Browser(world).open(kLogout).status, 303);
}

TEST_F(LogoutTest, AStoreThatFailsLeavesTheSessionAndSaysSo) {
  world.database->broken = true;
  const http::Response response = browser.send("POST", kLogout, kForm);
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(set_cookies(response, kSession), IsEmpty());
  EXPECT_TRUE(still_good(world));
  world.database->broken = false;
  EXPECT_EQ(browser.send("POST", kLogout, kForm).status, 303);
  EXPECT_FALSE(still_good(world));
}

TEST_F(LogoutTest, EndsThisSessionAlone) {
  Browser phone(world);
  phone.log_in(kPage);
  browser.send("POST", kLogout, kForm);
  EXPECT_EQ(phone.user_at(kPage), "ada@example.org");
}

TEST_F(LogoutTest, OtherMethodsAreRefused) {
  const http::Response response = browser.send("DELETE", kLogout, kForm);
  EXPECT_EQ(response.status, 405);
  EXPECT_TRUE(still_good(world));
}

TEST_F(LogoutTest, TheSettingSaysWhereToGoAfterwards) {
  config::Gatekeeper settings;
  settings.after_logout_url = "https://example.org/bye";
  World other(settings);
  other.start();
  EXPECT_EQ(header(Browser(other).send("POST", kLogout, kForm), "Location"),
            "https://example.org/bye");
}

}  // namespace
}  // namespace gatehouse::gatekeeper
