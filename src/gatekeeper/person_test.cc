#include "gatekeeper/person.h"

#include <gtest/gtest.h>

namespace gatehouse::gatekeeper {
namespace {

Json claims(Json more = Json::object()) {
  Json out = {{"sub", "1"}, {"email", "ada@example.org"}};
  out.update(more);
  return out;
}

TEST(PersonTest, IsWhoTheConfiguredClaimSays) {
  config::Gatekeeper settings;
  settings.userid_prefix = "oidc:";
  EXPECT_EQ(read_person(claims(), settings)->user, "oidc:ada@example.org");
  settings.userid_claim = "sub";
  EXPECT_EQ(read_person(claims(), settings)->user, "oidc:1");
}

TEST(PersonTest, WithoutTheClaimIsNobody) {
  EXPECT_FALSE(read_person(Json{{"sub", "1"}}, {}));
  EXPECT_FALSE(read_person(claims({{"email", 1}}), {}));
  EXPECT_FALSE(read_person(claims({{"email", ""}}), {}));
  EXPECT_FALSE(read_person(Json::array(), {}));
}

TEST(PersonTest, AnAddressHasExactlyOneAt) {  // CVE-2026-40574
  for (const char* email : {"a@evil.example@example.org", "ada", "@example.org", "ada@", "@"}) {
    EXPECT_FALSE(read_person(claims({{"email", email}}), {})) << email;
  }
}

TEST(PersonTest, AnUnverifiedAddressIsRefused) {
  EXPECT_FALSE(read_person(claims({{"email_verified", false}}), {}));
  EXPECT_FALSE(read_person(claims({{"email_verified", "false"}}), {}));
  EXPECT_FALSE(read_person(claims({{"email_verified", nullptr}}), {}));
  EXPECT_TRUE(read_person(claims({{"email_verified", true}}), {}));
  EXPECT_TRUE(read_person(claims(), {}));
}

TEST(PersonTest, AUserThatAHeaderCannotCarryIsRefusedNotRewritten) {
  config::Gatekeeper settings;
  settings.userid_claim = "sub";
  for (const char* user : {"a\nb", "a\rb", "j\xc3\xb6rg", " a", "a ", "a\x7f"}) {
    EXPECT_FALSE(read_person(claims({{"sub", user}}), settings)) << user;
  }
  EXPECT_FALSE(read_person(claims({{"sub", std::string("a\0b", 3)}}), settings));
  EXPECT_FALSE(read_person(claims({{"sub", std::string(kUserLimit + 1, 'a')}}), settings));
}

TEST(PersonTest, GroupsThatWouldReadAsOthersAreLeftOut) {
  const Json groups = {"team-a", "evil,admins", "", " x", "gr\xc3\xbcn", "a\nb", 7, "team b"};
  EXPECT_EQ(read_person(claims({{"groups", groups}}), {})->groups, "team-a,team b");
}

TEST(PersonTest, OneGroupMayComeAsAString) {
  EXPECT_EQ(read_person(claims({{"groups", "team-a"}}), {})->groups, "team-a");
}

TEST(PersonTest, GroupsOfAnotherTypeGrantNothing) {
  for (const Json& groups : {Json(1), Json{{"a", "b"}}, Json(nullptr), Json(true)}) {
    EXPECT_EQ(read_person(claims({{"groups", groups}}), {})->groups, "");
  }
}

TEST(PersonTest, ALongNameIsCutBetweenCharacters) {
  const std::string name = std::string(kNameLimit - 1, 'a') + "\xc3\xb6";
  EXPECT_EQ(read_person(claims({{"name", name}}), {})->name, std::string(kNameLimit - 1, 'a'));
}

}  // namespace
}  // namespace gatehouse::gatekeeper
