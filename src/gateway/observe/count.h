// Numbers that one loop keeps and any thread reads: no lock, no locked instruction.
#pragma once

#include <atomic>
#include <cstdint>

namespace gatehouse::gateway {

/// Only grows.
class Count {
 public:
  /// On the loop that owns this.
  void add(std::uint64_t n) { value_.store(value() + n, std::memory_order_relaxed); }
  /// From any thread.
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// Goes up and down.
class Level {
 public:
  /// On the loop that owns this.
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  /// From any thread.
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

}  // namespace gatehouse::gateway
