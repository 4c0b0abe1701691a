#include "gateway/upstream/balancer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "gateway/upstream/test_service.h"

namespace gatehouse::gateway::upstream {
namespace {

using std::chrono::seconds;
using testing::Pair;
using testing::UnorderedElementsAre;

class BalancerTest : public testing::Test {
 protected:
  void make(const std::string& policy, std::size_t count) {
    balancer_ = std::make_unique<Balancer>(policy, random_);
    endpoints_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      endpoints_.push_back(std::make_shared<Endpoint>());
      endpoints_.back()->name = std::string(1, static_cast<char>('a' + i));
    }
    balancer_->set_endpoints(endpoints_);
    balancer_->update(now_);
  }
  void eject(std::size_t index) {
    endpoints_[index]->outlier.ejected_until = now_ + seconds(30);
    balancer_->update(now_);
  }
  std::map<std::string, int> picks(int count) {
    std::map<std::string, int> out;
    for (int i = 0; i < count; ++i) ++out[balancer_->pick(random_.next(), {})->name];
    return out;
  }

  TestEntropy entropy_;
  RandomSequence random_{entropy_};
  std::unique_ptr<Balancer> balancer_;
  std::vector<EndpointPtr> endpoints_;
  MonotonicTime now_{seconds(1'000)};
};

TEST_F(BalancerTest, RoundRobinIsFair) {
  make("round_robin", 3);
  EXPECT_THAT(picks(30), UnorderedElementsAre(Pair("a", 10), Pair("b", 10), Pair("c", 10)));
}

TEST_F(BalancerTest, LeastRequestNeverPicksTheBusierOfTwo) {
  make("least_request", 2);
  endpoints_[0]->active = 1;
  EXPECT_THAT(picks(20), UnorderedElementsAre(Pair("b", 20)));
  make("least_request", 4);
  endpoints_[3]->active = 9;
  const auto spread = picks(400);
  EXPECT_EQ(spread.count("d"), 0U);
  for (const char* name : {"a", "b", "c"}) EXPECT_GT(spread.at(name), 60) << name;
}

TEST_F(BalancerTest, EveryPolicyPassesOverWhatIsNotWell) {
  for (const char* policy : {"round_robin", "least_request", "ring_hash", "maglev"}) {
    make(policy, 4);
    eject(1);
    endpoints_[2]->refused_until = now_ + seconds(1);
    balancer_->update(now_);
    const auto spread = picks(200);
    EXPECT_EQ(spread.count("b") + spread.count("c"), 0U) << policy;
    EXPECT_GT(spread.at("a"), 40) << policy;
    EXPECT_GT(spread.at("d"), 40) << policy;
    EXPECT_FALSE(balancer_->panics());
  }
}

TEST_F(BalancerTest, WithFewerThanHalfWellAllAreUsed) {
  make("round_robin", 4);
  eject(0);
  eject(1);
  EXPECT_FALSE(balancer_->panics());
  EXPECT_EQ(picks(40).size(), 2U);
  eject(2);
  EXPECT_TRUE(balancer_->panics());
  EXPECT_EQ(picks(40).size(), 4U);
}

TEST_F(BalancerTest, WhatRefusedConnectionsIsUsedOnlyWhenAllDid) {
  make("round_robin", 3);
  for (const EndpointPtr& endpoint : endpoints_) {
    EXPECT_EQ(picks(30).count(endpoint->name), 1U);
    endpoint->refused_until = now_ + seconds(1);
    balancer_->update(now_);
  }
  EXPECT_EQ(picks(30).size(), 3U);
  now_ += seconds(1);
  balancer_->update(now_);
  EXPECT_EQ(picks(30).size(), 3U);
}

TEST_F(BalancerTest, EveryPolicyLeavesWhatWasTried) {
  for (const char* policy : {"round_robin", "least_request", "ring_hash", "maglev"}) {
    make(policy, 3);
    Tried tried;
    for (int i = 0; i < 3; ++i) {
      const EndpointPtr picked = balancer_->pick(7, tried);
      ASSERT_TRUE(picked) << policy;
      EXPECT_FALSE(tried.contains(*picked)) << policy;
      tried.add(*picked);
    }
    EXPECT_FALSE(balancer_->pick(7, tried)) << policy;
  }
}

TEST_F(BalancerTest, WithoutAddressesThereIsNone) {
  for (const char* policy : {"round_robin", "least_request", "ring_hash", "maglev"}) {
    make(policy, 0);
    EXPECT_FALSE(balancer_->pick(7, {})) << policy;
  }
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
