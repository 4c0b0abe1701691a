#include "crypto/random.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace gatehouse::crypto
