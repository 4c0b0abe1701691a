// The services that routes lead to: one HttpClient, with its pool of connections, for each distinct
// origin and way to reach it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "gateway/proxy.h"
#include "http/message.h"
#include "http/url.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/tcp.h"

namespace gatehouse::gateway {

class Upstreams {
 public:
  Upstreams(net::Loop& loop, net::Resolver& resolver) : loop_(&loop), resolver_(&resolver) {}

  /// Where each route leads; the clients live as long as this object. kInvalid names the route
  /// whose service is neither an origin nor one of `local`.
  Result<std::vector<Destination>> destinations(const std::vector<config::Route>& routes,
                                                const std::map<std::string, http::Handler*>& local);

  std::size_t size() const { return clients_.size(); }

 private:
  /// Origin, CA file, time to connect.
  using Key = std::tuple<std::string, std::string, std::chrono::milliseconds>;
  Result<Destination> destination(const config::Route& route);

  net::Loop* loop_;
  net::Resolver* resolver_;
  std::map<Key, std::unique_ptr<net::HttpClient>> clients_;
};

/// Of a client of `url`, whose certificates are checked by `ca_file` ("": the system's).
Result<net::ClientOptions> client_options(const http::Url& url,
                                          std::chrono::milliseconds connect_timeout,
                                          const std::string& ca_file);

}  // namespace gatehouse::gateway
