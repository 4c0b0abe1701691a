// Token buckets of one rate limit for very many keys, in memory that does not grow, shared by all
// loops without a lock.
//
// A bucket is one number: the theoretical arrival time of the generic cell rate algorithm (ITU-T
// I.371), at which the bucket would be full again. The table holds pairs of a key's 64-bit hash and
// that time, in groups of eight; a key lives in the one group its hash names.
//
// What it gives up for that:
// - Two keys with the same hash share a bucket. Among a million keys that is one chance in 37
//   million.
// - A key for which its group has no room takes the place of the one that is full again, or else
//   would be soonest, which then starts with a full bucket. More keys at once than there is room
//   for are let through more often than the limit says, never less often.
// - Two loops that give one place to two keys in the same instant may miscount one request.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace gatehouse::gateway {

/// How fast a bucket fills, and how much it holds.
struct BucketRate {
  std::chrono::nanoseconds interval{0};  // until one more request may come; above 0
  std::size_t burst = 1;                 // at once; interval * burst fits into 62 bits
};

class TokenBuckets {
 public:
  /// Room for at least `keys` of them, in whole groups, a power of two.
  explicit TokenBuckets(std::size_t keys);

  /// Takes one token out of the key's bucket. 0: it may go. Else nothing is taken, and that long
  /// until there is one. Thread-safe.
  std::chrono::nanoseconds take(std::uint64_t key_hash, const BucketRate& rate, MonotonicTime now);

  std::size_t bytes() const { return groups_.size() * sizeof(Group); }

 private:
  static constexpr std::size_t kWays = 8;
  struct Slot {
    std::atomic<std::uint64_t> key{0};     // 0: never used
    std::atomic<std::int64_t> full_at{0};  // nanoseconds
  };
  struct alignas(64) Group {
    std::array<Slot, kWays> slots;
  };

  static Slot& find(Group& group, std::uint64_t key, std::int64_t now);

  std::vector<Group> groups_;
};

}  // namespace gatehouse::gateway
