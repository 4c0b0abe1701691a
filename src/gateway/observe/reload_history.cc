#include "gateway/observe/reload_history.h"

#include <utility>

namespace gatehouse::gateway {

void ReloadHistory::add(ReloadView reload) {
  const std::scoped_lock lock(mutex_);
  ++(reload.applied ? totals_.applied : totals_.refused);
  if (reload.applied) totals_.last_applied = reload.time;
  entries_.push_front(std::move(reload));
  if (entries_.size() > kKept) entries_.pop_back();
}

ReloadHistory::Totals ReloadHistory::totals() const {
  const std::scoped_lock lock(mutex_);
  return totals_;
}

std::vector<ReloadView> ReloadHistory::entries() const {
  const std::scoped_lock lock(mutex_);
  return {entries_.begin(), entries_.end()};
}

}  // namespace gatehouse::gateway
