// Counters by the name of a route, as one loop keeps them without locks. Names are bounded by the
// configuration and a limit.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gatehouse::gateway {

/// Labels of what has no route, and of what has no label of its own.
inline constexpr std::string_view kNoRoute = "-";
inline constexpr std::string_view kOthers = "other";

template <class Counts>
class CountsByRoute {
 public:
  /// At most `limit` names have labels.
  explicit CountsByRoute(std::size_t limit) : limit_(limit) {}

  /// On the loop, after a reload too: counters of a name that stays go on. Those of a name that is
  /// gone stay as long as there is room, so that the last of them are read.
  void set_routes(const std::vector<std::string>& names) {
    const std::scoped_lock lock(changing_);
    auto before = std::exchange(routes_, {});
    for (const std::string& name : names) {
      if (routes_.size() == limit_) break;
      const auto [place, fresh] = routes_.try_emplace(name);
      if (!fresh) continue;
      const auto known = before.find(name);
      place->second = known == before.end() ? std::make_unique<Counts>() : std::move(known->second);
    }
    for (auto& [name, counts] : before) {
      if (routes_.size() == limit_) break;
      if (counts) routes_.try_emplace(name, std::move(counts));
    }
  }

  /// On the loop. "": of what has no route.
  Counts& of(const std::string& route) {
    if (route.empty()) return without_route_;
    const auto found = routes_.find(route);
    return found == routes_.end() ? others_ : *found->second;
  }

  /// Calls visit(label, counts) for each label; a route may be called as the rest is. From any
  /// thread.
  template <class Visit>
  void for_each(Visit visit) const {
    const std::scoped_lock lock(changing_);
    for (const auto& [name, counts] : routes_) visit(name, *counts);
    visit(std::string(kNoRoute), without_route_);
    visit(std::string(kOthers), others_);
  }

 private:
  const std::size_t limit_;
  mutable std::mutex changing_;  // held when routes_ changes its shape, and by other threads
  std::unordered_map<std::string, std::unique_ptr<Counts>> routes_;
  Counts without_route_, others_;
};

}  // namespace gatehouse::gateway
