// What active checks have found out, shared by the loops, so that an address is asked once an
// interval by the process and not by every loop.
//
// One object a process, made by the composition root before the loops. Every loop has its checks;
// the one that holds the lease of an entry does the asking, and another takes over when the lease
// runs out because that loop is gone or stuck. Thread-safe. The request path reads one atomic,
// which changes as rarely as health does.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::gateway::upstream {

class HealthBoard {
 public:
  enum class Health : std::uint8_t {
    kUnknown,  // no check has ended yet: as good as healthy, so that a start loses no request
    kHealthy,
    kUnhealthy,
  };

  /// One check of one address.
  class Entry {
   public:
    explicit Entry(std::shared_ptr<std::atomic<std::uint64_t>> changes)
        : changes_(std::move(changes)) {}

    Health health() const { return health_.load(std::memory_order_relaxed); }
    /// Takes or renews the lease; false if another checker holds it.
    bool claim(const void* checker, MonotonicTime now, MonotonicTime until);
    /// Gives the lease back, if `checker` holds it.
    void release(const void* checker);
    /// So many outcomes in a row change the health; the first outcome of all does so by itself.
    void record(const Result<void>& outcome, std::size_t healthy_threshold,
                std::size_t unhealthy_threshold);
    /// Of the last check that failed; "" while the address is healthy.
    std::string last_error() const;

   private:
    void set(Health health);

    const std::shared_ptr<std::atomic<std::uint64_t>> changes_;
    std::atomic<Health> health_ = Health::kUnknown;
    mutable std::mutex mutex_;  // guards what follows
    const void* checker_ = nullptr;
    MonotonicTime leased_until_{};
    std::size_t successes_ = 0, failures_ = 0;  // in a row
    std::string last_error_;
  };

  /// The entry of that key, which says the address and all that the check depends on. It lives for
  /// as long as somebody holds it.
  std::shared_ptr<Entry> entry(const std::string& key);

  /// Grows when the health of any entry changes; who sees it grow sees that health.
  std::uint64_t changes() const { return changes_->load(std::memory_order_acquire); }

 private:
  const std::shared_ptr<std::atomic<std::uint64_t>> changes_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Entry>> entries_;
};

}  // namespace gatehouse::gateway::upstream
