#include "crypto/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace gatehouse::crypto {
namespace {

TEST(SystemEntropy, NeverGivesTheSameTokenTwice) {
  SystemEntropy entropy;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(entropy.token()).second);
}

TEST(SystemEntropy, FillsTheWholeSpan) {
  SystemEntropy entropy;
  // A byte that is never written would stay zero in all 64 draws.
  std::array<std::uint8_t, 100> ever{};
  for (int draw = 0; draw < 64; ++draw) {
    std::array<std::uint8_t, 100> bytes{};
    entropy.fill(bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) ever[i] |= bytes[i];
  }
  for (const std::uint8_t byte : ever) EXPECT_EQ(byte, 0xff);
}

TEST(SystemEntropy, TakesAnEmptySpan) {
  SystemEntropy entropy;
  entropy.fill({});
}

/// Counts its calls, and gives the same byte of each.
class CountedEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    ++calls;
    std::ranges::fill(out, calls);
  }
  std::uint8_t calls = 0;
};

TEST(BlockEntropy, NeverGivesTheSameTokenTwice) {
  SystemEntropy system;
  BlockEntropy entropy(system);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(entropy.token()).second);
}

TEST(BlockEntropy, DrawsWhenABlockIsUsedUp) {
  CountedEntropy source;
  BlockEntropy entropy(source);
  EXPECT_EQ(entropy.bytes(1000), std::string(1000, 1));
  EXPECT_EQ(entropy.bytes(24), std::string(24, 1));
  EXPECT_EQ(entropy.bytes(0), "");
  EXPECT_EQ(entropy.bytes(1), std::string(1, 2));
  // Not half of one draw and half of another.
  EXPECT_EQ(entropy.bytes(1024), std::string(1024, 3));
}

TEST(BlockEntropy, MoreThanABlockIsDrawnAtOnce) {
  CountedEntropy source;
  BlockEntropy entropy(source);
  EXPECT_EQ(entropy.bytes(5000), std::string(5000, 1));
  EXPECT_EQ(entropy.bytes(1), std::string(1, 2));
}

}  // namespace
}  // namespace gatehouse::crypto
