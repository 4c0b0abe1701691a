#include "gateway/upstream/outlier_detector.h"

#include <algorithm>

namespace gatehouse::gateway::upstream {

bool OutlierDetector::record(Record& record, bool failed, std::size_t addresses,
                             std::size_t ejected, MonotonicTime now) const {
  if (!failed) {
    record.failures = 0;
    return false;
  }
  if (!enabled() || record.ejected_until) return false;
  if (++record.failures < settings_.consecutive_5xx) return false;
  const std::size_t percent = std::min<std::size_t>(settings_.max_ejection_percent, 100);
  const std::size_t limit = std::max<std::size_t>(addresses * percent / 100, 1);
  if (ejected >= limit) return false;
  while (record.ejections > 0 && record.forgive_at <= now) {
    --record.ejections;
    record.forgive_at += settings_.interval;
  }
  record.failures = 0;
  ++record.ejections;
  const auto out = std::min<std::chrono::milliseconds>(
      settings_.base_ejection * static_cast<std::int64_t>(record.ejections), kLongestEjection);
  record.ejected_until = now + out;
  record.forgive_at = now + out + settings_.interval;
  return true;
}

bool OutlierDetector::restore(Record& record, MonotonicTime now) const {
  if (!record.ejected_until || *record.ejected_until > now) return false;
  record.ejected_until.reset();
  return true;
}

}  // namespace gatehouse::gateway::upstream
