// Time comes in through a Clock, so that a whole server can run under a time that a test moves.
#pragma once

#include <chrono>

namespace gatehouse {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using MonotonicTime = std::chrono::steady_clock::time_point;

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// The calendar's time: for what is stored, signed or shown. May jump.
  virtual WallTime now() const = 0;
  /// Never goes back: for deadlines and durations.
  virtual MonotonicTime monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  MonotonicTime monotonic() const override;
};

/// Stands still until told otherwise. For tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime(std::chrono::seconds(1'800'000'000)))
      : now_(start) {}
  WallTime now() const override { return now_; }
  MonotonicTime monotonic() const override { return monotonic_; }
  void advance(std::chrono::microseconds by) {
    now_ += by;
    monotonic_ += by;
  }

 private:
  WallTime now_;
  MonotonicTime monotonic_{};
};

/// Whole seconds since 1970, as JWT's NumericDate has them (RFC 7519 §2), rounded down.
inline long long unix_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
inline WallTime from_unix_seconds(long long seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

}  // namespace gatehouse
