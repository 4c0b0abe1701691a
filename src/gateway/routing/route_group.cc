#include "gateway/routing/route_group.h"

#include <algorithm>

#include "gateway/routing/shares.h"

namespace gatehouse::gateway {
namespace {

constexpr double kPercent = 100;

}  // namespace

RouteGroup::RouteGroup(const std::vector<config::Route>& routes,
                       const std::vector<std::size_t>& indices, std::vector<std::string>& warnings)
    : authenticate_(false) {
  for (const std::size_t index : indices) {
    const config::Route& route = routes[index];
    if (route.shadow) {
      const double share = route.weight < 0 ? 1 : std::min(1.0, route.weight / kPercent);
      shadows_.push_back({index, share});
      continue;
    }
    members_.push_back({index});
    authenticate_ |= route.authenticate;
  }
  set_shares(routes, warnings);
}

void RouteGroup::set_shares(const std::vector<config::Route>& routes,
                            std::vector<std::string>& warnings) {
  std::vector<int> weights;
  for (const Member& member : members_) weights.push_back(routes[member.route].weight);
  const std::vector<double> shares = shares_of(weights, warnings);
  double below = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    below += shares[i];
    members_[i].share = shares[i];
    members_[i].below = below;
  }
}

std::size_t RouteGroup::pick(double number) const {
  for (const Member& member : members_) {
    if (number < member.below) return member.route;
  }
  // Sums of shares may end a little below 1.
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->share > 0) return member->route;
  }
  return members_.front().route;
}

}  // namespace gatehouse::gateway
