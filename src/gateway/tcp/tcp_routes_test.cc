#include "gateway/tcp/tcp_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "gateway/tcp/weighted_choice.h"

namespace gatehouse::gateway {
namespace {

using ::testing::AllOf;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

config::TcpRoute route(std::string name, std::string host, int weight = -1) {
  return {.name = std::move(name),
          .listen = "127.0.0.1:8443",
          .host = std::move(host),
          .weight = weight};
}

std::vector<double> shares_of(const std::vector<config::TcpRoute>& routes) {
  const auto made = TcpRoutes::make(routes);
  EXPECT_TRUE(made) << made.error().message;
  return made ? (*made)->listens().front().groups.front().shares : std::vector<double>();
}

std::string error_of(const std::vector<config::TcpRoute>& routes) {
  const auto made = TcpRoutes::make(routes);
  EXPECT_FALSE(made);
  return made ? "" : made.error().message;
}

TEST(TcpRoutesTest, RoutesAreGroupedByAddressAndHost) {
  std::vector<config::TcpRoute> routes = {route("a", "a.example"), route("b", "*.b.example"),
                                          route("a2", "a.example"), route("c", "")};
  routes.back().listen = ":9000";
  const auto made = TcpRoutes::make(routes);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_EQ((*made)->listens().size(), 2U);
  const TcpRoutes::Listen& first = (*made)->listens()[0];
  ASSERT_EQ(first.groups.size(), 2U);
  EXPECT_EQ(first.groups[*first.names.find("a.example")].routes.size(), 2U);
  EXPECT_EQ(first.groups[*first.names.find("x.b.example")].routes.front().name, "b");
  EXPECT_FALSE(first.one_for_all);
  EXPECT_TRUE((*made)->listens()[1].one_for_all);
}

TEST(TcpRoutesTest, OneHostForASingleNameIsNotForAll) {
  const auto made = TcpRoutes::make({route("a", "a.example")});
  ASSERT_TRUE(made);
  EXPECT_FALSE((*made)->listens().front().one_for_all);
}

TEST(TcpRoutesTest, WhoHasNoWeightGetsWhatIsLeft) {
  EXPECT_THAT(shares_of({route("a", "", 70), route("b", ""), route("c", "*")}),
              ElementsAre(DoubleEq(0.7), DoubleEq(0.15), DoubleEq(0.15)));
  EXPECT_THAT(shares_of({route("a", ""), route("b", "")}),
              ElementsAre(DoubleEq(0.5), DoubleEq(0.5)));
  EXPECT_THAT(shares_of({route("a", "", 10), route("b", "", 30)}),
              ElementsAre(DoubleEq(0.25), DoubleEq(0.75)));
  EXPECT_THAT(shares_of({route("a", "", 0), route("b", "")}),
              ElementsAre(DoubleEq(0), DoubleEq(1)));
}

TEST(TcpRoutesTest, WhatCannotBeMeantIsRefusedByName) {
  EXPECT_THAT(error_of({route("a", "", 70), route("b", "", 40)}),
              AllOf(HasSubstr("\"a\""), HasSubstr("above 100")));
  EXPECT_THAT(error_of({route("a", "", 0)}), HasSubstr("all 0"));
  EXPECT_THAT(error_of({route("a", "a b")}), AllOf(HasSubstr("\"a\""), HasSubstr("host name")));
  config::TcpRoute nowhere = route("a", "");
  nowhere.listen = "localhost";
  EXPECT_THAT(error_of({nowhere}), AllOf(HasSubstr("\"a\""), HasSubstr("address")));
  config::TcpRoute secure = route("b", "a.example");
  secure.tls.certificate = "none.pem";
  EXPECT_THAT(error_of({route("a", "a.example"), secure}),
              AllOf(HasSubstr("\"b\""), HasSubstr("TLS settings")));
  secure.tls.key = "none.key";
  EXPECT_THAT(error_of({secure}), AllOf(HasSubstr("127.0.0.1:8443"), HasSubstr("none.pem")));
}

TEST(WeightedChoiceTest, EachGetsItsShareSpreadOut) {
  WeightedChoice choice;
  const std::vector<double> shares = {0.7, 0.2, 0.1, 0};
  std::array<int, 4> counts{};
  for (int i = 0; i < 1000; ++i) ++counts[choice.next(shares)];
  EXPECT_THAT(counts, ElementsAre(700, 200, 100, 0));
}

}  // namespace
}  // namespace gatehouse::gateway
