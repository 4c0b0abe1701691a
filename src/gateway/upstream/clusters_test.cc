#include "gateway/upstream/clusters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "gateway/upstream/test_service.h"
#include "net/test_certificates.h"

namespace gatehouse::gateway::upstream {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class ClustersTest : public ServiceTest {
 protected:
  std::shared_ptr<Cluster> get(const config::Upstream& settings) {
    Result<std::shared_ptr<Cluster>> made = clusters_.get(settings);
    EXPECT_TRUE(made) << made.error().message;
    return *made;
  }
  std::string refusal(config::Upstream settings) {
    const Result<std::shared_ptr<Cluster>> made = clusters_.get(settings);
    EXPECT_FALSE(made);
    return made ? "" : made.error().message;
  }
  void turn() { loop_.run(loop_.get().sleep(std::chrono::milliseconds(20))); }
};

TEST_F(ClustersTest, EqualSettingsAreOneCluster) {
  config::Upstream a{.service = "http://a.test"};
  config::Upstream b = a;
  b.load_balancer.policy = "maglev";
  const auto first = get(a);
  EXPECT_EQ(get(a), first);
  EXPECT_NE(get(b), first);
  EXPECT_EQ(clusters_.size(), 2U);
  EXPECT_EQ(first->authority(), "a.test");
}

TEST_F(ClustersTest, AReloadKeepsConnectionsAndAddresses) {
  serve(1);
  EXPECT_EQ(status_of(), 200);
  cluster_.reset();  // the old routes go before the new ones come
  clock_.skip(seconds(30));
  turn();
  EXPECT_EQ(status_of(), 200);
  EXPECT_EQ(endpoint(1).requests, 2U);
  EXPECT_EQ(endpoint(1).connections, 1U);
  EXPECT_EQ(resolver_.asked, 1);
}

TEST_F(ClustersTest, AClusterThatNobodyUsesEndsAfterAGrace) {
  serve(1);
  EXPECT_EQ(status_of(), 200);
  const auto used = get({.service = "http://used.test"});
  cluster_.reset();
  clock_.skip(Clusters::kSweepInterval);
  turn();
  EXPECT_EQ(clusters_.size(), 2U);
  clock_.skip(Clusters::kGrace);
  turn();
  EXPECT_EQ(clusters_.size(), 1U);
  loop_.run_until([this] { return backend(1).server->connections() == 0; });
}

TEST_F(ClustersTest, SettingsThatCannotBeAreRefusedWithTheReason) {
  EXPECT_THAT(refusal({.service = "http://a/path"}), HasSubstr("rewrite"));
  EXPECT_THAT(refusal({.service = "http://a", .protocol = "http3"}), HasSubstr("protocol"));
  EXPECT_THAT(refusal({.service = "http://a", .dns = "none"}), HasSubstr("dns"));
  EXPECT_THAT(refusal({.service = "http://a", .load_balancer = {.policy = "best"}}),
              HasSubstr("round_robin"));
  EXPECT_THAT(refusal({.service = "http://a", .ipv4 = false, .ipv6 = false}), HasSubstr("ipv4"));
  EXPECT_THAT(refusal({.service = "http://a", .health_checks = {{.kind = "icmp"}}}),
              HasSubstr("health_checks"));
  EXPECT_THAT(refusal({.service = "http://a", .health_checks = {{.path = "no/slash"}}}),
              HasSubstr("path"));
  EXPECT_THAT(refusal({.service = "http://a",
                       .health_checks = {{.interval = std::chrono::milliseconds(0)}}}),
              HasSubstr("interval"));
  EXPECT_THAT(refusal({.service = "https://a", .tls = {.ca_file = "/nowhere.pem"}}),
              HasSubstr("/nowhere.pem"));
  EXPECT_EQ(clusters_.size(), 0U);
}

TEST_F(ClustersTest, ACertificateThatIsRenewedInItsFileMakesANewCluster) {
  const net::TestCertificates certificates;
  config::Upstream settings{.service = "https://a.test"};
  settings.tls.ca_file = certificates.path("renewed.pem");
  std::filesystem::copy_file(certificates.ca_file(), settings.tls.ca_file);
  const auto before = get(settings);
  EXPECT_EQ(get(settings), before);
  std::ofstream(settings.tls.ca_file, std::ios::app) << "\n";
  EXPECT_NE(get(settings), before);
}

TEST_F(ClustersTest, StatusNamesEachServiceInOrder) {
  const auto b = get({.service = "http://b.test"});
  const auto a = get({.service = "http://10.0.0.1:81"});
  const std::vector<ClusterStatus> all = clusters_.status();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].service, "http://10.0.0.1:81");
  EXPECT_EQ(all[0].endpoints.at(0).address, "10.0.0.1:81");
  EXPECT_TRUE(all[1].endpoints.empty());
  EXPECT_EQ(all[1].requests.limit, 1024U);
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
