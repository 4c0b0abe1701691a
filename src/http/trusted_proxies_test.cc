#include "http/trusted_proxies.h"

#include <gtest/gtest.h>

namespace gatehouse::http {
namespace {

bool trusted(std::vector<std::string> entries, std::string_view address) {
  return TrustedProxies::parse(entries).value().contains(address);
}

TEST(TrustedProxies, NobodyByDefault) {
  EXPECT_FALSE(TrustedProxies().contains("127.0.0.1"));
  EXPECT_FALSE(trusted({}, "::1"));
}

TEST(TrustedProxies, AddressesAndNetworks) {
  EXPECT_TRUE(trusted({"10.1.2.3"}, "10.1.2.3"));
  EXPECT_FALSE(trusted({"10.1.2.3"}, "10.1.2.4"));
  EXPECT_TRUE(trusted({"::1", "10.0.0.0/8"}, "10.255.0.1"));
  EXPECT_FALSE(trusted({"10.0.0.0/8"}, "11.0.0.1"));
  EXPECT_TRUE(trusted({"172.16.0.0/12"}, "172.31.255.255"));
  EXPECT_FALSE(trusted({"172.16.0.0/12"}, "172.32.0.0"));
  EXPECT_TRUE(trusted({"fd00::/8"}, "fdff::1"));
  EXPECT_FALSE(trusted({"fd00::/8"}, "fe00::1"));
  EXPECT_TRUE(trusted({"0.0.0.0/0"}, "8.8.8.8"));
  EXPECT_FALSE(trusted({"0.0.0.0/0"}, "2001:db8::1"));
}

TEST(TrustedProxies, MappedAddressesAreTheirIpv4Selves) {
  EXPECT_TRUE(trusted({"10.0.0.0/8"}, "::ffff:10.0.0.1"));
  EXPECT_TRUE(trusted({"::ffff:10.0.0.0/104"}, "10.0.0.1"));
}

TEST(TrustedProxies, WhatIsNoAddressIsNotTrusted) {
  for (const std::string_view address :
       {"", "localhost", "10.0.0.1:80", "unknown", "10.0.0", "010.0.0.1", "10.0.0.1 "}) {
    EXPECT_FALSE(trusted({"0.0.0.0/0", "::/0"}, address)) << address;
  }
}

TEST(TrustedProxies, BadEntriesAreNamed) {
  for (const std::string entry : {"", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x",
                                  "::/129", "10.0.0.0/-1", "/8"}) {
    const Result<TrustedProxies> parsed = TrustedProxies::parse({entry});
    ASSERT_FALSE(parsed) << entry;
    EXPECT_NE(parsed.error().message.find('"' + entry + '"'), std::string::npos);
  }
}

}  // namespace
}  // namespace gatehouse::http
