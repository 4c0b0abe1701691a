#include "gateway/upstream/maglev.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace gatehouse::gateway::upstream {
namespace {

constexpr std::array<std::size_t, 7> kSizes = {1021,   2039,   4093,          8191,
                                               16'381, 32'749, Maglev::kSlots};
constexpr std::size_t kSlotsPerName = 100;

std::size_t size_for(std::size_t names) {
  const auto enough = std::ranges::find_if(
      kSizes, [names](std::size_t size) { return size >= names * kSlotsPerName; });
  return enough == kSizes.end() ? Maglev::kSlots : *enough;
}

/// The slots in the order in which a name wants them.
class Permutation {
 public:
  Permutation(const std::string& name, std::size_t size)
      : size_(size),
        next_(hash_bytes(name, 1) % size),
        skip_(hash_bytes(name, 2) % (size - 1) + 1) {}
  std::size_t next() {
    const std::size_t slot = next_;
    next_ = (next_ + skip_) % size_;
    return slot;
  }

 private:
  std::size_t size_, next_, skip_;
};

}  // namespace

Maglev::Maglev(const std::vector<std::string>& names) {
  constexpr std::uint32_t kFree = std::numeric_limits<std::uint32_t>::max();
  slots_.assign(size_for(names.size()), kFree);
  std::vector<std::uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&names](std::uint32_t index) { return names[index]; });
  std::vector<Permutation> wishes;
  wishes.reserve(names.size());
  for (const std::uint32_t index : order) wishes.emplace_back(names[index], slots_.size());

  for (std::size_t filled = 0; filled < slots_.size(); ++filled) {
    const std::size_t turn = filled % names.size();
    std::size_t slot = wishes[turn].next();
    while (slots_[slot] != kFree) slot = wishes[turn].next();
    slots_[slot] = order[turn];
  }
}

}  // namespace gatehouse::gateway::upstream
