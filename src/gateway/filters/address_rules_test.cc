#include "gateway/filters/address_rules.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

AddressRules make(const std::vector<std::string>& allow, const std::vector<std::string>& deny) {
  return AddressRules::make(allow, deny).value();
}

TEST(AddressRules, EveryonePassesWithoutRules) {
  EXPECT_TRUE(make({}, {}).empty());
  EXPECT_TRUE(make({}, {}).permits("192.0.2.1"));
  EXPECT_TRUE(make({}, {}).permits(""));
}

TEST(AddressRules, OnlyTheAllowedPass) {
  const AddressRules rules = make({"10.0.0.0/8", "2001:db8::/32"}, {});
  EXPECT_TRUE(rules.permits("10.1.2.3"));
  EXPECT_TRUE(rules.permits("::ffff:10.1.2.3"));
  EXPECT_TRUE(rules.permits("2001:db8::1"));
  EXPECT_FALSE(rules.permits("192.0.2.1"));
}

TEST(AddressRules, DenialWins) {
  const AddressRules rules = make({"10.0.0.0/8"}, {"10.9.0.0/16"});
  EXPECT_TRUE(rules.permits("10.1.2.3"));
  EXPECT_FALSE(rules.permits("10.9.2.3"));
  EXPECT_TRUE(make({}, {"10.9.0.0/16"}).permits("192.0.2.1"));
}

TEST(AddressRules, WhatIsNoAddressDoesNotPass) {
  for (const std::string_view text : {"", "unknown", "192.0.2.1:80", "[2001:db8::1]"}) {
    EXPECT_FALSE(make({}, {"10.0.0.0/8"}).permits(text)) << text;
    EXPECT_FALSE(make({"0.0.0.0/0", "::/0"}, {}).permits(text)) << text;
  }
}

TEST(AddressRules, BadEntriesAreNamed) {
  const auto made = AddressRules::make({}, {"10.0.0.0/99"});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("ip_deny: \"10.0.0.0/99\""), std::string::npos);
}

}  // namespace
}  // namespace gatehouse::gateway
