#include "identity/users/users.h"

#include <gtest/gtest.h>

#include "identity/identity.h"
#include "identity/test_provider.h"

namespace gatehouse::identity {
namespace {

class UsersTest : public testing::Test {
 protected:
  Result<store::User> add(const char* email, const char* password = "a good long password") {
    return add_user(*database_, email, Secret(password), {"team"}, entropy_, clock_);
  }
  std::optional<store::User> find(const char* login) {
    return store::transact_now(*database_,
                               [&](store::Transaction& transaction) {
                                 return find_by_login(transaction, normalize_login(login));
                               })
        .value();
  }
  Result<void> apply(const std::vector<config::StaticUser>& users) {
    return store::transact_now(*database_, [&](store::Transaction& transaction) {
      return apply_static_users(transaction, users, entropy_, clock_.now());
    });
  }

  std::unique_ptr<store::Database> database_ = store::make_memory_database();
  crypto::SystemEntropy entropy_;
  ManualClock clock_;
};

TEST_F(UsersTest, AddedUserIsFoundByAddressAndByName) {
  const Result<store::User> added = add(" Carol@Example.org ");
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(added->email, "carol@example.org");
  EXPECT_EQ(added->username, "carol");
  EXPECT_EQ(added->id.size(), 22u);
  EXPECT_EQ(find("CAROL@example.org")->id, added->id);
  EXPECT_EQ(find(" Carol ")->id, added->id);
  EXPECT_FALSE(find("dave"));
  EXPECT_TRUE(crypto::verify_password(Secret("a good long password"), added->password_hash));
}

TEST_F(UsersTest, SecondUserOfANameKeepsOnlyHisAddress) {
  const std::string first = add("carol@a.example")->id;
  const Result<store::User> second = add("carol@b.example");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->username, "");
  EXPECT_EQ(find("carol")->id, first);
  EXPECT_EQ(add("carol@a.example").error().code, ErrorCode::kConflict);
}

TEST_F(UsersTest, WhatIsNoAddressIsRefused) {
  for (const char* email :
       {"", "carol", "@b", "a@", "a@b@c", "a b@c", "a@b\n", "a@b c", "evil@x@example.org"}) {
    EXPECT_FALSE(check_email(email)) << email;
  }
  EXPECT_EQ(add("a@evil@corp").error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(check_email("a.b+c@example.org"));
}

TEST_F(UsersTest, PasswordIsChanged) {
  add("carol@example.org");
  ASSERT_TRUE(set_password(*database_, "CAROL@example.org", Secret("another good password"),
                           entropy_, clock_));
  EXPECT_TRUE(crypto::verify_password(Secret("another good password"),
                                      find("carol@example.org")->password_hash));
  EXPECT_EQ(set_password(*database_, "nobody@example.org", Secret("another good password"),
                         entropy_, clock_)
                .error()
                .code,
            ErrorCode::kNotFound);
  EXPECT_EQ(
      set_password(*database_, "carol@example.org", Secret("short"), entropy_, clock_).error().code,
      ErrorCode::kInvalid);
}

TEST_F(UsersTest, FileWinsOverTheStore) {
  config::StaticUser admin = static_user("Admin@example.org", "admin", "");
  ASSERT_TRUE(apply({admin}));
  const store::User first = find("admin").value();
  EXPECT_EQ(first.email, "admin@example.org");
  ASSERT_TRUE(set_password(*database_, "admin@example.org", Secret("a password of the store"),
                           entropy_, clock_));
  admin.groups = {"changed"};
  ASSERT_TRUE(apply({admin}));
  const store::User second = find("admin").value();
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.groups, std::vector<std::string>{"changed"});
  EXPECT_TRUE(crypto::verify_password(Secret(kPassword), second.password_hash));
}

TEST_F(UsersTest, UserTakenOutOfTheFileIsDisabledAndComesBackWithIt) {
  const config::StaticUser one = static_user("one@example.org", "one", "1");
  const config::StaticUser two = static_user("two@example.org", "two", "2");
  add("carol@example.org");
  ASSERT_TRUE(apply({one, two}));
  ASSERT_TRUE(apply({one}));
  EXPECT_TRUE(find("two")->disabled);
  EXPECT_FALSE(find("one")->disabled);
  EXPECT_FALSE(find("carol")->disabled);
  ASSERT_TRUE(apply({one, two}));
  EXPECT_FALSE(find("two")->disabled);
}

TEST_F(UsersTest, WrongStaticUsersAreRefusedWithTheirName) {
  config::StaticUser wrong = static_user("one@example.org", "one", "1");
  wrong.password_hash = Secret("plain text");
  EXPECT_NE(apply({wrong}).error().message.find("one@example.org"), std::string::npos);
  EXPECT_EQ(apply({wrong}).error().message.find("plain text"), std::string::npos);
  const config::StaticUser spoof = static_user("two@example.org", "one@example.org", "2");
  EXPECT_FALSE(apply({spoof}));
  EXPECT_FALSE(apply(
      {static_user("a@example.org", "same", "1"), static_user("b@example.org", "SAME", "2")}));
}

TEST_F(UsersTest, CharmedKubeflowsUserWithoutAnAtSignLogsIn) {
  ASSERT_TRUE(apply({static_user("admin", "", "")}));
  EXPECT_EQ(find("Admin")->email, "admin");
}

TEST_F(UsersTest, RenamedUserIsNotFoundByHisOldName) {
  config::StaticUser user = static_user("one@example.org", "old", "1");
  ASSERT_TRUE(apply({user}));
  user.username = "new";
  ASSERT_TRUE(apply({user}));
  EXPECT_FALSE(find("old"));
  EXPECT_TRUE(find("new"));
}

}  // namespace
}  // namespace gatehouse::identity
