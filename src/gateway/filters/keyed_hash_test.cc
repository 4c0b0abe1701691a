#include "gateway/filters/keyed_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::gateway {
namespace {

// The paper's key 00 01 … 0f, and its messages 00 01 … of each length.
std::uint64_t of_length(std::size_t length) {
  std::string message;
  for (std::size_t i = 0; i < length; ++i) message.push_back(static_cast<char>(i));
  return keyed_hash({0x0706050403020100U, 0x0f0e0d0c0b0a0908U}, message);
}

TEST(KeyedHash, ReferenceVectors) {
  EXPECT_EQ(of_length(0), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(of_length(1), 0x74f839c593dc67fdU);
  EXPECT_EQ(of_length(8), 0x93f5f5799a932462U);
  EXPECT_EQ(of_length(15), 0xa129ca6149be45e5U);
}

TEST(KeyedHash, DependsOnTheKey) {
  EXPECT_NE(keyed_hash({1, 2}, "a"), keyed_hash({1, 3}, "a"));
}

}  // namespace
}  // namespace gatehouse::gateway
