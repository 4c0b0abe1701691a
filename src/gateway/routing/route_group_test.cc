#include "gateway/routing/route_group.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

namespace gatehouse::gateway {
namespace {

struct Made {
  RouteGroup group;
  std::vector<std::string> warnings;
};

Made make(const std::vector<int>& weights) {
  std::vector<config::Route> routes(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) routes[i].weight = weights[i];
  std::vector<std::size_t> indices(weights.size());
  std::iota(indices.begin(), indices.end(), 0);
  Made out;
  out.group = RouteGroup(routes, indices, out.warnings);
  return out;
}

/// Percent of evenly spread numbers that each route gets.
std::vector<int> picked(const std::vector<int>& weights) {
  const RouteGroup group = make(weights).group;
  std::vector<int> out(weights.size());
  for (int i = 0; i < 100; ++i) ++out[group.pick((i + 0.5) / 100)];
  return out;
}

using Picked = std::vector<int>;

TEST(RouteGroup, GivenWeightsArePercentAndTheRestIsShared) {
  EXPECT_EQ(picked({-1}), (Picked{100}));
  EXPECT_EQ(picked({10, -1}), (Picked{10, 90}));
  EXPECT_EQ(picked({-1, 20, -1}), (Picked{40, 20, 40}));
  EXPECT_EQ(picked({-1, -1}), (Picked{50, 50}));
  EXPECT_EQ(picked({0, -1}), (Picked{0, 100}));
  EXPECT_EQ(picked({30}), (Picked{100}));
  EXPECT_EQ(picked({25, 25}), (Picked{50, 50}));
  EXPECT_TRUE(make({10, -1}).warnings.empty());
}

TEST(RouteGroup, SumsOver100AreTakenInProportionAndWarnedOf) {
  EXPECT_EQ(picked({100, 300}), (Picked{25, 75}));
  EXPECT_EQ(make({100, 300}).warnings.size(), 1);
  EXPECT_EQ(picked({100, -1}), (Picked{100, 0}));
  EXPECT_EQ(make({100, -1}).warnings.size(), 1);
  EXPECT_EQ(picked({0, 0}), (Picked{50, 50}));
  EXPECT_EQ(make({0, 0}).warnings.size(), 1);
}

TEST(RouteGroup, NumbersAtTheEdgesPickAMemberThatHasAShare) {
  const RouteGroup group = make({0, 50, 50, 0}).group;
  EXPECT_EQ(group.pick(0), 1);
  EXPECT_EQ(group.pick(0.5), 2);
  EXPECT_EQ(group.pick(1), 2);
  EXPECT_EQ(make({33, 33, -1, -1, -1}).group.pick(0x1.fffffffffffffp-1), 4);
}

TEST(RouteGroup, ShadowsGetCopiesBesides) {
  std::vector<config::Route> routes(3);
  routes[0].shadow = true;
  routes[2].shadow = true;
  routes[2].weight = 25;
  std::vector<std::string> warnings;
  const RouteGroup group(routes, {0, 1, 2}, warnings);
  ASSERT_EQ(group.members().size(), 1);
  EXPECT_EQ(group.pick(0.99), 1);
  ASSERT_EQ(group.shadows().size(), 2);
  EXPECT_EQ(group.shadows()[0].share, 1);
  EXPECT_EQ(group.shadows()[1].route, 2);
  EXPECT_EQ(group.shadows()[1].share, 0.25);
}

TEST(RouteGroup, OneMemberThatAsksMakesAllAsk) {
  std::vector<config::Route> routes(2);
  routes[0].authenticate = false;
  std::vector<std::string> warnings;
  EXPECT_FALSE(RouteGroup(routes, {0}, warnings).authenticate());
  EXPECT_TRUE(RouteGroup(routes, {0, 1}, warnings).authenticate());
}

}  // namespace
}  // namespace gatehouse::gateway
