// All that a gateway is told, compiled: what every loop reads and none changes.
//
// Made once for each state of the configuration, on any thread, and shared by the loops; a reload
// makes a new one beside it. What needs a loop (connections, the authorizer) is not in here; see
// proxy.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/filters/address_rules.h"
#include "gateway/filters/compression.h"
#include "gateway/filters/cors.h"
#include "gateway/filters/error_overrides.h"
#include "gateway/filters/header_edits.h"
#include "gateway/filters/rate_limiter.h"
#include "gateway/filters/server_name.h"
#include "gateway/filters/shadow.h"
#include "gateway/forwarded.h"
#include "gateway/routing/host_policy.h"
#include "gateway/routing/problem.h"
#include "gateway/routing/route_table.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// The filters of one route; most routes have none.
struct CompiledRoute {
  Cors cors;
  HeaderEdits request_edits, response_edits;
  ErrorOverrides error_overrides;
  RateLimiter rate_limiter;
  Shadow shadow;                                          // of a route that gets copies
  std::shared_ptr<const http::AuthContext> auth_context;  // null: none
  /// The authorizer's own pages (its callback, its logout): they alone among upstreams get the
  /// private cookies and may set them, as they do when the authorizer is in this process.
  bool leads_to_authorizer = false;
};

class CompiledGateway {
 public:
  struct Made;

  /// kInvalid for what concerns all routes. A route that is wrong is left out and named; whoever
  /// cannot have that calls require_all() on the problems. Reads files; `rate_limits` outlives it.
  static Result<Made> make(config::Gateway settings, RateLimitTables& rate_limits);

  const config::Gateway& settings() const { return settings_; }
  const config::Route& route(std::size_t index) const { return settings_.routes[index]; }
  const CompiledRoute& filters(std::size_t index) const { return routes_[index]; }
  const RouteTable& table() const { return table_; }
  const HostPolicy& hosts() const { return hosts_; }
  const AddressRules& addresses() const { return addresses_; }
  const RateLimiter& rate_limiter() const { return rate_limiter_; }
  const ErrorOverrides& error_overrides() const { return error_overrides_; }
  const Compression& compression() const { return compression_; }
  const ServerName& server_name() const { return server_name_; }
  const Forwarded& forwarded() const { return *forwarded_; }

 private:
  CompiledGateway() = default;
  Result<void> compile_filters(RateLimitTables& rate_limits);
  void compile_routes(RateLimitTables& rate_limits, std::vector<Problem>& problems);

  config::Gateway settings_;  // its routes are those that are in force, each with its name
  std::vector<CompiledRoute> routes_;
  RouteTable table_;
  HostPolicy hosts_;
  AddressRules addresses_;
  RateLimiter rate_limiter_;
  ErrorOverrides error_overrides_;
  Compression compression_;
  ServerName server_name_;
  std::unique_ptr<const Forwarded> forwarded_;
};

struct CompiledGateway::Made {
  std::shared_ptr<const CompiledGateway> gateway;
  std::vector<Problem> problems;  // their indices are those of the routes that make() was given
};

}  // namespace gatehouse::gateway
