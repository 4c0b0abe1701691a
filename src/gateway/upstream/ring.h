// The ring of ring_hash (Karger et al. 1997, as ketama lays it out): each name owns many points on
// a circle of hashes, and a key belongs to the next point. A name that comes or goes moves only the
// keys of its own points. Immutable; a new set of names makes a new ring.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gatehouse::gateway::upstream {

class Ring {
 public:
  /// Of each name, if there is room: the shares are then even to about 8 % (1/√160).
  static constexpr std::size_t kPointsPerName = 160;
  /// Of all names together; with more names each has fewer points, but one at least.
  static constexpr std::size_t kPoints = 65'536;

  /// The order of the names does not matter to where keys go. Not empty.
  explicit Ring(const std::vector<std::string>& names);

  /// The index of the name that the key belongs to; of those for which `usable(index)` does not
  /// hold, the keys go to the next on the ring. If none is usable: as if all were.
  template <class Usable>
  std::size_t find(std::uint64_t key, Usable usable) const {
    const auto first = std::ranges::lower_bound(points_, key, {}, &Point::hash);
    const auto start = static_cast<std::size_t>(first - points_.begin()) % points_.size();
    for (std::size_t step = 0; step < points_.size(); ++step) {
      const std::uint32_t index = points_[(start + step) % points_.size()].index;
      if (usable(index)) return index;
    }
    return points_[start].index;
  }

  std::size_t size() const { return points_.size(); }

 private:
  struct Point {
    std::uint64_t hash;
    std::uint32_t index;
  };
  std::vector<Point> points_;  // by hash
};

}  // namespace gatehouse::gateway::upstream
