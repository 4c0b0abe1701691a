// How many connections several pools have open together, and how many requests wait for one: what a
// limit for a whole service, with its several addresses, is held against. Of one loop.
#pragma once

#include <cstddef>
#include <limits>

namespace gatehouse::net {

struct ConnectionCounts {
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  std::size_t open_limit = kNoLimit;
  std::size_t waiting_limit = kNoLimit;
  std::size_t open = 0;          // connections, those under way included
  std::size_t waiting = 0;       // requests whose connection is being made
  std::size_t open_refused = 0;  // how often a limit struck, since the start
  std::size_t waiting_refused = 0;
};

}  // namespace gatehouse::net
