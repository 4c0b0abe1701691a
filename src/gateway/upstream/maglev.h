// The table of maglev (Eisenbud et al. 2016, §3.4): a prime number of slots, which the names fill
// in turns by permutations of their own. A key looks into one slot. Shares differ by a slot at
// most; a name that comes or goes moves little more than its own keys. Immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/upstream/hash.h"

namespace gatehouse::gateway::upstream {

class Maglev {
 public:
  /// The paper's size; fewer names have the smallest of some primes that gives each a hundred slots
  /// (its §5.3), because each loop has a table for each service.
  static constexpr std::size_t kSlots = 65'537;

  /// Not empty; kSlots at most. The order of the names does not matter to where keys go.
  explicit Maglev(const std::vector<std::string>& names);

  /// As Ring::find(): keys of a name that is not usable are spread over the others evenly.
  template <class Usable>
  std::size_t find(std::uint64_t key, Usable usable) const {
    constexpr std::uint64_t kProbes = 32;
    for (std::uint64_t probe = 0; probe < kProbes; ++probe) {
      const std::uint32_t index = slots_[mix(key + probe) % slots_.size()];
      if (usable(index)) return index;
    }
    // So few are usable that chance has missed them.
    const std::size_t start = mix(key) % slots_.size();
    for (std::size_t step = 0; step < slots_.size(); ++step) {
      const std::uint32_t index = slots_[(start + step) % slots_.size()];
      if (usable(index)) return index;
    }
    return slots_[start];
  }

  std::size_t size() const { return slots_.size(); }

 private:
  std::vector<std::uint32_t> slots_;  // indices of names
};

}  // namespace gatehouse::gateway::upstream
