#include "config/restart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"

namespace gatehouse::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Settings loaded(std::string_view yaml) {
  const Loaded out = load(yaml, "f", {});
  for (const Problem& problem : out.problems) ADD_FAILURE() << problem.str();
  return out.settings;
}

std::vector<std::string> between(std::string_view before, std::string_view after) {
  return needs_restart(loaded(before), loaded(after));
}

TEST(NeedsRestartTest, NamesNothingIfNothingChanged) {
  constexpr std::string_view kYaml =
      "threads: 2\n"
      "gateway: {listen: [{address: 'a:1'}], tcp: [{listen: 'a:2', service: 'http://b:1'}]}";
  EXPECT_THAT(between(kYaml, kYaml), IsEmpty());
}

TEST(NeedsRestartTest, NamesEachChangedFieldOnce) {
  EXPECT_THAT(between("threads: 1", "{threads: 2, log: {level: debug}, store: {queue: 5}}"),
              ElementsAre("log.level", "store.queue", "threads"));
}

TEST(NeedsRestartTest, LeavesOutWhatAReloadApplies) {
  EXPECT_THAT(
      between("gateway: {routes: [{service: demo, prefix: /a}], limits: {streams: 50}}",
              "gateway: {routes: [{service: demo, prefix: /b}, {service: demo, prefix: /c}],\n"
              "          limits: {streams: 60}, authorizer: {kind: none}, ip_deny: [10.0.0.1],\n"
              "          hosts: [{hostname: a}], compression: {algorithms: [gzip]}}"),
      IsEmpty());
}

TEST(NeedsRestartTest, NamesListenersByTheirAddressesNotByTheirCertificates) {
  constexpr std::string_view kPlain =
      "gatekeeper: {listen: [{address: 'a:1', tls: {certificate: a, key: b}}]}";
  EXPECT_THAT(
      between(kPlain, "gatekeeper: {listen: [{address: 'a:1', tls: {certificate: c, key: d}}]}"),
      IsEmpty());
  EXPECT_THAT(between(kPlain, "gatekeeper: {listen: [{address: 'a:2'}]}"),
              ElementsAre("gatekeeper.listen"));
  EXPECT_THAT(between(kPlain, "gatekeeper: {listen: [{address: 'a:1'}, {address: 'a:2'}]}"),
              ElementsAre("gatekeeper.listen"));
  EXPECT_THAT(between(kPlain, "gatekeeper: {listen: [{address: 'a:1', proxy_protocol: true}]}"),
              ElementsAre("gatekeeper.listen"));
}

TEST(NeedsRestartTest, AddressesOfTheGatewayComeAndGoByReload) {
  EXPECT_THAT(between("{}",
                      "gateway: {listen: [{address: 'a:1', proxy_protocol: true}],\n"
                      "          hosts: [{hostname: a, insecure_port: 80}],\n"
                      "          tcp: [{listen: 'a:2', service: 'http://b:1'}],\n"
                      "          access_log: {form: json}, tracing: {endpoint: 'http://c:1'}}"),
              IsEmpty());
}

TEST(NeedsRestartTest, ComparesSecretsWithoutTellingThem) {
  EXPECT_THAT(between("gatekeeper: {client_secret: a}", "gatekeeper: {client_secret: b}"),
              ElementsAre("gatekeeper.client_secret"));
  constexpr std::string_view kUser = "identity: {users: [{email: a@b, password_hash: $2b$10$";
  EXPECT_THAT(between(std::string(kUser) + "x}]}", std::string(kUser) + "y}]}"),
              ElementsAre("identity.users"));
}

}  // namespace
}  // namespace gatehouse::config
