// Picks an address for a request, by the policy of the service's settings.
//
// Which may be picked is worked out when something changes, not at each request:
//  - one that could not be connected to lately is passed over while there is another;
//  - one that active checks or outlier detection have found bad is passed over, unless fewer than
//    half of the addresses are good: then all are used ("panic", as Envoy has it), because the few
//    would go down under the load of all, and the checks themselves may be what fails.
// ring_hash and maglev are built over all addresses, so that one that is passed over keeps its keys
// for when it is back, and only its keys move meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/gateway_settings.h"
#include "gateway/upstream/endpoint.h"
#include "gateway/upstream/maglev.h"
#include "gateway/upstream/random_sequence.h"
#include "gateway/upstream/ring.h"

namespace gatehouse::gateway::upstream {

class Balancer {
 public:
  /// `policy` is one of config::LoadBalancer's; another is round_robin. `random` outlives this.
  Balancer(const std::string& policy, RandomSequence& random);

  const std::vector<EndpointPtr>& endpoints() const { return endpoints_; }
  void set_endpoints(std::vector<EndpointPtr> endpoints);
  /// To be called when an endpoint's health, ejection or refusal has changed.
  void update(MonotonicTime now);

  /// One that is not in `tried`; null if there is none. `key` is what ring_hash and maglev go by;
  /// the other policies ignore it. Allocates nothing.
  EndpointPtr pick(std::uint64_t key, const Tried& tried);

  bool hashes() const { return policy_ == Policy::kRing || policy_ == Policy::kMaglev; }
  bool panics() const { return panics_; }

 private:
  enum class Policy { kRoundRobin, kLeastRequest, kRing, kMaglev };

  EndpointPtr next_in_turn(const Tried& tried);
  EndpointPtr less_busy_of_two();
  bool may_use(std::size_t index, const Tried& tried) const {
    return usable_[index] && !tried.contains(*endpoints_[index]);
  }

  Policy policy_;
  RandomSequence& random_;
  std::vector<EndpointPtr> endpoints_;
  std::vector<bool> usable_;            // by index
  std::vector<std::uint32_t> choices_;  // the indices of those
  std::variant<std::monostate, Ring, Maglev> table_;
  std::size_t next_ = 0;
  bool panics_ = false;
};

}  // namespace gatehouse::gateway::upstream
