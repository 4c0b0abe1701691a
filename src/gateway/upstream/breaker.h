// A limit on how many of something are under way at once, and a place among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace gatehouse::gateway::upstream {

struct Breaker {
  std::size_t limit = 0;  // 0: no limit
  std::size_t now = 0;
  std::uint64_t refused = 0;  // since the start
};

/// One of what is under way; ends when it goes.
class BreakerPlace {
 public:
  /// nullopt, and counted, if there is none left.
  static std::optional<BreakerPlace> enter(const std::shared_ptr<Breaker>& breaker) {
    if (breaker->limit != 0 && breaker->now >= breaker->limit) {
      ++breaker->refused;
      return std::nullopt;
    }
    return BreakerPlace(breaker);
  }
  BreakerPlace(BreakerPlace&&) = default;
  BreakerPlace& operator=(BreakerPlace&&) = delete;
  ~BreakerPlace() {
    if (breaker_) --breaker_->now;
  }

 private:
  explicit BreakerPlace(std::shared_ptr<Breaker> breaker) : breaker_(std::move(breaker)) {
    ++breaker_->now;
  }
  std::shared_ptr<Breaker> breaker_;
};

}  // namespace gatehouse::gateway::upstream
