// Counters of TCP connections that ended, by route and by how they did.
//
// A loop counts in a shard of its own; labels are bounded as those of route_metrics.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gateway/observe/count.h"
#include "gateway/observe/counts_by_route.h"
#include "gateway/observe/families.h"
#include "gateway/tcp/tcp_proxy.h"

namespace gatehouse::gateway {

/// Of one loop.
class TcpShard {
 public:
  /// At most `limit` names have labels; connections of the rest count under "other".
  explicit TcpShard(std::size_t limit) : routes_(limit) {}

  /// As CountsByRoute::set_routes().
  void set_routes(const std::vector<std::string>& names) { routes_.set_routes(names); }
  /// On the loop.
  void ended(const TcpOutcome& outcome);

  struct RouteSums {
    std::array<std::uint64_t, kTcpResultNames.size()> results{};
    std::uint64_t received = 0, sent = 0;
  };
  using Sums = std::map<std::string, RouteSums>;
  /// From any thread.
  void add_to(Sums& sums) const;

 private:
  struct RouteCounts {
    std::array<Count, kTcpResultNames.size()> results;
    Count received, sent;

    void add_to(RouteSums& sums) const;
  };

  CountsByRoute<RouteCounts> routes_;
};

/// The families of these sums.
void append_tcp(Families& families, const TcpShard::Sums& sums);

}  // namespace gatehouse::gateway
