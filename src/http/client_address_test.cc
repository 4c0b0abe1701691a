#include "http/client_address.h"

#include <gtest/gtest.h>

namespace gatehouse::http {
namespace {

std::string address_of(const char* peer, std::initializer_list<const char*> forwarded_for) {
  const auto trusted = TrustedProxies::parse({"10.0.0.0/8", "fd00::/8"}).value();
  Request request;
  request.peer = std::make_shared<Peer>(Peer{.address = peer});
  for (const char* value : forwarded_for) request.headers.add("X-Forwarded-For", value);
  return client_address(request, trusted);
}

TEST(ClientAddress, IsThePeerUnlessThatIsTrusted) {
  EXPECT_EQ(address_of("192.0.2.1", {}), "192.0.2.1");
  EXPECT_EQ(address_of("192.0.2.1", {"198.51.100.1"}), "192.0.2.1");
  EXPECT_EQ(address_of("10.0.0.1", {}), "10.0.0.1");
}

TEST(ClientAddress, IsTheLastOneThatNoTrustedProxyHas) {
  EXPECT_EQ(address_of("10.0.0.1", {"192.0.2.1"}), "192.0.2.1");
  EXPECT_EQ(address_of("10.0.0.1", {"192.0.2.1, 10.0.0.2"}), "192.0.2.1");
  EXPECT_EQ(address_of("10.0.0.1", {"192.0.2.1", "10.0.0.3,10.0.0.2"}), "192.0.2.1");
  EXPECT_EQ(address_of("fd00::1", {"2001:db8::1"}), "2001:db8::1");
}

TEST(ClientAddress, WhatTheClientWroteItselfIsNotReached) {
  EXPECT_EQ(address_of("10.0.0.1", {"203.0.113.66, 192.0.2.1"}), "192.0.2.1");
  EXPECT_EQ(address_of("10.0.0.1", {"203.0.113.66", "192.0.2.1"}), "192.0.2.1");
  EXPECT_EQ(address_of("10.0.0.1", {"10.9.9.9, 192.0.2.1"}), "192.0.2.1");
}

TEST(ClientAddress, PortsDoNotMakeNewClients) {
  EXPECT_EQ(address_of("10.0.0.1", {"192.0.2.1:4711"}), "192.0.2.1");
  EXPECT_EQ(address_of("10.0.0.1", {"[2001:db8::1]:4711"}), "2001:db8::1");
}

TEST(ClientAddress, WhatIsNoAddressEndsAtTheProxyThatPassedItOn) {
  for (const char* entry : {"unknown", "", "192.0.2.1 x", "1.2.3.4.5", "[", "a:b"}) {
    EXPECT_EQ(address_of("10.0.0.1", {entry}), "10.0.0.1") << entry;
  }
  EXPECT_EQ(address_of("10.0.0.1", {"nonsense, 10.0.0.2"}), "10.0.0.2");
}

}  // namespace
}  // namespace gatehouse::http
