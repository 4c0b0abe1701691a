// The gateway as the composition root sees it: a Handler that routes, asks, rewrites and forwards,
// and what watches it (log, metrics, health).
//
// The way of a request is in proxy.h, authorizers that are other processes in authz/. Per loop:
// Gateway, an observer, an operations handler. Shared by the loops: CompiledGateway, HealthBoard,
// Metrics.
#pragma once

#include <spdlog/logger.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "config/settings.h"
#include "gateway/authz/authorizer_counts.h"
#include "gateway/compiled_gateway.h"
#include "gateway/observe/loop_observer.h"
#include "gateway/observe/metrics.h"
#include "gateway/observe/operations.h"
#include "gateway/upstream/cluster.h"
#include "gateway/upstream/health_board.h"
#include "gateway/upstream/status.h"
#include "http/authorizer.h"
#include "http/message.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/tcp.h"

namespace gatehouse::gateway {

/// One a loop. Exchanges that stay open are judged again every settings.recheck_interval, and end
/// when the authorizer no longer lets their session pass (recheck.h); nothing else has to be called
/// for that.
class Gateway : public http::Handler {
 public:
  /// All outlive the gateway.
  struct Parts {
    net::Loop& loop;
    net::Resolver& resolver;
    upstream::HealthBoard& health;
    /// The authorizer of this process; null if there is none.
    http::Authorizer* gatekeeper = nullptr;
    /// Handlers that routes name as their service instead of a URL: "identity", "gatekeeper". They
    /// get the private cookies, which upstreams do not.
    std::map<std::string, http::Handler*> local;
    /// Of the request ids.
    Entropy& entropy;
    AuthorizerCounts* authorizer_counts = nullptr;  // of the loop; may be null
    /// What follows requests that begin; asked at each use(). Empty, or gives null: nothing does.
    std::function<std::shared_ptr<Tracing>()> tracing;
    /// Where it is said why a judge or an upstream failed; may be null.
    std::shared_ptr<spdlog::logger> log;
  };
  /// kInvalid if the authorizer cannot be made.
  static Result<std::unique_ptr<Gateway>> make(std::shared_ptr<const CompiledGateway> compiled,
                                               Parts parts);

  /// Puts another configuration in force, for requests that begin from now on. What both have in
  /// common stays: connections, health, the authorizer. kInvalid: nothing has changed.
  virtual Result<void> use(std::shared_ptr<const CompiledGateway> compiled) = 0;
  /// What is wrong with the services of routes in force, which answer 503; indices as in
  /// CompiledGateway::route().
  virtual const std::vector<Problem>& service_problems() const = 0;
  virtual const CompiledGateway& compiled() const = 0;
  virtual std::vector<upstream::ClusterStatus> clusters() const = 0;
  /// The cluster of a TCP mapping.
  virtual Result<std::shared_ptr<upstream::Cluster>> cluster(const config::Upstream& settings) = 0;
};

/// Answers what operators ask (operations.h). For a listener of its own, which asks nobody who they
/// are.
std::unique_ptr<http::Handler> make_operations(Operations::Parts parts);
/// Answers probes (health.h), for a route. `ready` is called on the loop.
std::unique_ptr<http::Handler> make_health(std::function<bool()> ready);

}  // namespace gatehouse::gateway
