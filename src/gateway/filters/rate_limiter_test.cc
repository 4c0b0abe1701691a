#include "gateway/filters/rate_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/fixed_entropy.h"

namespace gatehouse::gateway {
namespace {

using Stage = RateLimiter::Stage;
using std::chrono::milliseconds;
using std::chrono::seconds;

class RateLimits : public testing::Test {
 protected:
  RateLimiter make(const std::vector<config::RateLimit>& settings, std::string_view scope = "r") {
    return RateLimiter::make(settings, scope, tables_).value();
  }
  bool over(const RateLimiter& limiter, const http::Request& request,
            std::string_view address = "192.0.2.1", Stage stage = Stage::kBeforeVerdict) {
    return limiter.over(stage, request, address, now_).has_value();
  }
  std::string error_of(const config::RateLimit& settings) {
    const auto made = RateLimiter::make({settings}, "r", tables_);
    return made ? "" : made.error().message;
  }

  FixedEntropy entropy_;
  RateLimitTables tables_{entropy_};
  MonotonicTime now_{seconds(1000)};
};

http::Request with_header(std::string_view name, std::string_view value) {
  http::Request request;
  request.headers.add(name, value);
  return request;
}

TEST_F(RateLimits, NoneByDefault) {
  EXPECT_TRUE(RateLimiter().empty());
  EXPECT_FALSE(over(RateLimiter(), {}));
}

TEST_F(RateLimits, ByAddress) {
  const RateLimiter limiter = make({{.key = "address", .requests = 2}});
  EXPECT_FALSE(over(limiter, {}));
  EXPECT_FALSE(over(limiter, {}, "::ffff:192.0.2.1"));
  EXPECT_TRUE(over(limiter, {}));
  EXPECT_FALSE(over(limiter, {}, "192.0.2.2"));
  now_ += milliseconds(500);
  EXPECT_FALSE(over(limiter, {}));
  EXPECT_TRUE(over(limiter, {}));
}

TEST_F(RateLimits, Ipv6CountsByItsSubscriber) {
  const RateLimiter limiter = make({{.key = "address", .requests = 1}});
  EXPECT_FALSE(over(limiter, {}, "2001:db8:0:1::1"));
  EXPECT_TRUE(over(limiter, {}, "2001:db8:0:1:ffff::9"));
  EXPECT_FALSE(over(limiter, {}, "2001:db8:0:2::1"));
}

TEST_F(RateLimits, ByTokenElseByAddress) {
  const RateLimiter limiter = make({{.key = "token", .requests = 1}});
  EXPECT_FALSE(over(limiter, with_header("Authorization", "Bearer a")));
  EXPECT_TRUE(over(limiter, with_header("Authorization", "bearer  a"), "192.0.2.9"));
  EXPECT_FALSE(over(limiter, with_header("Authorization", "Bearer b")));
  EXPECT_FALSE(over(limiter, {}));
  EXPECT_TRUE(over(limiter, with_header("Authorization", "Basic eA==")));
}

TEST_F(RateLimits, ByUserAfterTheVerdict) {
  const RateLimiter limiter = make({{.key = "user", .requests = 1}});
  http::Request request;
  request.trace.user = "ada";
  EXPECT_FALSE(over(limiter, request));
  EXPECT_FALSE(over(limiter, request));
  EXPECT_FALSE(over(limiter, request, "192.0.2.1", Stage::kAfterVerdict));
  EXPECT_TRUE(over(limiter, request, "192.0.2.2", Stage::kAfterVerdict));
  request.trace.user = "bob";
  EXPECT_FALSE(over(limiter, request, "192.0.2.1", Stage::kAfterVerdict));
}

TEST_F(RateLimits, ByHeaderAndByAll) {
  const RateLimiter by_header = make({{.key = "header:X-Team", .requests = 1}});
  EXPECT_FALSE(over(by_header, with_header("x-team", "a")));
  EXPECT_TRUE(over(by_header, with_header("x-team", "a")));
  EXPECT_FALSE(over(by_header, with_header("x-team", "b")));
  const RateLimiter all = make({{.key = "all", .requests = 1}});
  EXPECT_FALSE(over(all, {}, "192.0.2.1"));
  EXPECT_TRUE(over(all, {}, "192.0.2.2"));
}

TEST_F(RateLimits, BurstIsApartFromTheRate) {
  const RateLimiter limiter = make({{.key = "all", .requests = 10, .burst = 2}});
  EXPECT_FALSE(over(limiter, {}));
  EXPECT_FALSE(over(limiter, {}));
  EXPECT_EQ(limiter.over(Stage::kBeforeVerdict, {}, "", now_), milliseconds(100));
}

TEST_F(RateLimits, SurviveAReloadThatLeavesThemAsTheyAre) {
  const config::RateLimit rule{.key = "all", .requests = 1};
  RateLimiter before = make({rule});
  EXPECT_FALSE(over(before, {}));
  const RateLimiter after = make({rule});
  EXPECT_TRUE(over(after, {}));
  EXPECT_FALSE(over(make({rule}, "another route"), {}));
  EXPECT_FALSE(over(make({{.key = "all", .requests = 1, .period = seconds(2)}}), {}));
}

TEST_F(RateLimits, BadRulesAreNamed) {
  for (const std::string key : {"", "ip", "header:", "header:a b", "User"}) {
    EXPECT_NE(error_of({.key = key, .requests = 1}).find('"' + key + '"'), std::string::npos);
  }
  EXPECT_NE(error_of({.key = "all"}), "");
  EXPECT_NE(error_of({.key = "all", .requests = 1, .period = milliseconds(0)}), "");
  EXPECT_NE(error_of({.key = "all", .requests = 1, .period = std::chrono::hours(25)}), "");
  EXPECT_NE(error_of({.key = "all", .requests = SIZE_MAX}), "");
  EXPECT_NE(error_of({.key = "all", .requests = 1, .burst = SIZE_MAX}), "");
  const std::vector<config::RateLimit> twice(2, {.key = "all", .requests = 1});
  EXPECT_FALSE(RateLimiter::make(twice, "r", tables_));
}

TEST_F(RateLimits, TheirNumberIsBounded) {
  std::vector<RateLimiter> limiters;
  for (std::size_t i = 0; i < RateLimitTables::kRules; ++i) {
    limiters.push_back(make({{.key = "all", .requests = 1}}, std::to_string(i)));
  }
  const auto more = RateLimiter::make({{.key = "all", .requests = 1}}, "more", tables_);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, ErrorCode::kExhausted);
  limiters.pop_back();
  EXPECT_TRUE(RateLimiter::make({{.key = "all", .requests = 1}}, "more", tables_));
}

TEST_F(RateLimits, TheAnswerSaysWhenToComeBack) {
  const http::Response answer = too_many_requests({}, milliseconds(1001));
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.headers.get("Retry-After"), "2");
  EXPECT_EQ(too_many_requests({}, std::chrono::nanoseconds(1)).headers.get("Retry-After"), "1");
}

}  // namespace
}  // namespace gatehouse::gateway
