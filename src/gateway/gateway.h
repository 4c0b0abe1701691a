// The gateway as the composition root sees it: a Handler that routes, asks, rewrites and forwards,
// and what watches it (log, metrics, health).
//
// The way of a request is in proxy.h, authorizers that are other processes in authz/. Per loop:
// Gateway, an Authorizer, an observer, an operations handler. Shared by the loops: Metrics.
#pragma once

#include <spdlog/logger.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/entropy.h"
#include "config/settings.h"
#include "gateway/authz/external_authorizer.h"
#include "gateway/metrics.h"
#include "http/authorizer.h"
#include "http/message.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/tcp.h"

namespace gatehouse::gateway {

/// One a loop. Exchanges that stay open are judged again every settings.recheck_interval by the
/// same authorizer, and end when it no longer lets their session pass (recheck.h); nothing else has
/// to be called for that.
class Gateway : public http::Handler {
 public:
  struct Parts {
    net::Loop& loop;
    net::Resolver& resolver;
    http::Authorizer& authorizer;
    /// Handlers that routes name as their service instead of a URL: "identity", "gatekeeper". They
    /// get the private cookies, which upstreams do not.
    std::map<std::string, http::Handler*> local;
    /// Of the request ids.
    Entropy& entropy;
    /// Where it is said why a judge or an upstream failed; may be null.
    std::shared_ptr<spdlog::logger> log;
  };
  /// kInvalid names the route that cannot be.
  static Result<std::unique_ptr<Gateway>> make(const config::Gateway& settings, Parts parts);
};

/// Lets everyone pass. Only for a configuration that says `authorizer.kind: none`.
std::unique_ptr<http::Authorizer> make_open_authorizer(const config::Gateway& settings);

/// What a loop's HttpServers tell of their exchanges: counted in a shard of `metrics`, and written
/// to `log` as settings.access_log.form says. `metrics` and `log` must outlive it.
std::unique_ptr<net::ExchangeObserver> make_observer(const config::Gateway& settings,
                                                     Metrics& metrics,
                                                     std::shared_ptr<spdlog::logger> log);

/// Answers /metrics, /healthz/live and /healthz/ready (503 while `ready` says no); 404 to the rest.
/// For a listener of its own, which asks nobody who they are. `ready` is called on the loop.
std::unique_ptr<http::Handler> make_operations(const Metrics& metrics, std::function<bool()> ready);

}  // namespace gatehouse::gateway
