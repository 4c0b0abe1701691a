#include "gateway/routing/route_group.h"

#include <algorithm>

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
  double given = 0;
  std::size_t without = 0;
  for (const Member& member : members_) {
    const int weight = routes[member.route].weight;
    if (weight < 0) ++without;
    given += std::max(weight, 0);
  }
  if (given > kPercent) {
    warnings.emplace_back(
        "the weights of the routes that match the same are more than 100 in "
        "sum; they are taken in proportion");
  }
  if (without > 0 && given >= kPercent) {
    warnings.emplace_back(
        "the other routes that match the same take all requests; a route "
        "without a weight gets none");
  }
  const double rest =
      without == 0 ? 0 : std::max(0.0, kPercent - given) / static_cast<double>(without);
  const double sum = given + rest * static_cast<double>(without);
  if (sum == 0) {
    warnings.emplace_back(
        "the weights of the routes that match the same are all 0; they share "
        "equally");
  }
  double below = 0;
  for (Member& member : members_) {
    const int weight = routes[member.route].weight;
    const double share = weight < 0 ? rest : weight;
    member.share = sum == 0 ? 1.0 / static_cast<double>(members_.size()) : share / sum;
    below += member.share;
    member.below = below;
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
