// For tests: chance that is always the same.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/entropy.h"

namespace gatehouse {

class FixedEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, 7); }
};

}  // namespace gatehouse
