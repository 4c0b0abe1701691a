#include "gateway/upstream/ring.h"

#include <tuple>

#include "gateway/upstream/hash.h"

namespace gatehouse::gateway::upstream {

Ring::Ring(const std::vector<std::string>& names) {
  const std::size_t each = std::clamp<std::size_t>(kPoints / names.size(), 1, kPointsPerName);
  points_.reserve(each * names.size());
  for (std::uint32_t index = 0; index < names.size(); ++index) {
    for (std::size_t point = 0; point < each; ++point) {
      points_.push_back({hash_bytes(names[index], point), index});
    }
  }
  // Points that fall together are told apart by their names, whose order is the same everywhere.
  std::ranges::sort(points_, [&names](const Point& a, const Point& b) {
    return std::tie(a.hash, names[a.index]) < std::tie(b.hash, names[b.index]);
  });
}

}  // namespace gatehouse::gateway::upstream
