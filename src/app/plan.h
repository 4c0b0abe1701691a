// What a process of a given role is to serve: the settings made complete, before anything is
// opened.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/process.h"
#include "config/settings.h"
#include "net/http_server.h"
#include "net/tcp.h"

namespace gatehouse::app {

/// What answers on a listener.
enum class Service { kGateway, kGatekeeper, kIdentity, kSamples, kOperations };

/// What a route names as its service to reach the demo's sample services.
inline constexpr std::string_view kSampleService = "demo";

struct PlannedListener {
  Service service = Service::kGateway;
  net::Endpoint endpoint;
  config::Listen settings;
  std::size_t index = 0;                      // in the list of this service's listeners
  std::shared_ptr<const net::ServerTls> tls;  // null: plain
};

struct Plan {
  Role role = Role::kAll;
  config::Settings settings;
  std::vector<PlannedListener> listeners;  // the samples' first: the gateway needs their port
  std::size_t loops = 1;

  bool serves(Service service) const;
  /// The first listener that people use: what the process calls its URL.
  const PlannedListener& front() const;
  bool has_gatekeeper() const { return role == Role::kAll || role == Role::kGatekeeper; }
  bool has_identity() const { return role == Role::kAll || role == Role::kIdentity; }
  /// The identity role is in this process and the gatekeeper logs in there.
  bool built_in_provider() const { return role == Role::kAll && built_in_provider_; }

  bool built_in_provider_ = false;
};

/// Fills in what the settings leave to the role: listeners, the issuer, and in one process the
/// routes to `identity` and `gatekeeper`. kInvalid for an address that cannot be one.
Result<Plan> make_plan(ServeOptions options);
/// The part of make_plan() that a reload needs: the routes to the roles of this process, and to the
/// samples where they listen. `plan` is the one of the start.
Result<config::Gateway> gateway_of(const Plan& plan, config::Settings settings);
/// The listeners after a reload: those of the gateway by its settings, which become `listen`, and
/// all others as they are. `known`: what the gateway has listened on so far. `listen` has all of
/// that at the place that it has had, since connections are judged by their listener's place for as
/// long as they last. Without certificates yet. kInvalid for an address that cannot be one.
Result<std::vector<PlannedListener>> listeners_of(const std::vector<PlannedListener>& before,
                                                  const std::vector<config::Listen>& known,
                                                  config::Gateway& gateway);
/// The two, of one process, are the same: what connects to the one may stay when the other comes.
bool are_one(const PlannedListener& a, const PlannedListener& b);
/// The sample services are reached over their socket, like any upstream.
void route_to_samples(const Plan& plan, config::Gateway& gateway);

net::ServerOptions server_options(const config::Limits& limits);

}  // namespace gatehouse::app
