#include "gateway/filters/shadow.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "base/fixed_entropy.h"
#include "gateway/fakes.h"
#include "net/test_loop.h"

namespace gatehouse::gateway {
namespace {

http::Request original() {
  http::Request request;
  request.method = "POST";
  request.target = http::parse_target("/a?b=c").value();
  request.authority = "example.org:8080";
  request.headers.add("X-Kept", "1");
  request.headers.add("Authorization", "Bearer secret");
  request.headers.add("Cookie", "s=secret");
  request.headers.add("cookie", "t=secret");
  request.headers.add("Proxy_Authorization", "secret");
  request.headers.add("Kubeflow_UserId", "ada");
  request.headers.add("X-Gatehouse-Session", "secret");
  request.headers.add("X-Forwarded-Client-Cert", "secret");
  request.body = http::Body("body");
  request.trace.request_id = "id1";
  request.trace.user = "ada";
  request.trace.session = "s1";
  return request;
}

Shadow make(int weight = -1) {
  return Shadow::make(weight, {"kubeflow-userid"}).value();
}

TEST(Shadow, CopiesWithoutCredentialsAndIdentity) {
  const http::Request request = original();
  const auto copy = make().copy(request);
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->method, "POST");
  EXPECT_EQ(copy->target.str(), "/a?b=c");
  EXPECT_EQ(copy->authority, "example.org-shadow:8080");
  EXPECT_EQ(copy->body.bytes, "body");
  EXPECT_EQ(copy->headers.size(), 1U);
  EXPECT_TRUE(copy->headers.has("X-Kept"));
  EXPECT_EQ(copy->trace.request_id, "id1");
  EXPECT_EQ(copy->trace.user, "");
  EXPECT_EQ(copy->trace.session, "");
  EXPECT_EQ(copy->cancellation, nullptr);
  EXPECT_EQ(request.headers.size(), 8U);
}

TEST(Shadow, AddressesGetNoSuffix) {
  http::Request request = original();
  for (const auto& [authority, expected] : {std::pair{"example.org", "example.org-shadow"},
                                            {"10.0.0.1:80", "10.0.0.1:80"},
                                            {"[::1]:80", "[::1]:80"},
                                            {"", ""}}) {
    request.authority = authority;
    EXPECT_EQ(make().copy(request)->authority, expected);
  }
}

TEST(Shadow, WhatCannotBeCopiedIsNot) {
  http::Request streamed = original();
  streamed.body = http::Body(std::make_unique<FakeBody>(std::deque<Result<std::string>>{"a"}));
  EXPECT_FALSE(make().copy(streamed));
  http::Request large = original();
  large.body = http::Body(std::string(Shadow::kBodyLimit + 1, 'a'));
  EXPECT_FALSE(make().copy(large));
  http::Request upgrade = original();
  upgrade.upgrade = "websocket";
  EXPECT_FALSE(make().copy(upgrade));
}

TEST(Shadow, WeightsArePercentages) {
  EXPECT_EQ(make(-1).percent(), 100);
  EXPECT_EQ(make(30).percent(), 30);
  EXPECT_FALSE(Shadow::make(101, {}));
  EXPECT_FALSE(Shadow::make(-2, {}));
}

class ShadowRunsTest : public testing::Test {
 protected:
  static Task<Result<http::Response>> answer(Gate& gate, FakeUpstream& upstream,
                                             http::Request& request) {
    co_await gate;
    Result<http::Response> response = co_await upstream.send(request);
    co_return response;
  }
  ShadowRuns::Send send() {
    return [this](http::Request& request) { return answer(gate_, upstream_, request); };
  }

  net::TestLoop loop_;
  FixedEntropy entropy_;
  Gate gate_;
  FakeUpstream upstream_;
  ShadowRuns runs_{loop_.get(), entropy_};
};

TEST_F(ShadowRunsTest, SendsInALaterTurn) {
  EXPECT_TRUE(runs_.start(*make().copy(original()), send()));
  EXPECT_TRUE(upstream_.seen.empty());
  loop_.run_until([this] { return runs_.running() == 0; });
  ASSERT_EQ(upstream_.seen.size(), 1U);
  EXPECT_EQ(upstream_.seen[0].authority, "example.org-shadow:8080");
}

TEST_F(ShadowRunsTest, MoreThanSomeAtOnceAreLeftOut) {
  gate_.shut();
  for (std::size_t i = 0; i < ShadowRuns::kAtOnce; ++i) EXPECT_TRUE(runs_.start({}, send()));
  EXPECT_FALSE(runs_.start({}, send()));
  EXPECT_EQ(runs_.left_out(), 1U);
  loop_.run_until([turns = 0]() mutable { return ++turns > 3; });
  EXPECT_EQ(runs_.running(), ShadowRuns::kAtOnce);
  gate_.open();
  loop_.run_until([this] { return runs_.running() == 0; });
  EXPECT_TRUE(runs_.start({}, send()));
}

TEST_F(ShadowRunsTest, AnswersAreReadUpToALimit) {
  class Endless final : public http::BodyReader {
   public:
    explicit Endless(std::size_t& given, bool& gone) : given_(given), gone_(gone) {}
    ~Endless() override { gone_ = true; }
    Task<Result<std::string_view>> read() override {
      given_ += piece_.size();
      co_return std::string_view(piece_);
    }

   private:
    std::string piece_ = std::string(64 * 1024, 'a');
    std::size_t& given_;
    bool& gone_;
  };
  std::size_t given = 0;
  bool gone = false;
  upstream_.answer = [&](http::Request&) {
    http::Response response;
    response.body = http::Body(std::make_unique<Endless>(given, gone));
    return Result<http::Response>(std::move(response));
  };
  EXPECT_TRUE(runs_.start({}, send()));
  loop_.run_until([this] { return runs_.running() == 0; });
  EXPECT_TRUE(gone);
  EXPECT_LE(given, ShadowRuns::kAnswerLimit + 64 * 1024);
}

TEST_F(ShadowRunsTest, FailuresAreNobodysConcern) {
  upstream_.answer = [](http::Request&) -> Result<http::Response> {
    return fail(ErrorCode::kUnavailable, "down");
  };
  EXPECT_TRUE(runs_.start({}, send()));
  loop_.run_until([this] { return runs_.running() == 0; });
  upstream_.answer = [](http::Request&) -> Result<http::Response> {
    throw std::runtime_error("thrown");
  };
  EXPECT_TRUE(runs_.start({}, send()));
  loop_.run_until([this] { return runs_.running() == 0; });
}

TEST_F(ShadowRunsTest, GoWithTheirOwner) {
  gate_.shut();
  {
    ShadowRuns runs(loop_.get(), entropy_);
    EXPECT_TRUE(runs.start({}, send()));
  }
  loop_.run_until([turns = 0]() mutable { return ++turns > 3; });
  EXPECT_TRUE(upstream_.seen.empty());
}

Task<void> turn_and_stop(net::Loop& loop, ManualClock& clock) {
  co_await net::NextTurn(loop);
  clock.advance(ShadowRuns::kDeadline + std::chrono::seconds(1));
  for (int i = 0; i < 3; ++i) co_await net::NextTurn(loop);
  loop.stop();
}

TEST_F(ShadowRunsTest, EndAtTheirDeadline) {
  ManualClock clock;
  net::Loop loop(clock);
  ShadowRuns runs(loop, entropy_);
  gate_.shut();
  EXPECT_TRUE(runs.start({}, send()));
  EXPECT_EQ(runs.running(), 1U);
  loop.spawn(turn_and_stop(loop, clock));
  loop.run();
  EXPECT_EQ(runs.running(), 0U);
  EXPECT_TRUE(upstream_.seen.empty());
}

TEST_F(ShadowRunsTest, SamplesAboutItsShare) {
  int sampled = 0;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(runs_.is_sampled(100));
    EXPECT_FALSE(runs_.is_sampled(0));
    sampled += runs_.is_sampled(30) ? 1 : 0;
  }
  EXPECT_GT(sampled, 2700);
  EXPECT_LT(sampled, 3300);
}

}  // namespace
}  // namespace gatehouse::gateway
