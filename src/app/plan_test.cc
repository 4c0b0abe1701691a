#include "app/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gatehouse::app {
namespace {

ServeOptions options_of(Role role) {
  ServeOptions options;
  options.role = role;
  options.settings.gateway.listen = {{.address = "127.0.0.1:8080"}};
  return options;
}

const config::Route* route_to(const Plan& plan, std::string_view service) {
  const auto& routes = plan.settings.gateway.routes;
  const auto found = std::ranges::find(
      routes, service, [](const config::Route& route) { return route.upstream.service; });
  return found == routes.end() ? nullptr : &*found;
}

TEST(Plan, OfAllRolesRoutesToItsOwnProviderAndGatekeeperUnasked) {
  const Result<Plan> plan = make_plan(options_of(Role::kAll));
  ASSERT_TRUE(plan);
  ASSERT_NE(route_to(*plan, "identity"), nullptr);
  EXPECT_EQ(route_to(*plan, "identity")->prefix, "/dex");
  EXPECT_FALSE(route_to(*plan, "identity")->authenticate);
  EXPECT_EQ(route_to(*plan, "gatekeeper")->prefix, "/authservice");
  EXPECT_TRUE(plan->built_in_provider());
}

TEST(Plan, TakesTheIssuerFromThePublicUrlElseFromTheListener) {
  EXPECT_EQ(make_plan(options_of(Role::kAll))->settings.gatekeeper.issuer,
            "http://127.0.0.1:8080/dex");
  ServeOptions named = options_of(Role::kAll);
  named.settings.public_url = "https://kubeflow.example.org";
  EXPECT_EQ(make_plan(std::move(named))->settings.identity.issuer,
            "https://kubeflow.example.org/dex");
}

TEST(Plan, WithAForeignIssuerDoesNotTakeTheOwnProviderForIt) {
  ServeOptions options = options_of(Role::kAll);
  options.settings.gatekeeper.issuer = "https://login.example.org";
  EXPECT_FALSE(make_plan(std::move(options))->built_in_provider());
}

TEST(Plan, KeepsARouteThatTheFileHas) {
  ServeOptions options = options_of(Role::kAll);
  config::Route own;
  own.prefix = "/dex";
  own.upstream.service = "http://dex.example.org:5556";
  options.settings.gateway.routes.push_back(own);
  const Result<Plan> plan = make_plan(std::move(options));
  EXPECT_EQ(route_to(*plan, "identity"), nullptr);
}

TEST(Plan, OpensTheSamplesFirst) {
  ServeOptions options = options_of(Role::kAll);
  config::Route samples;
  samples.upstream.service = std::string(kSampleService);
  options.settings.gateway.routes.push_back(samples);
  const Result<Plan> plan = make_plan(std::move(options));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->listeners.front().service, Service::kSamples);
  EXPECT_EQ(plan->front().service, Service::kGateway);
}

TEST(Plan, OfALoneRoleNeedsAnIssuer) {
  for (const Role role : {Role::kGatekeeper, Role::kIdentity}) {
    const Result<Plan> plan = make_plan(options_of(role));
    ASSERT_FALSE(plan);
    EXPECT_NE(plan.error().message.find("issuer"), std::string::npos);
  }
}

TEST(Plan, RefusesAnAddressThatIsNone) {
  ServeOptions options = options_of(Role::kAll);
  options.settings.gateway.listen = {{.address = "nowhere"}};
  EXPECT_FALSE(make_plan(std::move(options)));
}

class ListenersAfterAReload : public testing::Test {
 protected:
  /// Listens on these instead.
  const std::vector<PlannedListener>& reload(const std::vector<config::Listen>& listen) {
    gateway_.listen = listen;
    listeners_ = listeners_of(listeners_, known_, gateway_).value();
    known_ = gateway_.listen;
    return listeners_;
  }
  const PlannedListener& at(std::string_view address) const {
    return *std::ranges::find(listeners_, address, [](const PlannedListener& listener) {
      return listener.settings.address;
    });
  }

  config::Gateway gateway_;
  std::vector<PlannedListener> listeners_ =
      make_plan(options_of(Role::kAll)).value().listeners;  // 127.0.0.1:8080, and operations
  std::vector<config::Listen> known_ = {{.address = "127.0.0.1:8080"}};
};

TEST_F(ListenersAfterAReload, AreThoseOfTheSettingsBesideTheOtherServices) {
  reload({{.address = "127.0.0.1:1"}, {.address = "127.0.0.1:2"}});
  ASSERT_EQ(listeners_.size(), 3U);
  EXPECT_EQ(listeners_[0].service, Service::kOperations);
  EXPECT_EQ(at("127.0.0.1:1").endpoint.port, 1);
  EXPECT_EQ(at("127.0.0.1:2").service, Service::kGateway);
}

TEST_F(ListenersAfterAReload, KeepThePlacesByWhichTheirConnectionsAreJudged) {
  reload({{.address = "127.0.0.1:1", .secure_by = "always"}, {.address = "127.0.0.1:8080"}});
  EXPECT_EQ(at("127.0.0.1:8080").index, 0U);
  EXPECT_EQ(at("127.0.0.1:1").index, 1U);
  reload({{.address = "127.0.0.1:2"}});
  EXPECT_EQ(at("127.0.0.1:2").index, 2U);
  ASSERT_EQ(known_.size(), 3U);
  EXPECT_EQ(known_[1].secure_by, "always") << "what is open there is judged as before";
  reload({{.address = "127.0.0.1:1", .secure_by = "never"}});
  EXPECT_EQ(at("127.0.0.1:1").index, 1U);
  EXPECT_EQ(known_[1].secure_by, "never");
}

TEST_F(ListenersAfterAReload, KeepThePortThatTheSystemChose) {
  reload({{.address = "127.0.0.1:0"}});
  listeners_.back().endpoint.port = 12345;
  reload({{.address = "127.0.0.1:1"}, {.address = "127.0.0.1:0"}});
  EXPECT_EQ(at("127.0.0.1:0").endpoint.port, 12345);
}

TEST_F(ListenersAfterAReload, AreOtherOnesIfConnectionsBeginInAnotherWay) {
  const PlannedListener plain = at("127.0.0.1:8080");
  EXPECT_TRUE(are_one(plain, reload({plain.settings}).back()));
  config::Listen other = plain.settings;
  other.secure_by = "always";
  EXPECT_TRUE(are_one(plain, reload({other}).back()));
  other.proxy_protocol = true;
  EXPECT_FALSE(are_one(plain, reload({other}).back()));
  other.proxy_protocol = false;
  other.tls.certificate = "a.pem";
  EXPECT_FALSE(are_one(plain, reload({other}).back()));
}

TEST_F(ListenersAfterAReload, TheFurtherPortsOfHostsAreAmongThem) {
  gateway_.hosts = {{.hostname = "a.org", .insecure_port = 8081}};
  reload({{.address = "127.0.0.1:8080"}});
  EXPECT_EQ(at(":8081").service, Service::kGateway);
  gateway_.hosts.clear();
  EXPECT_EQ(reload({{.address = "127.0.0.1:8080"}}).size(), 2U);
}

TEST_F(ListenersAfterAReload, CannotBeWhereNoAddressIs) {
  gateway_.listen = {{.address = "nowhere"}};
  EXPECT_FALSE(listeners_of(listeners_, known_, gateway_));
}

}  // namespace
}  // namespace gatehouse::app
