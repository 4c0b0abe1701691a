#include "http/address_set.h"

#include <gtest/gtest.h>

namespace gatehouse::http {
namespace {

using namespace std::string_view_literals;

bool contains(const std::vector<std::string>& entries, std::string_view address) {
  return AddressSet::parse(entries, "test").value().contains(address);
}

TEST(AddressSet, NobodyByDefault) {
  EXPECT_TRUE(AddressSet().empty());
  EXPECT_FALSE(AddressSet().contains("127.0.0.1"));
}

TEST(AddressSet, FindsAmongManyAndOverlapping) {
  const std::vector<std::string> entries = {"10.0.0.0/8",     "10.1.0.0/16",   "10.1.2.3",
                                            "192.0.2.128/25", "2001:db8::/32", "2001:db8:1::/48",
                                            "9.255.255.255"};
  EXPECT_TRUE(contains(entries, "10.200.0.1"));
  EXPECT_TRUE(contains(entries, "10.1.2.3"));
  EXPECT_TRUE(contains(entries, "9.255.255.255"));
  EXPECT_FALSE(contains(entries, "9.255.255.254"));
  EXPECT_FALSE(contains(entries, "11.0.0.0"));
  EXPECT_TRUE(contains(entries, "192.0.2.128"));
  EXPECT_FALSE(contains(entries, "192.0.2.127"));
  EXPECT_TRUE(contains(entries, "2001:db8:ffff::1"));
  EXPECT_FALSE(contains(entries, "2001:db9::"));
}

TEST(AddressSet, BitsBehindThePrefixDoNotMatter) {
  EXPECT_TRUE(contains({"10.1.2.3/8"}, "10.9.9.9"));
  EXPECT_TRUE(contains({"2001:db8::5/127"}, "2001:db8::4"));
  EXPECT_FALSE(contains({"2001:db8::5/127"}, "2001:db8::6"));
}

TEST(AddressSet, BadEntriesAreNamedWithTheirPlace) {
  const auto parsed = AddressSet::parse({"10.0.0.1", "10.0.0.0/33"}, "gateway.ip_deny");
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message.find("gateway.ip_deny: \"10.0.0.0/33\""), std::string::npos);
}

TEST(Address, WhatIsNoneIsRefused) {
  for (const std::string_view text : {"", "1", "::1%lo", "[::1]", "1.2.3.4:5", " ::1",
                                      "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
  EXPECT_FALSE(parse_address("::1\0"sv));
  EXPECT_FALSE(parse_address("1.2.3.4\0junk"sv));
  EXPECT_TRUE(is_ipv4(parse_address("::ffff:1.2.3.4").value()));
  EXPECT_EQ(parse_address("::ffff:1.2.3.4"), parse_address("1.2.3.4"));
  EXPECT_FALSE(is_ipv4(parse_address("::1").value()));
}

}  // namespace
}  // namespace gatehouse::http
