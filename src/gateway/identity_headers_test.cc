#include "gateway/identity_headers.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::gateway {
namespace {

const IdentityHeaders& rules() {
  static const IdentityHeaders kRules({"kubeflow-userid", "kubeflow-groups"},
                                      {"gatehouse_*", "__Host-gatehouse_*"});
  return kRules;
}

TEST(IdentityHeaders, TheVerdictsCopyIsTheOnlyOne) {
  http::Headers headers;
  headers.add("Kubeflow-Userid", "mallory");
  headers.add("Accept", "*/*");
  headers.add("kubeflow-userid", "eve");
  rules().strip(headers);
  http::Allow allow;
  allow.set = {{"kubeflow-userid", "alice@example.org"}};
  ASSERT_TRUE(rules().apply(headers, allow));
  EXPECT_EQ(headers.count("kubeflow-userid"), 1U);
  EXPECT_EQ(headers.get("kubeflow-userid"), "alice@example.org");
  EXPECT_EQ(headers.get("accept"), "*/*");
}

TEST(IdentityHeaders, WhatIsAppendedStandsBesideTheClientsOwn) {
  http::Headers headers;
  headers.add("X-Team", "client's");
  headers.add("Kubeflow-Groups", "root");
  rules().strip(headers);
  http::Allow allow;
  allow.append = {{"X-Team", "a"}, {"kubeflow-groups", "users"}};
  ASSERT_TRUE(rules().apply(headers, allow));
  EXPECT_EQ(headers.count("x-team"), 2U);
  EXPECT_EQ(headers.only("kubeflow-groups"), "users");
  allow.append = {{"Host", "other"}};
  EXPECT_FALSE(rules().apply(headers, allow));
}

TEST(IdentityHeaders, VerdictsRemoveAndReplaceOtherHeadersUnderAnySpelling) {
  http::Headers headers;
  headers.add("Authorization", "Bearer client");
  headers.add("X_Team", "forged");
  http::Allow allow;
  allow.remove = {"authorization"};
  allow.set = {{"X-Team", "a"}, {"X-Team", "b"}};
  ASSERT_TRUE(rules().apply(headers, allow));
  EXPECT_FALSE(headers.has("authorization"));
  EXPECT_FALSE(headers.has("x_team"));
  EXPECT_EQ(headers.count("x-team"), 2U);
}

TEST(IdentityHeaders, InternalHeadersNeverComeFromAClient) {
  http::Headers headers;
  headers.add("X-Gatehouse-Session", "1");
  headers.add("x_gatehouse_user", "root");
  rules().strip(headers);
  EXPECT_TRUE(headers.empty());
}

TEST(IdentityHeaders, NoProgramTakesAHeaderForItsProxy) {  // CVE-2016-5385
  http::Headers headers;
  headers.add("Proxy", "http://evil.test");
  headers.add("PROXY", "1");
  headers.add("Proxy-Version", "2");
  rules().strip(headers);
  EXPECT_FALSE(headers.has("proxy"));
  EXPECT_TRUE(headers.has("proxy-version"));
}

TEST(IdentityHeaders, PrivateCookiesGoAndOthersStay) {
  http::Headers headers;
  headers.add("Cookie", "a=1; gatehouse_session=secret; __Host-gatehouse_session=secret; b=2");
  rules().strip_cookies(headers);
  EXPECT_EQ(headers.get("cookie"), "a=1; b=2");
}

TEST(IdentityHeaders, AnUpstreamCannotPlantAPrivateCookie) {
  http::Headers headers;
  for (const std::string value :
       {"gatehouse_session=x", "gatehouse_session=x; Path=/", " gatehouse_session =x",
        "=gatehouse_session=x", "__Host-gatehouse_session=x; Secure", "gatehouse_",
        "==gatehouse_a=b"}) {
    headers.add("Set-Cookie", value);
  }
  headers.add("set-cookie", "mine=gatehouse_session; Path=/");
  headers.add("Set-Cookie", "");
  rules().strip_set_cookies(headers);
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.get("set-cookie"), "mine=gatehouse_session; Path=/");
}

// Attacks that were published against others.

TEST(IdentityHeadersAttack, Cve202630851CopySurvivesWhenTheVerdictOmitsIt) {
  http::Headers headers;
  headers.add("kubeflow-groups", "admins");
  rules().strip(headers);
  http::Allow allow;
  allow.set = {{"kubeflow-userid", "alice"}};
  ASSERT_TRUE(rules().apply(headers, allow));
  EXPECT_FALSE(headers.has("kubeflow-groups"));
}

TEST(IdentityHeadersAttack, Cve202639858AliasSpellings) {
  for (const std::string name : {"kubeflow_userid", "KUBEFLOW-USERID", "Kubeflow.Userid",
                                 "kubeflow~userid", "kubeflow!groups", "kubeflow_groups"}) {
    http::Headers headers;
    headers.add(name, "mallory");
    rules().strip(headers);
    EXPECT_TRUE(headers.empty()) << name;
  }
}

TEST(IdentityHeadersAttack, Cve202445410ConnectionCannotStripTheVerdictsHeader) {
  http::Headers headers;
  headers.add("Connection", "close, kubeflow-userid");
  rules().strip(headers);
  http::Allow allow;
  allow.set = {{"kubeflow-userid", "alice"}};
  ASSERT_TRUE(rules().apply(headers, allow));
  EXPECT_FALSE(headers.has("connection"));
  EXPECT_EQ(headers.get("kubeflow-userid"), "alice");
}

TEST(IdentityHeadersAttack, Cve202327493ValuesThatWouldAddAHeader) {
  for (const std::string value : {"a\r\nX-Admin: 1", "a\n", "a\x01", " a", "a\x7f", "\xff"}) {
    http::Headers headers;
    http::Allow allow;
    allow.set = {{"kubeflow-userid", value}};
    EXPECT_FALSE(rules().apply(headers, allow)) << value;
  }
  http::Headers headers;
  http::Allow allow;
  allow.set = {{"bad name", "x"}};
  EXPECT_FALSE(rules().apply(headers, allow));
}

TEST(IdentityHeadersAttack, AVerdictCannotChangeTheFraming) {
  for (const std::string name : {"Content-Length", "transfer-encoding", "Host", "Connection",
                                 "Upgrade", "transfer_encoding"}) {
    http::Headers headers;
    http::Allow allow;
    allow.set = {{name, "1"}};
    EXPECT_FALSE(rules().apply(headers, allow)) << name;
  }
}

}  // namespace
}  // namespace gatehouse::gateway
