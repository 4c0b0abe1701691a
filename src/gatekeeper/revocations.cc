#include "gatekeeper/revocations.h"

#include <algorithm>

namespace gatehouse::gatekeeper {
namespace {

constexpr std::size_t kEntriesPerRead = 1'000;  // of the store's log, so that no read is long

}  // namespace

void Revocations::add(std::string_view session, WallTime expires) {
  const std::lock_guard lock(mutex_);
  list_.push_back({std::string(session), expires});
  epoch_.fetch_add(1, std::memory_order_release);
}

Result<void> Revocations::poll(store::Transaction& transaction) {
  for (;;) {
    std::int64_t after = 0;
    {
      const std::lock_guard lock(mutex_);
      after = last_sequence_;
    }
    Result<std::vector<store::Revocation>> fresh =
        transaction.revocations_after(after, kEntriesPerRead);
    if (!fresh) return fail(std::move(fresh));
    if (fresh->empty()) return {};
    const std::lock_guard lock(mutex_);
    for (store::Revocation& entry : *fresh) {
      last_sequence_ = std::max(last_sequence_, entry.sequence);
      list_.push_back({std::move(entry.session_id), entry.expires});
    }
    epoch_.fetch_add(1, std::memory_order_release);
    if (fresh->size() < kEntriesPerRead) return {};
  }
}

void Revocations::forget(WallTime now) {
  const std::lock_guard lock(mutex_);
  const auto expired = std::erase_if(list_, [now](const Entry& e) { return e.expires <= now; });
  if (expired == 0) return;
  ++generation_;
  epoch_.fetch_add(1, std::memory_order_release);
}

std::size_t Revocations::size() const {
  const std::lock_guard lock(mutex_);
  return list_.size();
}

bool RevocationView::contains(std::string_view session) {
  const std::uint64_t epoch = shared_.epoch_.load(std::memory_order_acquire);
  if (epoch != epoch_) catch_up(epoch);
  return !sessions_.empty() && sessions_.contains(session);
}

void RevocationView::catch_up(std::uint64_t epoch) {
  const std::lock_guard lock(shared_.mutex_);
  if (generation_ != shared_.generation_) {
    sessions_.clear();
    read_ = 0;
    generation_ = shared_.generation_;
  }
  for (; read_ < shared_.list_.size(); ++read_) sessions_.insert(shared_.list_[read_].session);
  epoch_ = epoch;
}

}  // namespace gatehouse::gatekeeper
