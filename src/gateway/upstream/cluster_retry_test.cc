// Retries of a cluster, against services that misbehave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/upstream/test_service.h"

namespace gatehouse::gateway::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::SizeIs;

class ClusterRetryTest : public ServiceTest {
 protected:
  SendOptions retrying() { return {.retry = &policy_}; }
  /// The backend answers these statuses, and then 200.
  void answer_in_turn(std::size_t number, std::vector<int> statuses) {
    auto left = std::make_shared<std::vector<int>>(std::move(statuses));
    backend(number).answer = [left](http::Request&) {
      int status = 200;
      if (!left->empty()) {
        status = left->front();
        left->erase(left->begin());
      }
      return net::text_answer(status, "page");
    };
  }
  void answer_late(std::size_t number, milliseconds delay) {
    backend(number).answer = [this, delay](http::Request&) -> Task<http::Response> {
      co_await loop_.get().sleep(delay);
      co_return http::Response();
    };
  }

  config::RetryPolicy policy_{.on = {"5xx"}, .retries = 2};
};

TEST_F(ClusterRetryTest, AnAnswerThatThePolicyNamesIsAskedForAgain) {
  serve(1);
  answer_in_turn(1, {503, 500});
  EXPECT_EQ(status_of(retrying()), 200);
  EXPECT_THAT(backend(1).seen, SizeIs(3));
  EXPECT_EQ(status().retries.now, 0U);
  EXPECT_EQ(status().attempts, 3U);
  EXPECT_EQ(status().failed_attempts, 2U);
  EXPECT_EQ(status().retried, 2U);
}

TEST_F(ClusterRetryTest, NoMoreThanThePolicySays) {
  serve(1);
  answer_in_turn(1, {503, 503, 500});
  EXPECT_EQ(status_of(retrying()), 500);
  EXPECT_THAT(backend(1).seen, SizeIs(3));
}

TEST_F(ClusterRetryTest, WithoutAPolicyAnAnswerIsAnAnswer) {
  serve(1);
  answer_in_turn(1, {503});
  EXPECT_EQ(status_of(), 503);
  policy_.on = {};
  answer_in_turn(1, {503});
  EXPECT_EQ(status_of(retrying()), 503);
}

TEST_F(ClusterRetryTest, ARetryGoesToAnotherAddress) {
  serve(3);
  answer_in_turn(1, {503, 503, 503});
  answer_in_turn(2, {503, 503, 503});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(status_of(retrying()), 200);
  EXPECT_THAT(backend(3).seen, SizeIs(3));
}

TEST_F(ClusterRetryTest, ABodyInMemoryIsSentAgainWholeAndAStreamIsNot) {
  serve(1);
  answer_in_turn(1, {503});
  http::Request request = get();
  request.method = "POST";
  request.body = http::Body("hello");
  EXPECT_EQ(send(request, retrying())->status, 200);

  answer_in_turn(1, {503});
  http::Request stream = get();
  stream.method = "POST";
  stream.body = http::Body(
      std::make_unique<net::PieceReader>(loop_.get(), std::vector<std::string>{"hello"}, false));
  EXPECT_EQ(send(stream, retrying())->status, 503);
}

TEST_F(ClusterRetryTest, AResetBeforeAnAnswerIsRetriedAndOneWithinItIsNot) {
  serve(1);
  stop(1);
  std::vector<std::unique_ptr<net::RawConnection>> accepted;
  auto listener = net::Listener::open(
      loop_.get(), {.endpoint = {.host = "127.0.0.1", .port = port_}},
      [&accepted](std::unique_ptr<net::Stream> stream, http::Peer) {
        accepted.push_back(std::make_unique<net::RawConnection>(std::move(stream)));
      });
  ASSERT_TRUE(listener);
  policy_ = {.on = {"reset"}, .retries = 5};
  http::Request request = get();
  request.method = "POST";  // which the client by itself would not send twice
  std::optional<Answer> answer;
  begin(request, answer, retrying());
  for (std::size_t i = 0; i < 2; ++i) {
    loop_.run_until([&] { return accepted.size() == i + 1; });
    (void)loop_.run(accepted[i]->until("\r\n\r\n"));
    if (i == 1) loop_.run(accepted[i]->send("HTTP/1.1 200 OK\r\nContent-"));
    accepted[i]->close();
  }
  loop_.run_until([&] { return answer.has_value(); });
  EXPECT_FALSE(*answer);
  EXPECT_THAT(accepted, SizeIs(2));
}

TEST_F(ClusterRetryTest, EachTryHasItsOwnTimeOut) {
  serve(2);
  answer_late(1, seconds(50));
  policy_ = {.on = {"gateway-error"}, .retries = 1, .per_try_timeout = milliseconds(20)};
  EXPECT_EQ(status_of(retrying()), 200);
  EXPECT_EQ(status_of(retrying()), 200);
  EXPECT_GE(endpoint(1).failures, 1U);
}

TEST_F(ClusterRetryTest, TheTimeOutOfTheWholeEndsRetries) {
  serve(1);
  answer_late(1, seconds(50));
  policy_ = {.on = {"5xx"}, .retries = 100, .per_try_timeout = milliseconds(20)};
  SendOptions options = retrying();
  options.response_timeout = milliseconds(100);
  EXPECT_EQ(status_of(options), error(ErrorCode::kTimeout));
  EXPECT_GE(backend(1).seen.size(), 2U);
  EXPECT_LE(backend(1).seen.size(), 8U);
}

TEST_F(ClusterRetryTest, RetriesUnderWayAreLimited) {
  settings_.circuit_breakers.retries = 1;
  serve(1);
  answer_everywhere(503);
  policy_ = {.on = {"5xx"}, .retries = 1};
  std::vector<http::Request> requests(5);
  std::vector<std::optional<Answer>> answers(5);
  for (std::size_t i = 0; i < 5; ++i) begin(requests[i], answers[i], retrying());
  loop_.run_until([&] {
    return std::ranges::all_of(answers, [](const auto& answer) { return answer.has_value(); });
  });
  EXPECT_LT(seen_everywhere(), 10U);
  EXPECT_GE(status().retries.refused, 1U);
}

TEST_F(ClusterRetryTest, TheBudgetHoldsWhereThereIsNoLimit) {
  settings_.circuit_breakers.retries = 0;
  serve(1);
  answer_everywhere(503);
  policy_ = {.on = {"5xx"}, .retries = 1};
  std::vector<http::Request> requests(30);
  std::vector<std::optional<Answer>> answers(30);
  for (std::size_t i = 0; i < 30; ++i) begin(requests[i], answers[i], retrying());
  loop_.run_until([&] {
    return std::ranges::all_of(answers, [](const auto& answer) { return answer.has_value(); });
  });
  EXPECT_LT(seen_everywhere(), 60U);  // 6 at a time at most
  EXPECT_GE(status().retries.refused, 1U);
}

TEST_F(ClusterRetryTest, AClientThatHasGoneIsNotRetriedFor) {
  serve(1);
  http::Cancellation cancellation;
  backend(1).answer = [&cancellation](http::Request&) {
    cancellation.cancel();
    return net::text_answer(503, "no");
  };
  http::Request request = get();
  request.cancellation = &cancellation;
  policy_ = {.on = {"5xx", "reset"}, .retries = 5};
  Answer answer = send(request, retrying());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
  EXPECT_THAT(backend(1).seen, SizeIs(1));
}

TEST_F(ClusterRetryTest, WhenNobodyListensConnectFailuresAreRetriedAfterAWait) {
  serve(1);
  stop(1);
  policy_ = {.on = {"connect-failure"}, .retries = 2};
  EXPECT_EQ(status_of(retrying()), error(ErrorCode::kUnavailable));
  EXPECT_EQ(endpoint(1).requests, 3U);
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
