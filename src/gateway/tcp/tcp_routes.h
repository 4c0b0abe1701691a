// The TCP routes of the configuration, made ready: by the address that is listened on, by SNI, by
// weight. Immutable and thread-safe: one for all loops; a reload makes a new one.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/routing/problem.h"
#include "net/server_names.h"
#include "net/stream.h"
#include "net/tls.h"

namespace gatehouse::gateway {

/// How a TCP route is called in logs and metrics.
inline const std::string& route_name(const config::TcpRoute& route) {
  return route.name.empty() ? route.listen : route.name;
}

class TcpRoutes {
 public:
  /// Routes with the same host on the same address: connections are shared out by weight.
  struct Group {
    std::vector<config::TcpRoute> routes;  // one at least
    std::size_t first = 0;                 // the index of the first, in what make() was given
    std::vector<double> shares;            // of each, 1 in all
    bool ends_tls = false;
  };
  struct Listen {
    net::Endpoint endpoint;
    std::vector<Group> groups;
    net::ServerNames names;                     // → index in `groups`
    std::shared_ptr<const net::ServerTls> tls;  // of the groups that end TLS; null if none does
    /// Only one group, for every name: there is no need to know what the client asks for, and a
    /// server may be the first to speak.
    bool one_for_all = false;
  };

  struct Made;

  /// A route that is wrong is left out and named: an address that is none, a host name that is
  /// none, a certificate that cannot be used, other TLS settings than the route before it that has
  /// the same address and host. Reads files.
  static Result<Made> make(const std::vector<config::TcpRoute>& routes);

  const std::vector<Listen>& listens() const { return listens_; }

 private:
  Result<void> add(const config::TcpRoute& route, std::size_t index,
                   std::vector<Problem>& problems);
  Result<void> finish(Listen& listen, std::vector<Problem>& problems);

  std::vector<Listen> listens_;
};

struct TcpRoutes::Made {
  std::shared_ptr<const TcpRoutes> routes;
  std::vector<Problem> problems;  // their indices are those of the routes that make() was given
};

}  // namespace gatehouse::gateway
