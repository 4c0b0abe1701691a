#include "gateway/upstream/balancer.h"

#include <algorithm>

namespace gatehouse::gateway::upstream {

Balancer::Balancer(const std::string& policy, RandomSequence& random)
    : policy_(policy == "least_request" ? Policy::kLeastRequest
              : policy == "ring_hash"   ? Policy::kRing
              : policy == "maglev"      ? Policy::kMaglev
                                        : Policy::kRoundRobin),
      random_(random),
      // So that loops and replicas that start together do not go to the same address together.
      next_(random.below(1'000'000)) {}

void Balancer::set_endpoints(std::vector<EndpointPtr> endpoints) {
  endpoints_ = std::move(endpoints);
  table_ = std::monostate();
  if (endpoints_.empty() || !hashes()) return;
  std::vector<std::string> names;
  names.reserve(endpoints_.size());
  for (const EndpointPtr& endpoint : endpoints_) names.push_back(endpoint->name);
  if (policy_ == Policy::kRing) {
    table_.emplace<Ring>(names);
  } else {
    table_.emplace<Maglev>(names);
  }
}

void Balancer::update(MonotonicTime now) {
  std::vector<bool> good, reachable;
  for (const EndpointPtr& endpoint : endpoints_) {
    good.push_back(endpoint->healthy() && !endpoint->outlier.ejected_until);
    reachable.push_back(!endpoint->refused_until || *endpoint->refused_until <= now);
  }
  panics_ = 2 * std::ranges::count(good, true) < std::ssize(good);
  if (panics_) good.assign(good.size(), true);
  usable_ = good;
  for (std::size_t i = 0; i < usable_.size(); ++i) usable_[i] = good[i] && reachable[i];
  if (std::ranges::count(usable_, true) == 0) usable_ = good;
  choices_.clear();
  for (std::uint32_t i = 0; i < usable_.size(); ++i) {
    if (usable_[i]) choices_.push_back(i);
  }
}

EndpointPtr Balancer::pick(std::uint64_t key, const Tried& tried) {
  if (choices_.empty()) return nullptr;
  const auto usable = [this, &tried](std::size_t index) { return may_use(index, tried); };
  std::size_t found = 0;
  if (const Ring* const ring = std::get_if<Ring>(&table_)) {
    found = ring->find(key, usable);
  } else if (const Maglev* const maglev = std::get_if<Maglev>(&table_)) {
    found = maglev->find(key, usable);
  } else if (policy_ == Policy::kLeastRequest && tried.empty()) {
    return less_busy_of_two();
  } else {
    return next_in_turn(tried);
  }
  return may_use(found, tried) ? endpoints_[found] : nullptr;
}

EndpointPtr Balancer::next_in_turn(const Tried& tried) {
  for (std::size_t step = 0; step < choices_.size(); ++step) {
    const EndpointPtr& endpoint = endpoints_[choices_[next_++ % choices_.size()]];
    if (!tried.contains(*endpoint)) return endpoint;
  }
  return nullptr;
}

EndpointPtr Balancer::less_busy_of_two() {
  const auto count = static_cast<std::uint32_t>(choices_.size());
  const std::uint32_t first = random_.below(count);
  if (count == 1) return endpoints_[choices_.front()];
  // Another one: two that are the same would be a choice of one.
  const std::uint32_t second = (first + 1 + random_.below(count - 1)) % count;
  const EndpointPtr& a = endpoints_[choices_[first]];
  const EndpointPtr& b = endpoints_[choices_[second]];
  return a->active <= b->active ? a : b;
}

}  // namespace gatehouse::gateway::upstream
