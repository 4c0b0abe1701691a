#include "base/clock.h"

namespace gatehouse {

WallTime SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

MonotonicTime SystemClock::monotonic() const {
  return std::chrono::steady_clock::now();
}

}  // namespace gatehouse
