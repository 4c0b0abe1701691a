// The login page as a browser and a script see it.
#include <algorithm>

#include "identity/test_provider.h"

namespace gatehouse::identity {
namespace {

class LoginPageTest : public ProviderTest {
 protected:
  static bool holds(const http::Response& response, std::string_view text) {
    return response.body.bytes.find(text) != std::string::npos;
  }
  static std::string policy(const http::Response& response) {
    return std::string(response.headers.get("Content-Security-Policy").value_or(""));
  }
  /// The first path in the page that ends so.
  static std::string link(const http::Response& page, const std::string& extension) {
    const std::string& text = page.body.bytes;
    const std::size_t end = text.find(extension + "\"") + extension.size();
    const std::size_t begin = text.rfind('"', end - 1) + 1;
    return text.substr(begin, end - begin);
  }
};

TEST_F(LoginPageTest, NeedsNoScriptAndAllowsNone) {
  const http::Response page = get(login_url());
  EXPECT_FALSE(holds(page, "<script"));
  EXPECT_FALSE(holds(page, " style="));
  EXPECT_FALSE(holds(page, "<style"));
  EXPECT_EQ(policy(page),
            "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
            "frame-ancestors 'none'; form-action 'self'");
  EXPECT_EQ(page.headers.get("Cache-Control"), "no-store");
  EXPECT_LT(page.body.bytes.size(), 30'000u);
}

TEST_F(LoginPageTest, PolicyLetsTheRedirectAfterTheFormThrough) {
  http::Parameters asked = authorization();
  for (auto& [name, value] : asked) {
    if (name == "redirect_uri") value = "https://app.example/cb";
  }
  EXPECT_TRUE(policy(get(login_url(asked))).ends_with("form-action 'self' https://app.example"));
}

TEST_F(LoginPageTest, BrowsersSendTheirOriginWithTheForm) {
  // Under no-referrer they would send "Origin: null".
  EXPECT_EQ(get(login_url()).headers.get("Referrer-Policy"), "same-origin");
}

TEST_F(LoginPageTest, FieldsHaveLabelsAndWhatPasswordStoresNeed) {
  const http::Response page = get(login_url());
  EXPECT_TRUE(holds(page, "<title>Sign in · Gatehouse</title>"));
  EXPECT_TRUE(holds(page, "<label for=\"login\">"));
  EXPECT_TRUE(holds(page, "<label for=\"password\">"));
  EXPECT_TRUE(holds(page, "autocomplete=\"username\""));
  EXPECT_TRUE(holds(page, "autocomplete=\"current-password\""));
  EXPECT_TRUE(holds(page, "to continue to <strong>Kubeflow</strong>"));
  EXPECT_FALSE(holds(page, "role=\"alert\""));
}

TEST_F(LoginPageTest, WrongPasswordShowsThePageAgainWithTheName) {
  const http::Response page = log_in(login_url(), "alice@example.org", "wrong password");
  EXPECT_EQ(page.status, 401);
  EXPECT_TRUE(holds(page, "role=\"alert\">That name and password do not match."));
  EXPECT_TRUE(holds(page, "aria-describedby=\"message\""));
  EXPECT_TRUE(holds(page, "value=\"alice@example.org\""));
  EXPECT_FALSE(holds(page, "wrong password"));
  EXPECT_EQ(log_in(login_url()).status, 303);
}

TEST_F(LoginPageTest, WhatWasTypedCannotBecomeMarkup) {
  const http::Response page = log_in(login_url(), "\"><script>alert(1)</script>", "x");
  EXPECT_FALSE(holds(page, "<script"));
  http::Parameters hinted = authorization();
  hinted.emplace_back("login_hint", "'\"><img src=x>");
  EXPECT_FALSE(holds(get(login_url(hinted)), "<img src=x"));
}

TEST_F(LoginPageTest, LoginHintIsFilledIn) {
  http::Parameters hinted = authorization();
  hinted.emplace_back("login_hint", "bob@example.org");
  EXPECT_TRUE(holds(get(login_url(hinted)), "value=\"bob@example.org\""));
}

TEST_F(LoginPageTest, BackButtonAndReloadLeadOn) {
  const std::string url = login_url();
  EXPECT_EQ(log_in(url).status, 303);
  EXPECT_EQ(get(url).status, 200);
  const http::Response again = log_in(url);
  EXPECT_EQ(again.status, 303);
  EXPECT_EQ(token(redemption(parameter(location(again), "code"))).status, 200);
}

TEST_F(LoginPageTest, TwoTabsDoNotDisturbOneAnother) {
  const std::string one = login_url();
  const std::string two = login_url();
  const std::string first = parameter(location(log_in(one)), "code");
  const std::string second = parameter(location(log_in(two)), "code");
  EXPECT_EQ(token(redemption(second)).status, 200);
  EXPECT_EQ(token(redemption(first)).status, 200);
}

TEST_F(LoginPageTest, TheStyleSheetIsKeptForEver) {
  const http::Response file = get(link(get(login_url()), ".css"));
  EXPECT_EQ(file.status, 200);
  EXPECT_EQ(file.headers.get("Content-Type"), "text/css; charset=utf-8");
  EXPECT_EQ(file.headers.get("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(get("/dex/static/0000000000000000.css").status, 404);
}

TEST_F(LoginPageTest, OldHashIsRenewedAtTheNextRightPassword) {
  config::Identity settings = test_settings();
  settings.passwords.argon2_memory_kib = 128;
  start(settings);
  EXPECT_EQ(log_in(login_url(), "alice@example.org", "wrong password").status, 401);
  EXPECT_EQ(log_in(login_url()).status, 303);
  const auto user = transact([](store::Transaction& transaction) {
    return transaction.user_by_email("alice@example.org");
  });
  EXPECT_TRUE(user.value()->password_hash.starts_with("$argon2id$v=19$m=128,"));
  EXPECT_EQ(log_in(login_url()).status, 303);
}

TEST_F(LoginPageTest, BcryptHashesAreTakenAndRenewed) {
  config::Identity settings = test_settings();
  // A published test vector of bcrypt.
  settings.users[0].password_hash =
      Secret("$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie");
  start(settings);
  EXPECT_EQ(log_in(login_url(), "alice", "correctbatteryhorsestapler").status, 303);
  const auto user = transact([](store::Transaction& transaction) {
    return transaction.user_by_email("alice@example.org");
  });
  EXPECT_TRUE(user.value()->password_hash.starts_with("$argon2id$"));
}

}  // namespace
}  // namespace gatehouse::identity
