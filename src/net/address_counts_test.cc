#include "net/address_counts.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace gatehouse::net {
namespace {

using Place = AddressCounts::Place;

class AddressCountsTest : public ::testing::Test {
 protected:
  std::optional<Place> take(const std::string& address, std::size_t limit = 2) {
    return AddressCounts::take(counts_, address, limit);
  }
  std::shared_ptr<AddressCounts> counts_ = std::make_shared<AddressCounts>();
};

TEST_F(AddressCountsTest, EachAddressHasItsOwnPlaces) {
  const auto first = take("192.0.2.1");
  const auto second = take("192.0.2.1");
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(take("192.0.2.1"));
  EXPECT_TRUE(take("192.0.2.2"));
}

TEST_F(AddressCountsTest, APlaceThatGoesIsFree) {
  auto first = take("192.0.2.1", 1);
  EXPECT_FALSE(take("192.0.2.1", 1));
  Place moved = *std::move(first);
  first.reset();
  EXPECT_EQ(counts_->count("192.0.2.1"), 1U) << "moving gave it back";
  moved = Place();
  EXPECT_EQ(counts_->count("192.0.2.1"), 0U);
  EXPECT_TRUE(take("192.0.2.1", 1));
}

TEST_F(AddressCountsTest, AnIpv6ClientIsItsNetwork) {
  const auto place = take("2001:db8:0:1::1", 1);
  EXPECT_TRUE(place);
  EXPECT_FALSE(take("2001:db8:0:1:ffff::2", 1));
  EXPECT_TRUE(take("2001:db8:0:2::1", 1));
}

TEST_F(AddressCountsTest, AMappedAddressIsItsIpv4) {
  const auto place = take("::ffff:192.0.2.1", 1);
  EXPECT_TRUE(place);
  EXPECT_FALSE(take("192.0.2.1", 1));
  EXPECT_TRUE(take("192.0.2.2", 1));
}

TEST_F(AddressCountsTest, WhatIsNoAddressHasNoPlace) {
  EXPECT_FALSE(take("localhost"));
  EXPECT_FALSE(take("192.0.2.1", 0));
}

TEST_F(AddressCountsTest, ThreadsTogetherTakeNoMoreThanTheLimit) {
  std::vector<std::vector<Place>> taken(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : taken) {
      threads.emplace_back([&mine, this] {
        for (int i = 0; i < 1000; ++i) {
          if (auto place = take("192.0.2.1", 100)) mine.push_back(*std::move(place));
          if (i % 3 == 0 && !mine.empty()) mine.pop_back();
        }
      });
    }
  }
  std::size_t held = 0;
  for (const auto& mine : taken) held += mine.size();
  EXPECT_EQ(counts_->count("192.0.2.1"), held);
  EXPECT_LE(held, 100U);
}

}  // namespace
}  // namespace gatehouse::net
