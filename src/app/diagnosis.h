// Gathers what the operations page shows: the configuration in force, and how its services do on
// all loops together.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "app/plan.h"
#include "gateway/compiled_gateway.h"
#include "gateway/observe/diagnostics.h"
#include "gateway/upstream/status.h"

namespace gatehouse::app {

/// What each loop has last said of its clusters; thread-safe.
class ClusterBoard {
 public:
  void set(std::size_t loop, std::vector<gateway::upstream::ClusterStatus> clusters);
  /// Of all loops together, by service.
  std::vector<gateway::ClusterView> views() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<gateway::upstream::ClusterStatus>> loops_;
};

/// In the order in which they are tried. `hits`: by the routes' names.
std::vector<gateway::RouteView> route_views(const gateway::CompiledGateway& compiled,
                                            const std::map<std::string, std::uint64_t>& hits);
/// "gateway", "operations": for people.
std::string_view name_of(Service service);
/// "gatekeeper", "http http://…".
std::string authorizer_text(const config::AuthorizerSettings& settings);

}  // namespace gatehouse::app
