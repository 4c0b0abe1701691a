// Takes an address out that fails for real requests, and lets it back in after a while. A state
// machine: told of outcomes and of time, it says when an address goes out and when it comes back.
//
// What fails: a 5xx of the address's own, and whatever the gateway would answer for it with 502,
// 503 or 504 (no connection, a reset, a time-out). So many in a row eject, for base_ejection times
// how often the address was ejected, up to kLongestEjection; each interval in use without an
// ejection forgives one. At most max_ejection_percent of the addresses are out at once, but one
// always may be.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "base/clock.h"
#include "config/gateway_settings.h"

namespace gatehouse::gateway::upstream {

class OutlierDetector {
 public:
  static constexpr std::chrono::seconds kLongestEjection{300};

  /// Of one address.
  struct Record {
    std::size_t failures = 0;   // in a row
    std::size_t ejections = 0;  // not forgiven yet
    std::optional<MonotonicTime> ejected_until;
    MonotonicTime forgive_at{};
  };

  explicit OutlierDetector(const config::OutlierDetection& settings) : settings_(settings) {}

  bool enabled() const { return settings_.consecutive_5xx > 0; }
  /// True if the address goes out now. `addresses`: how many there are; `ejected`: how many of them
  /// are out.
  bool record(Record& record, bool failed, std::size_t addresses, std::size_t ejected,
              MonotonicTime now) const;
  /// Once its time has come: true if the address is back now.
  bool restore(Record& record, MonotonicTime now) const;

 private:
  config::OutlierDetection settings_;
};

}  // namespace gatehouse::gateway::upstream
