// Which route a request takes, and why.
//
// An immutable table, made once from the configuration; copies share it, and threads may read it at
// once. A look-up allocates nothing but where a path has parameters or lower-case escapes, or a
// field has to be joined or decoded.
//
// Hosts are tried from the most to the least particular: the name, the longest "*.suffix", the
// longest "prefix.*", host_regex, any. The first that has a route that matches wins, whatever the
// precedence of routes for other hosts; within a host the order is RouteMatch's. A Host with a
// route_selector hides the routes without its labels from requests to it.
//
// Routes that match the same are one group and share its requests (RouteGroup).
//
// A path that others may read as another, and whose route would then be another, is refused:
// - without its path parameters (";…"), which some servers drop (CVE-2026-73511);
// - in another case, if the route that won does not care for case: else "/ADMIN" would pass by a
//   case-sensitive route for /admin that comes before, to a server that takes both for the same.
//   A case-insensitive route that is more specific, or has a higher precedence, wins as it says.
//
// A route that is wrong is left out, and its requests take what else matches: whoever cannot have
// that treats problems as fatal.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/routing/explanation.h"
#include "gateway/routing/host_pattern.h"
#include "gateway/routing/problem.h"
#include "gateway/routing/route_actions.h"
#include "gateway/routing/route_group.h"
#include "http/message.h"

namespace gatehouse::gateway {

struct CompiledRoutes;

class RouteTable {
 public:
  enum class Miss { kNone, kAmbiguous };
  struct Made;

  /// An empty table, without a route.
  RouteTable();
  /// Never fails: what is wrong is named and left out.
  static Made make(const std::vector<config::Route>& routes,
                   const std::vector<config::Host>& hosts = {});

  /// The group that the request takes; it lives as long as the table or a copy of it.
  Result<const RouteGroup*, Miss> find(const http::Request& request) const;
  /// Says what find() decides, and why. `routes`: those that the table was made of. `secure`: the
  /// request counts as one over TLS.
  Explanation explain(const http::Request& request, const std::vector<config::Route>& routes,
                      bool secure) const;
  /// Indices of all routes, in the order in which they are tried within their hosts; of several
  /// that match the same, shadows come last.
  std::vector<std::size_t> in_order() const;
  /// Of a route that a group named.
  const RouteActions& actions(std::size_t route) const;

 private:
  explicit RouteTable(std::shared_ptr<const CompiledRoutes> routes) : routes_(std::move(routes)) {}
  std::shared_ptr<const CompiledRoutes> routes_;
};

struct RouteTable::Made {
  RouteTable table;
  std::vector<Problem> problems;
};

/// The first problem that left something out, as an error that names the route: for configurations
/// that must be all right.
Result<void> require_all(const std::vector<Problem>& problems,
                         const std::vector<config::Route>& routes,
                         const std::vector<config::Host>& hosts);

}  // namespace gatehouse::gateway
