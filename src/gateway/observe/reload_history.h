// What became of the last changes of the configuration. One of a process; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/observe/diagnostics.h"

namespace gatehouse::gateway {

class ReloadHistory {
 public:
  static constexpr std::size_t kKept = 20;

  void add(ReloadView reload);

  struct Totals {
    std::uint64_t applied = 0, refused = 0;
    WallTime last_applied{};
  };
  Totals totals() const;
  /// The newest first.
  std::vector<ReloadView> entries() const;

 private:
  mutable std::mutex mutex_;
  std::deque<ReloadView> entries_;
  Totals totals_;
};

}  // namespace gatehouse::gateway
