// The way of a request through the gateway, with all that it meets given from outside.
//
// name it → find its route → ask whether it may pass → write who the user is → forward it to a
// local handler or an upstream → hand its answer back, watched as long as it is open. Whatever
// fails on the way denies. The answer of an upstream that is cut short reaches the server as a body
// whose read() fails, so that the client sees it cut short too.
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "gateway/forwarded.h"
#include "gateway/identity_headers.h"
#include "gateway/recheck.h"
#include "gateway/routes.h"
#include "gateway/upstream/cluster.h"
#include "http/authorizer.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// Where a route leads: exactly one of the two is not null.
struct Destination {
  http::Handler* local = nullptr;
  std::shared_ptr<upstream::Cluster> cluster;
  /// The authorizer's own pages (its callback, its logout): they alone among upstreams get the
  /// private cookies and may set them, as they do when the authorizer is in this process.
  bool authorizer = false;
};

class Proxy final : public http::Handler {
 public:
  struct Parts {
    std::vector<config::Route> routes;
    std::vector<Destination> destinations;  // of the routes, in their order
    RouteTable table;
    http::Authorizer& authorizer;
    IdentityHeaders identity;
    Forwarded forwarded;
    RequestIds ids;
    int status_on_error = 503;
    std::shared_ptr<spdlog::logger> log;  // may be null
  };
  explicit Proxy(Parts parts) : parts_(std::move(parts)), open_(parts_.authorizer) {}

  Task<http::Response> handle(http::Request& request) override;
  OpenExchanges& open_exchanges() { return open_; }

 private:
  /// Why the gateway answers by itself.
  struct Refusal {
    int status;
    std::string_view failure;  // for log and metrics
    std::string_view what;     // for the client
  };

  Result<std::size_t, Refusal> choose(const http::Request& request) const;
  Task<http::Response> forward(http::Request& request, std::size_t route, const http::Allow& allow);
  Result<void> prepare(http::Request& request, std::size_t route, const http::Allow& allow) const;
  Result<http::Response, Refusal> check(http::Response response, const Destination& from,
                                        const http::Request& request) const;
  http::Response refuse(http::Request& request, const Refusal& refusal) const;
  http::Response judge_failed(http::Request& request, const Error& error) const;
  http::Response upstream_failed(http::Request& request, const Error& error) const;
  void warn(const http::Request& request, std::string_view who, const Error& error) const;

  Parts parts_;
  OpenExchanges open_;
};

}  // namespace gatehouse::gateway
