#include "gateway/filters/token_buckets.h"

#include <gtest/gtest.h>

#include <thread>

namespace gatehouse::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr MonotonicTime at(nanoseconds time) {
  return MonotonicTime(seconds(1000) + time);
}

TEST(TokenBuckets, BurstThenRate) {
  TokenBuckets buckets(64);
  const BucketRate rate{milliseconds(100), 3};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(buckets.take(7, rate, at({})), nanoseconds(0));
  EXPECT_EQ(buckets.take(7, rate, at({})), milliseconds(100));
  EXPECT_EQ(buckets.take(7, rate, at(milliseconds(99))), milliseconds(1));
  EXPECT_EQ(buckets.take(7, rate, at(milliseconds(100))), nanoseconds(0));
  EXPECT_EQ(buckets.take(7, rate, at(milliseconds(100))), milliseconds(100));
}

TEST(TokenBuckets, FillsUpToItsBurstOnly) {
  TokenBuckets buckets(64);
  const BucketRate rate{milliseconds(100), 2};
  EXPECT_EQ(buckets.take(7, rate, at({})), nanoseconds(0));
  int passed = 0;
  while (buckets.take(7, rate, at(seconds(3600))).count() == 0) ++passed;
  EXPECT_EQ(passed, 2);
}

TEST(TokenBuckets, KeysDoNotShare) {
  TokenBuckets buckets(64);
  const BucketRate rate{seconds(1), 1};
  for (std::uint64_t key = 0; key < 8; ++key) {
    EXPECT_EQ(buckets.take(key * 8 + 3, rate, at({})), nanoseconds(0));
  }
  for (std::uint64_t key = 0; key < 8; ++key) {
    EXPECT_GT(buckets.take(key * 8 + 3, rate, at({})), nanoseconds(0));
  }
}

TEST(TokenBuckets, MemoryDoesNotGrowAndAFullGroupLetsThrough) {
  TokenBuckets buckets(64);
  const std::size_t bytes = buckets.bytes();
  const BucketRate rate{seconds(1), 1};
  for (std::uint64_t key = 1; key <= 100'000; ++key) {
    EXPECT_EQ(buckets.take(key, rate, at({})), nanoseconds(0)) << key;
  }
  EXPECT_EQ(buckets.bytes(), bytes);
}

TEST(TokenBuckets, PlacesThatAreFullAgainAreTakenFirst) {
  TokenBuckets buckets(8);  // one group
  const BucketRate fast{milliseconds(1), 1}, slow{seconds(100), 1};
  for (std::uint64_t key = 1; key <= 7; ++key) (void)buckets.take(key, slow, at({}));
  (void)buckets.take(8, fast, at({}));
  EXPECT_EQ(buckets.take(9, fast, at(seconds(1))), nanoseconds(0));  // in the place of 8
  for (std::uint64_t key = 1; key <= 7; ++key) {
    EXPECT_GT(buckets.take(key, slow, at(seconds(1))), nanoseconds(0));
  }
}

TEST(TokenBuckets, CountsExactlyAcrossThreads) {
  TokenBuckets buckets(1024);
  const BucketRate rate{seconds(1), 1000};
  std::atomic<int> passed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) passed += buckets.take(42, rate, at({})).count() == 0 ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed, 1000);
}

}  // namespace
}  // namespace gatehouse::gateway
