#include "gateway/tls_hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

config::Tls with_certificate(const std::string& file) {
  config::Tls tls;
  tls.certificate = file;
  return tls;
}

TEST(TlsHostsTest, HostsGoBesideTheListenersOwn) {
  const auto hosts = tls_hosts_of(
      with_certificate("listener.pem"),
      {{.hostname = "a.example", .tls = with_certificate("a.pem")}, {.hostname = "plain.example"}});
  ASSERT_EQ(hosts.size(), 2U);
  EXPECT_EQ(hosts[0].certificate_file, "a.pem");
  EXPECT_THAT(hosts[0].names, ElementsAre("a.example"));
  EXPECT_THAT(hosts[0].alpn, ElementsAre("h2", "http/1.1"));
  EXPECT_EQ(hosts[1].certificate_file, "listener.pem");
  EXPECT_THAT(hosts[1].names, ElementsAre("*"));
}

TEST(TlsHostsTest, AHostForAllNamesTakesTheListenersPlace) {
  const auto hosts = tls_hosts_of(with_certificate("listener.pem"),
                                  {{.hostname = "*", .tls = with_certificate("all.pem")}});
  ASSERT_EQ(hosts.size(), 1U);
  EXPECT_EQ(hosts[0].certificate_file, "all.pem");
}

TEST(TlsHostsTest, WithoutACertificateThereIsNothing) {
  EXPECT_THAT(tls_hosts_of({}, {{.hostname = "a.example"}}), IsEmpty());
}

TEST(TlsHostsTest, EverySettingIsHandedOn) {
  config::Tls tls;
  tls.certificate_pem = "c";
  tls.key_pem = Secret(std::string("k"));
  tls.client_ca = "ca.pem";
  tls.client_required = true;
  tls.crl = "crl.pem";
  tls.min_version = "1.3";
  tls.ciphers = {"X"};
  tls.curves = {"P-256"};
  tls.alpn = {"http/1.1"};
  const net::TlsHost host = to_tls_host(tls, {"a.example"});
  EXPECT_TRUE(has_certificate(tls));
  EXPECT_EQ(host.certificate_pem, "c");
  EXPECT_EQ(host.key_pem.reveal(), "k");
  EXPECT_EQ(host.client_ca_file, "ca.pem");
  EXPECT_TRUE(host.client_required);
  EXPECT_EQ(host.crl_file, "crl.pem");
  EXPECT_EQ(host.min_version, "1.3");
  EXPECT_THAT(host.ciphers, ElementsAre("X"));
  EXPECT_THAT(host.curves, ElementsAre("P-256"));
  EXPECT_THAT(host.alpn, ElementsAre("http/1.1"));
}

}  // namespace
}  // namespace gatehouse::gateway
