#include "gateway/upstream/health_board.h"

namespace gatehouse::gateway::upstream {

bool HealthBoard::Entry::claim(const void* checker, MonotonicTime now, MonotonicTime until) {
  const std::lock_guard lock(mutex_);
  if (checker_ != nullptr && checker_ != checker && leased_until_ > now) return false;
  checker_ = checker;
  leased_until_ = until;
  return true;
}

void HealthBoard::Entry::release(const void* checker) {
  const std::lock_guard lock(mutex_);
  if (checker_ == checker) checker_ = nullptr;
}

void HealthBoard::Entry::record(const Result<void>& outcome, std::size_t healthy_threshold,
                                std::size_t unhealthy_threshold) {
  const std::lock_guard lock(mutex_);
  const bool first = health() == Health::kUnknown;
  if (outcome) {
    failures_ = 0;
    ++successes_;
    if (health() == Health::kHealthy) last_error_.clear();
    if (first || successes_ >= healthy_threshold) set(Health::kHealthy);
    return;
  }
  successes_ = 0;
  ++failures_;
  last_error_ = outcome.error().message;
  if (first || failures_ >= unhealthy_threshold) set(Health::kUnhealthy);
}

void HealthBoard::Entry::set(Health health) {
  if (health_.exchange(health, std::memory_order_relaxed) == health) return;
  if (health == Health::kHealthy) last_error_.clear();
  changes_->fetch_add(1, std::memory_order_release);
}

std::string HealthBoard::Entry::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

std::shared_ptr<HealthBoard::Entry> HealthBoard::entry(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) {
    if (std::shared_ptr<Entry> known = found->second.lock()) return known;
  }
  std::erase_if(entries_, [](const auto& known) { return known.second.expired(); });
  auto fresh = std::make_shared<Entry>(changes_);
  entries_.insert_or_assign(key, fresh);
  return fresh;
}

}  // namespace gatehouse::gateway::upstream
