#include "identity/passwords/password_rules.h"

#include <gtest/gtest.h>

namespace gatehouse::identity {
namespace {

bool accepts(const std::string& password) {
  return check_password(Secret(password), "carol.jones@example.org").has_value();
}

TEST(PasswordRules, LengthIsCountedInCharacters) {
  EXPECT_FALSE(accepts("xK4!mQz"));
  EXPECT_TRUE(accepts("xK4!mQzu"));
  EXPECT_FALSE(accepts("äöüßäöü"));
  EXPECT_TRUE(accepts("äöüßäöüß"));
  EXPECT_TRUE(accepts(std::string(1024, 'x')));
  EXPECT_FALSE(accepts(std::string(1025, 'x')));
}

TEST(PasswordRules, CommonOnesAreRefusedInAnyCase) {
  for (const char* password : {"password", "PassWord1", "12345678", "qwertyuiop", "kubeflow",
                               "12341234", "iloveyou", "correct horse battery staple"}) {
    EXPECT_FALSE(accepts(password)) << password;
  }
}

TEST(PasswordRules, ThereAreNoRulesAboutKindsOfCharacters) {
  EXPECT_TRUE(accepts("only small letters here"));
  EXPECT_TRUE(accepts("84930218475"));
}

TEST(PasswordRules, OnesOwnNameIsNoPassword) {
  EXPECT_FALSE(accepts("carol.jones"));
  EXPECT_FALSE(accepts("CAROL.JONES@example.org"));
}

}  // namespace
}  // namespace gatehouse::identity
