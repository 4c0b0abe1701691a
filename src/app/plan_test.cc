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

}  // namespace
}  // namespace gatehouse::app
