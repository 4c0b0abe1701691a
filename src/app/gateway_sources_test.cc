#include "app/gateway_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "net/test_certificates.h"

namespace gatehouse::app {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kNoCertificate = "-----BEGIN CERTIFICATE-----\nsecret\n";

class GatewaySourcesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "manifests-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    base_.manifests = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// As a literal block at that indentation.
  static std::string block(std::string_view text) {
    std::istringstream lines{std::string(text)};
    std::string out = "|\n";
    for (std::string line; std::getline(lines, line);) out += "    " + line + "\n";
    return out;
  }
  static std::string content(const std::string& file) {
    std::ifstream in(file);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  void write_secret(std::string_view certificate) {
    std::ofstream(folder_ / "secret.yaml")
        << "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  tls.crt: "
        << block(certificate) << "  tls.key: " << block(content(issued_.key_file));
  }
  void write_object(const std::string& kind, const std::string& spec) {
    std::ofstream(folder_ / (kind + ".yaml"))
        << "apiVersion: getambassador.io/v3alpha1\nkind: " << kind
        << "\nmetadata: {name: a}\nspec: " << spec << "\n";
  }
  GatewaySources gather_now() {
    GatewaySources out = gather(base_, {}, good_.get()).value();
    good_ = out.good;
    return out;
  }

  fs::path folder_;
  config::Gateway base_;
  net::TestCertificates certificates_;
  const net::TestCertificates::Issued issued_ = certificates_.issue("leaf", {.names = "DNS:a.org"});
  std::shared_ptr<config::ambassador::LastGood> good_;
};

TEST_F(GatewaySourcesTest, ACertificateThatIsNoneIsItsHostsFaultAlone) {
  write_secret(kNoCertificate);
  write_object("Host", "{hostname: a.org, tlsSecret: {name: s}}");
  write_object("Mapping", "{hostname: '*', prefix: /a/, service: app}");
  const GatewaySources sources = gather_now();
  EXPECT_THAT(sources.problems,
              ElementsAre(AllOf(HasSubstr("Host default/a"), HasSubstr("tlsSecret"),
                                testing::Not(HasSubstr("secret\n")))));
  EXPECT_EQ(sources.gateway.routes.size(), 3U);
  ASSERT_EQ(sources.gateway.hosts.size(), 1U);
  EXPECT_EQ(sources.gateway.hosts[0].tls, config::Tls());
  EXPECT_EQ(sources.gateway.hosts[0].insecure, "redirect") << "and nothing passes in the clear";
}

TEST_F(GatewaySourcesTest, AHostKeepsTheCertificateThatCouldBeUsed) {
  write_secret(content(issued_.certificate_file));
  write_object("Host", "{hostname: a.org, tlsSecret: {name: s}}");
  const GatewaySources before = gather_now();
  EXPECT_THAT(before.problems, IsEmpty());
  ASSERT_FALSE(before.gateway.hosts.at(0).tls.certificate_pem.empty());
  write_secret(kNoCertificate);
  const GatewaySources now = gather_now();
  EXPECT_THAT(now.problems, ElementsAre(HasSubstr("its last good version stays in force")));
  EXPECT_EQ(now.gateway.hosts, before.gateway.hosts);
}

TEST_F(GatewaySourcesTest, AContextThatCannotBeUsedLeavesTheMappingsAsTheyWere) {
  write_secret(content(issued_.certificate_file));
  write_object("TLSContext", "{secret: s, ca_secret: s}");
  write_object("Mapping", "{hostname: '*', prefix: /a/, service: 'https://app', tls: a}");
  const GatewaySources before = gather_now();
  EXPECT_THAT(before.problems, IsEmpty());
  write_secret(kNoCertificate);
  const GatewaySources now = gather_now();
  EXPECT_EQ(now.gateway.routes, before.gateway.routes);
  EXPECT_THAT(now.problems, ElementsAre(HasSubstr("TLSContext default/a")));
}

}  // namespace
}  // namespace gatehouse::app
