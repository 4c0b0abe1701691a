#include "gateway/upstream/retry.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway::upstream {
namespace {

using std::chrono::milliseconds;
using Progress = net::HttpClient::Progress;

class Counting final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = next_++;
  }

 private:
  std::uint8_t next_ = 1;
};

config::RetryPolicy on(std::string condition, std::vector<int> codes = {}) {
  return {.on = {std::move(condition)}, .status_codes = std::move(codes)};
}

TEST(RetryTest, StatusesThatAreRetried) {
  struct Case {
    config::RetryPolicy policy;
    std::vector<int> yes, no;
  };
  const Case cases[] = {
      {on("5xx"), {500, 502, 503, 599}, {200, 404, 409, 499}},
      {on("gateway-error"), {502, 503, 504}, {500, 501, 505, 409}},
      {on("retriable-4xx"), {409}, {400, 404, 500}},
      {on("retriable-status-codes", {404, 418}), {404, 418}, {503, 200}},
      {on("connect-failure", {503}), {}, {503, 409}},
      {{}, {}, {500, 503, 409}},
  };
  for (const Case& c : cases) {
    for (const int status : c.yes) EXPECT_TRUE(retries_status(c.policy, status)) << status;
    for (const int status : c.no) EXPECT_FALSE(retries_status(c.policy, status)) << status;
  }
}

TEST(RetryTest, FailuresThatAreRetried) {
  const auto retries = [](std::string condition, Progress progress,
                          ErrorCode code = ErrorCode::kUnavailable) {
    return retries_failure(on(std::move(condition)), progress, code);
  };
  for (const char* any : {"5xx", "gateway-error", "reset"}) {
    EXPECT_TRUE(retries(any, Progress::kUnsent));
    EXPECT_TRUE(retries(any, Progress::kSent));
    EXPECT_TRUE(retries(any, Progress::kSent, ErrorCode::kTimeout));
    EXPECT_TRUE(retries(any, Progress::kRefused));
  }
  EXPECT_TRUE(retries("connect-failure", Progress::kUnsent));
  EXPECT_TRUE(retries("connect-failure", Progress::kUnsent, ErrorCode::kTimeout));
  EXPECT_FALSE(retries("connect-failure", Progress::kSent));
  EXPECT_TRUE(retries("refused-stream", Progress::kRefused));
  EXPECT_FALSE(retries("refused-stream", Progress::kSent));
  EXPECT_FALSE(retries("retriable-4xx", Progress::kSent));
}

TEST(RetryTest, NothingIsRetriedAfterAByteOfAnAnswerNorAgainstALimit) {
  for (const char* any : {"5xx", "gateway-error", "reset", "connect-failure", "refused-stream"}) {
    EXPECT_FALSE(retries_failure(on(any), Progress::kAnswered, ErrorCode::kUnavailable));
    EXPECT_FALSE(retries_failure(on(any), Progress::kUnsent, ErrorCode::kExhausted));
    EXPECT_FALSE(retries_failure(on(any), Progress::kSent, ErrorCode::kCancelled));
    EXPECT_FALSE(retries_failure(on(any), Progress::kSent, ErrorCode::kCorrupt));
  }
}

TEST(RetryTest, WaitsGrowToALimitAndAreSpread) {
  Counting entropy;
  RandomSequence random(entropy);
  const milliseconds bounds[] = {milliseconds(25),  milliseconds(50),  milliseconds(100),
                                 milliseconds(200), milliseconds(250), milliseconds(250)};
  for (std::size_t retry = 0; retry < std::size(bounds); ++retry) {
    milliseconds longest{0}, shortest{1'000};
    for (int i = 0; i < 1'000; ++i) {
      const milliseconds wait = backoff(retry, random);
      longest = std::max(longest, wait);
      shortest = std::min(shortest, wait);
    }
    EXPECT_LE(longest, bounds[retry]);
    EXPECT_GT(longest, bounds[retry] * 9 / 10);
    EXPECT_LT(shortest, bounds[retry] / 10);
  }
}

TEST(RetryTest, TheBudgetIsAFifthOfTheRequestsButThreeAtLeast) {
  EXPECT_TRUE(within_retry_budget(2, 1));
  EXPECT_FALSE(within_retry_budget(3, 1));
  EXPECT_TRUE(within_retry_budget(19, 100));
  EXPECT_FALSE(within_retry_budget(20, 100));
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
