#include "gateway/forwarded_client_certificate.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

using http::ClientCertificate;

std::string subject(std::string text) {
  return forwarded_client_certificate({.subject = std::move(text)}, {"subject"});
}

TEST(ForwardedClientCertificateTest, DetailsComeAsAskedFor) {
  const ClientCertificate certificate{.sha256 = "ab12",
                                      .subject = "CN=client,O=Example",
                                      .uris = {"spiffe://example.org/ns/a", "https://b/?c=d"},
                                      .dns_names = {"a.example", "*.b.example"},
                                      .pem = "-----BEGIN X-----\na+/=\n",
                                      .chain_pem = "c d"};
  EXPECT_EQ(forwarded_client_certificate(certificate, {"hash", "uri"}),
            "Hash=ab12;URI=spiffe://example.org/ns/a;URI=https://b/?c%3Dd");
  EXPECT_EQ(forwarded_client_certificate(certificate, {"dns", "subject"}),
            "DNS=a.example;DNS=*.b.example;Subject=\"CN=client,O=Example\"");
  EXPECT_EQ(forwarded_client_certificate(certificate, {"cert", "chain"}),
            "Cert=\"-----BEGIN%20X-----%0Aa%2B%2F%3D%0A\";Chain=\"c%20d\"");
  EXPECT_EQ(forwarded_client_certificate(certificate, {"by", ""}), "");
}

TEST(ForwardedClientCertificateTest, WhatIsNotThereIsLeftOut) {
  EXPECT_EQ(forwarded_client_certificate({.sha256 = "ab"}, {"uri", "hash", "dns", "cert"}),
            "Hash=ab");
  EXPECT_EQ(subject(""), "Subject=\"\"");
}

TEST(ForwardedClientCertificateTest, ASubjectCannotEndItsQuotes) {
  EXPECT_EQ(subject(R"(CN=a\",Hash=00)"), R"(Subject="CN=a\22,Hash=00")");
  EXPECT_EQ(subject(R"(CN=a\\)"), R"(Subject="CN=a\5C")");
  EXPECT_EQ(subject(R"(CN=a\\\",By=x)"), R"(Subject="CN=a\5C\22,By=x")");
  EXPECT_EQ(subject(R"(CN=a\, b\+c\0D\C3\A4)"), R"(Subject="CN=a\, b\+c\0D\C3\A4")");
  EXPECT_EQ(subject("CN=a\"\r\n"), R"(Subject="CN=a\22\0D\0A")");
  EXPECT_EQ(subject("CN=a\\"), R"(Subject="CN=a\5C")");
}

TEST(ForwardedClientCertificateTest, ANameCannotBeginAnotherPairOrElement) {
  EXPECT_EQ(forwarded_client_certificate(
                {.uris = {"spiffe://a,Hash=1;By=\"x\\"}, .dns_names = {"a;URI=b"}}, {"uri", "dns"}),
            "URI=spiffe://a%2CHash%3D1%3BBy%3D%22x%5C;DNS=a%3BURI%3Db");
}

}  // namespace
}  // namespace gatehouse::gateway
