// How many connections several pools have open together, and how many requests wait for one: what a
// limit for a whole service, with its several addresses, is held against. Of one loop.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <utility>

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

/// A connection's place among them.
class CountedConnection {
 public:
  /// Null: counts nothing.
  explicit CountedConnection(std::shared_ptr<ConnectionCounts> counts)
      : counts_(std::move(counts)) {
    if (counts_) ++counts_->open;
  }
  CountedConnection(CountedConnection&&) = default;
  CountedConnection& operator=(CountedConnection&&) = delete;
  ~CountedConnection() {
    if (counts_) --counts_->open;
  }

 private:
  std::shared_ptr<ConnectionCounts> counts_;
};

}  // namespace gatehouse::net
