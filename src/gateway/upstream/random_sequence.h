// Random numbers for choices that cost nothing to guess: which of two addresses, how long to wait.
// SplitMix64 (Steele et al. 2014), seeded once from the process's entropy.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/entropy.h"
#include "gateway/upstream/hash.h"

namespace gatehouse::gateway::upstream {

class RandomSequence {
 public:
  explicit RandomSequence(Entropy& entropy) {
    std::array<std::uint8_t, sizeof state_> seed;
    entropy.fill(seed);
    std::memcpy(&state_, seed.data(), sizeof state_);
  }

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    return mix(state_);
  }
  /// From 0 to `bound` - 1; 0 if that is 0. Even but for 1 in 2^32.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32U) * bound) >> 32U);
  }

 private:
  std::uint64_t state_;
};

}  // namespace gatehouse::gateway::upstream
