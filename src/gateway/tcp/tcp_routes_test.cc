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
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

config::TcpRoute route(std::string name, std::string host, int weight = -1) {
  return {.name = std::move(name),
          .listen = "127.0.0.1:8443",
          .host = std::move(host),
          .weight = weight};
}

std::vector<double> shares_among(const std::vector<config::TcpRoute>& routes) {
  return TcpRoutes::make(routes)->routes->listens().front().groups.front().shares;
}

auto left_out(std::size_t index, const std::string& reason) {
  return AllOf(Field(&Problem::of, Problem::Of::kTcpRoute), Field(&Problem::index, index),
               Field(&Problem::reason, HasSubstr(reason)), Field(&Problem::left_out, true));
}

TEST(TcpRoutesTest, RoutesAreGroupedByAddressAndHost) {
  std::vector<config::TcpRoute> routes = {route("a", "a.example"), route("b", "*.b.example"),
                                          route("a2", "a.example"), route("c", "")};
  routes.back().listen = ":9000";
  const auto made = TcpRoutes::make(routes);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(made->problems, IsEmpty());
  ASSERT_EQ(made->routes->listens().size(), 2U);
  const TcpRoutes::Listen& first = made->routes->listens()[0];
  ASSERT_EQ(first.groups.size(), 2U);
  EXPECT_EQ(first.groups[*first.names.find("a.example")].routes.size(), 2U);
  EXPECT_EQ(first.groups[*first.names.find("x.b.example")].routes.front().name, "b");
  EXPECT_FALSE(first.one_for_all);
  EXPECT_TRUE(made->routes->listens()[1].one_for_all);
}

TEST(TcpRoutesTest, OneHostForASingleNameIsNotForAll) {
  const auto made = TcpRoutes::make({route("a", "a.example")});
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->routes->listens().front().one_for_all);
}

TEST(TcpRoutesTest, WhoHasNoWeightGetsWhatIsLeft) {
  EXPECT_THAT(shares_among({route("a", "", 70), route("b", ""), route("c", "*")}),
              ElementsAre(DoubleEq(0.7), DoubleEq(0.15), DoubleEq(0.15)));
  EXPECT_THAT(shares_among({route("a", ""), route("b", "")}),
              ElementsAre(DoubleEq(0.5), DoubleEq(0.5)));
  EXPECT_THAT(shares_among({route("a", "", 10), route("b", "", 30)}),
              ElementsAre(DoubleEq(0.25), DoubleEq(0.75)));
  EXPECT_THAT(shares_among({route("a", "", 0), route("b", "")}),
              ElementsAre(DoubleEq(0), DoubleEq(1)));
}

TEST(TcpRoutesTest, WeightsThatCanHardlyBeMeantAreToldAndTakenInProportion) {
  EXPECT_THAT(shares_among({route("a", "", 90), route("b", "", 60)}),
              ElementsAre(DoubleEq(0.6), DoubleEq(0.4)));
  EXPECT_THAT(shares_among({route("a", "", 0), route("b", "", 0)}),
              ElementsAre(DoubleEq(0.5), DoubleEq(0.5)));
  for (const int weight : {0, 70}) {
    const auto made = TcpRoutes::make({route("a", "", weight), route("b", "", weight)});
    EXPECT_THAT(made->problems,
                ElementsAre(AllOf(Field(&Problem::index, 0U), Field(&Problem::left_out, false))));
  }
}

TEST(TcpRoutesTest, WhatIsWrongIsLeftOutAndHarmsNoOther) {
  config::TcpRoute secure = route("secure", "a.example");
  secure.tls.certificate = "none.pem";
  secure.tls.key = "none.key";
  config::TcpRoute unreadable = secure;
  unreadable.host = "b.example";
  config::TcpRoute nowhere = route("nowhere", "");
  nowhere.listen = "localhost";
  config::TcpRoute alone = route("alone", "a b");
  alone.listen = ":9000";
  const auto made = TcpRoutes::make(
      {route("a", "a.example"), secure, unreadable, nowhere, alone, route("z", "z.example")});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(made->problems, ElementsAre(left_out(1, "\"a\" has the same address and host"),
                                          left_out(2, "none.pem"), left_out(3, "address"),
                                          left_out(4, "host name")));
  ASSERT_EQ(made->routes->listens().size(), 1U) << "a port that leads nowhere is not opened";
  const TcpRoutes::Listen& listen = made->routes->listens()[0];
  EXPECT_EQ(listen.groups.size(), 2U);
  EXPECT_EQ(listen.groups[*listen.names.find("a.example")].routes.size(), 1U);
  EXPECT_EQ(listen.groups[*listen.names.find("z.example")].routes.front().name, "z");
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
