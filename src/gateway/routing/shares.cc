#include "gateway/routing/shares.h"

#include <algorithm>

namespace gatehouse::gateway {

std::vector<double> shares_of(const std::vector<int>& weights, std::vector<std::string>& warnings) {
  constexpr double kPercent = 100;
  double given = 0;
  double without = 0;
  for (const int weight : weights) {
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
  const double rest = without == 0 ? 0 : std::max(0.0, kPercent - given) / without;
  const double sum = given + rest * without;
  if (sum == 0) {
    warnings.emplace_back(
        "the weights of the routes that match the same are all 0; they share "
        "equally");
  }
  std::vector<double> shares;
  for (const int weight : weights) {
    const double share = weight < 0 ? rest : weight;
    shares.push_back(sum == 0 ? 1.0 / static_cast<double>(weights.size()) : share / sum);
  }
  return shares;
}

}  // namespace gatehouse::gateway
