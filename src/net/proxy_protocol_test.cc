#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::net {
namespace {

using State = ProxyHeader::State;
using namespace std::string_literals;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

/// A header of version 2.
std::string binary(int command, int family, std::string_view block) {
  std::string header = kSignature;
  header += static_cast<char>(command);
  header += static_cast<char>(family);
  header += static_cast<char>(block.size() >> 8U);
  header += static_cast<char>(block.size() & 0xffU);
  return header.append(block);
}

const std::string kIpv4Block = "\xc0\x00\x02\x07\xc0\x00\x02\x01\x30\x39\x01\xbb"s;

std::string source_of(std::string_view bytes) {
  const ProxyHeader header = parse_proxy_header(bytes);
  EXPECT_EQ(header.state, State::kComplete);
  return header.source ? header.source->str() : "";
}

TEST(ProxyProtocolTest, ALineNamesTheClient) {
  EXPECT_EQ(source_of("PROXY TCP4 192.0.2.7 192.0.2.1 12345 443\r\n"), "192.0.2.7:12345");
  EXPECT_EQ(source_of("PROXY TCP6 2001:db8::7 2001:DB8:0::1 1 65535\r\n"), "[2001:db8::7]:1");
  EXPECT_EQ(source_of("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"), "192.0.2.7:1");
}

TEST(ProxyProtocolTest, WhatFollowsALineIsNotPartOfIt) {
  const std::string line = "PROXY TCP4 192.0.2.7 192.0.2.1 12345 443\r\n";
  EXPECT_EQ(parse_proxy_header(line + "GET / HTTP/1.1\r\n").size, line.size());
}

TEST(ProxyProtocolTest, AnUnknownClientIsWhoeverConnected) {
  EXPECT_EQ(source_of("PROXY UNKNOWN\r\n"), "");
  EXPECT_EQ(source_of("PROXY UNKNOWN ffff::1 what ever 1 2\r\n"), "");
}

TEST(ProxyProtocolTest, TheLongestLineIsTakenAndALongerOneIsNot) {
  const std::string start = "PROXY UNKNOWN ";
  const std::string longest = start + std::string(kProxyLineBytes - start.size() - 2, 'x') + "\r\n";
  EXPECT_EQ(parse_proxy_header(longest).size, 107U);
  const std::string endless = start + std::string(200, 'x');
  EXPECT_EQ(parse_proxy_header(endless).state, State::kInvalid);
  EXPECT_EQ(parse_proxy_header(start + "x" + longest.substr(start.size())).state, State::kInvalid);
}

TEST(ProxyProtocolTest, ALineIsReadStrictly) {
  for (const char* bad :
       {"PROXY TCP4 192.0.2.7 192.0.2.1 12345 443\n", "PROXY TCP4 192.0.2.7 192.0.2.1 12345\r\n",
        "PROXY  TCP4 192.0.2.7 192.0.2.1 12345 443\r\n", "PROXY tcp4 192.0.2.7 192.0.2.1 1 2\r\n",
        "PROXY TCP4 192.0.2.7 192.0.2.1 12345 443 \r\n",
        "PROXY TCP4 192.0.2.7 192.0.2.1 1 65536\r\n", "PROXY TCP4 192.0.2.7 192.0.2.1 01 2\r\n",
        "PROXY TCP4 192.0.2.7 192.0.2.1 +1 2\r\n", "PROXY TCP4 192.0.2.256 192.0.2.1 1 2\r\n",
        "PROXY TCP4 192.0.2.7 host 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.7 192.0.2.1 1 2\r\n", "PROXY UDP4 192.0.2.7 192.0.2.1 1 2\r\n",
        "PROXY UNKNOWNX\r\n", "PROXY \r\n", "GET / HTTP/1.1\r\n", "proxy UNKNOWN\r\n",
        "\x16\x03\x01"}) {
    EXPECT_EQ(parse_proxy_header(bad).state, State::kInvalid) << bad;
  }
}

TEST(ProxyProtocolTest, ABinaryHeaderNamesTheClient) {
  EXPECT_EQ(source_of(binary(0x21, 0x11, kIpv4Block)), "192.0.2.7:12345");
  const std::string ipv6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" +
                           std::string(15, '\0') + "\x01" + "\x30\x39\x01\xbb";
  EXPECT_EQ(source_of(binary(0x21, 0x21, ipv6)), "[2001:db8::7]:12345");
}

TEST(ProxyProtocolTest, TlvsAreSkippedAndCounted) {
  const std::string header = binary(0x21, 0x11, kIpv4Block + "\x01\x00\x02h2"s);
  EXPECT_EQ(source_of(header + "\x16\x03"), "192.0.2.7:12345");
  EXPECT_EQ(parse_proxy_header(header + "\x16\x03").size, header.size());
}

TEST(ProxyProtocolTest, AHealthCheckOfTheProxyKeepsItsOwnAddress) {
  EXPECT_EQ(source_of(binary(0x20, 0x11, kIpv4Block)), "");
  EXPECT_EQ(source_of(binary(0x20, 0x00, "")), "");
  EXPECT_EQ(source_of(binary(0x21, 0x00, "")), "");
  EXPECT_EQ(source_of(binary(0x21, 0x31, std::string(216, 'x'))), "");
}

TEST(ProxyProtocolTest, ABinaryHeaderIsReadStrictly) {
  for (const std::string& bad :
       {binary(0x22, 0x11, kIpv4Block), binary(0x11, 0x11, kIpv4Block),
        binary(0x21, 0x12, kIpv4Block), binary(0x21, 0x41, kIpv4Block),
        binary(0x21, 0x11, kIpv4Block.substr(1)), binary(0x21, 0x21, kIpv4Block),
        binary(0x21, 0x31, std::string(215, 'x'))}) {
    EXPECT_EQ(parse_proxy_header(bad).state, State::kInvalid);
  }
}

TEST(ProxyProtocolTest, ALongHeaderIsRefusedBeforeItHasCome) {
  const std::string longest = binary(0x21, 0x11, kIpv4Block + std::string(4096 - 28, 't'));
  EXPECT_EQ(parse_proxy_header(longest).size, kProxyHeaderBytes);
  const std::string longer = binary(0x21, 0x11, kIpv4Block + std::string(4096 - 27, 't'));
  EXPECT_EQ(parse_proxy_header(longer.substr(0, 16)).state, State::kInvalid);
}

TEST(ProxyProtocolTest, EachBeginningOfAHeaderWaitsForTheRest) {
  for (const std::string& header :
       {"PROXY TCP4 192.0.2.7 192.0.2.1 12345 443\r\n"s, "PROXY UNKNOWN\r\n"s,
        binary(0x21, 0x11, kIpv4Block + "tlv"), binary(0x20, 0x00, "")}) {
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_EQ(parse_proxy_header(header.substr(0, size)).state, State::kIncomplete) << size;
    }
    EXPECT_EQ(parse_proxy_header(header).state, State::kComplete);
  }
}

}  // namespace
}  // namespace gatehouse::net
