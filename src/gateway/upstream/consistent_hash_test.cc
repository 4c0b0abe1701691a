// Properties that Ring and Maglev share: even shares, few keys that move, the same everywhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gateway/upstream/maglev.h"
#include "gateway/upstream/ring.h"

namespace gatehouse::gateway::upstream {
namespace {

constexpr std::size_t kKeys = 20'000;

std::vector<std::string> names(std::size_t count, std::mt19937& random) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back("10." + std::to_string(random() % 256) + "." + std::to_string(i / 256) + "." +
                  std::to_string(i % 256) + ":8080");
  }
  return out;
}

std::uint64_t key(std::size_t i) {
  return hash_bytes("user" + std::to_string(i));
}

bool all(std::size_t /*index*/) {
  return true;
}

template <class Table>
class ConsistentHashTest : public testing::Test {
 protected:
  std::mt19937 random_{20'261'125};
};
using Tables = testing::Types<Ring, Maglev>;
TYPED_TEST_SUITE(ConsistentHashTest, Tables);

TYPED_TEST(ConsistentHashTest, SharesAreEven) {
  for (const std::size_t count : {1U, 2U, 3U, 10U, 50U}) {
    const TypeParam table(names(count, this->random_));
    std::vector<std::size_t> shares(count);
    for (std::size_t i = 0; i < kKeys; ++i) ++shares[table.find(key(i), all)];
    const double mean = static_cast<double>(kKeys) / static_cast<double>(count);
    for (const std::size_t share : shares) {
      EXPECT_GT(static_cast<double>(share), mean * 0.6) << count;
      EXPECT_LT(static_cast<double>(share), mean * 1.5) << count;
    }
  }
}

TYPED_TEST(ConsistentHashTest, ANameThatGoesMovesLittleButItsOwnKeys) {
  for (const std::size_t count : {2U, 5U, 20U}) {
    const std::vector<std::string> before = names(count, this->random_);
    const std::size_t gone = this->random_() % count;
    std::vector<std::string> after = before;
    after.erase(after.begin() + static_cast<std::ptrdiff_t>(gone));
    const TypeParam old_table(before), new_table(after);
    std::size_t moved = 0, left = 0;
    for (std::size_t i = 0; i < kKeys; ++i) {
      const std::size_t was = old_table.find(key(i), all);
      if (was == gone) continue;
      ++left;
      if (after[new_table.find(key(i), all)] != before[was]) ++moved;
    }
    EXPECT_LE(moved, left / 20) << count;  // the paper's few percent; none on a ring
  }
}

TYPED_TEST(ConsistentHashTest, KeysOfAnUnusableNameAloneMoveAndSpread) {
  constexpr std::size_t kCount = 10;
  const TypeParam table(names(kCount, this->random_));
  const auto but_three = [](std::size_t index) { return index != 3; };
  std::vector<std::size_t> taken_over(kCount);
  for (std::size_t i = 0; i < kKeys; ++i) {
    const std::size_t was = table.find(key(i), all);
    const std::size_t is = table.find(key(i), but_three);
    if (was != 3) {
      ASSERT_EQ(is, was);
    } else {
      ++taken_over[is];
    }
  }
  EXPECT_EQ(taken_over[3], 0U);
  EXPECT_GE(std::ranges::count_if(taken_over, [](std::size_t keys) { return keys > 0; }), 8);
}

TYPED_TEST(ConsistentHashTest, TheOrderOfTheNamesDoesNotMatter) {
  std::vector<std::string> some = names(7, this->random_);
  std::vector<std::string> other = some;
  std::ranges::shuffle(other, this->random_);
  const TypeParam a(some), b(other);
  for (std::size_t i = 0; i < 1'000; ++i) {
    ASSERT_EQ(some[a.find(key(i), all)], other[b.find(key(i), all)]);
  }
}

TYPED_TEST(ConsistentHashTest, TheOnlyUsableOfManyIsFoundAndWithoutAnyAllAre) {
  const TypeParam table(names(200, this->random_));
  for (std::size_t i = 0; i < 200; ++i) {
    ASSERT_EQ(table.find(key(i), [](std::size_t index) { return index == 117; }), 117U);
    ASSERT_EQ(table.find(key(i), [](std::size_t) { return false; }), table.find(key(i), all));
  }
}

TYPED_TEST(ConsistentHashTest, ManyNamesTakeBoundedRoom) {
  const std::vector<std::string> many = names(5'000, this->random_);
  const TypeParam table(many);
  EXPECT_LE(table.size(), std::max(Ring::kPoints, Maglev::kSlots));
  EXPECT_GE(table.size(), many.size());
}

TEST(MaglevTest, FewNamesHaveASmallTableOfPrimeSize) {
  std::mt19937 random{1};
  EXPECT_EQ(Maglev(names(3, random)).size(), 1021U);
  EXPECT_EQ(Maglev(names(20, random)).size(), 2039U);
  EXPECT_EQ(Maglev(names(700, random)).size(), Maglev::kSlots);
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
