#include "gateway/filters/token_buckets.h"

#include <algorithm>
#include <bit>

namespace gatehouse::gateway {
namespace {

// No value depends on another one's being seen first: a slot's two are read and written each for
// itself, as the header says.
constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

}  // namespace

TokenBuckets::TokenBuckets(std::size_t keys)
    : groups_(std::bit_ceil(std::max<std::size_t>((keys + kWays - 1) / kWays, 1))) {}

TokenBuckets::Slot& TokenBuckets::find(Group& group, std::uint64_t key, std::int64_t now) {
  for (;;) {
    Slot* soonest = nullptr;
    std::int64_t soonest_full = 0;
    for (Slot& slot : group.slots) {
      if (slot.key.load(kRelaxed) == key) return slot;
      const std::int64_t full = slot.full_at.load(kRelaxed);
      if (soonest == nullptr || full < soonest_full) {
        soonest = &slot;
        soonest_full = full;
      }
    }
    std::uint64_t old = soonest->key.load(kRelaxed);
    // Another loop may have brought in the same key, or taken this place: look again.
    if (old == key || !soonest->key.compare_exchange_strong(old, key, kRelaxed)) continue;
    if (soonest_full > now) soonest->full_at.compare_exchange_strong(soonest_full, now, kRelaxed);
    return *soonest;
  }
}

std::chrono::nanoseconds TokenBuckets::take(std::uint64_t key_hash, const BucketRate& rate,
                                            MonotonicTime now) {
  const std::uint64_t key = key_hash == 0 ? 1 : key_hash;
  const std::int64_t time =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  const std::int64_t interval = rate.interval.count();
  const std::int64_t room = interval * static_cast<std::int64_t>(rate.burst);
  // The low bits choose the group; the whole hash tells keys apart.
  Slot& slot = find(groups_[key & (groups_.size() - 1)], key, time);
  std::int64_t full_at = slot.full_at.load(kRelaxed);
  for (;;) {
    const std::int64_t next = std::max(full_at, time) + interval;
    const std::int64_t excess = next - time - room;
    if (excess > 0) return std::chrono::nanoseconds(excess);
    if (slot.full_at.compare_exchange_weak(full_at, next, kRelaxed)) return {};
  }
}

}  // namespace gatehouse::gateway
