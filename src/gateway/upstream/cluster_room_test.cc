// Requests that find a service's connections all in use, over real sockets: they wait for one, in
// order, for as long as their time-out lasts, and no room is lost with those who leave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/upstream/cluster.h"
#include "gateway/upstream/test_service.h"
#include "net/running_task.h"

namespace gatehouse::gateway::upstream {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

class ClusterRoomTest : public ServiceTest {
 protected:
  /// Every address holds its answers until as many are released.
  void hold(std::size_t count) {
    serve(count);
    for (std::size_t i = 1; i <= count; ++i) {
      backend(i).answer = [this](http::Request&) -> Task<http::Response> {
        const std::size_t number = seen_everywhere();
        while (released_ < number) co_await loop_.get().sleep(milliseconds(1));
        http::Response response;
        response.close = close_;
        co_return response;
      };
    }
  }
  /// By request 0, which is held.
  void use_the_only_connection(std::size_t addresses = 1) {
    settings_.circuit_breakers.connections = 1;
    hold(addresses);
    begin(0);
    wait_until_seen(1);
  }
  void release(std::size_t count = 100) { released_ = count; }

  void begin(std::size_t number, SendOptions options = {}) {
    requests_[number] = get("/" + std::to_string(number));
    ServiceTest::begin(requests_[number], answers_[number], options);
  }
  int outcome(std::size_t number) {
    loop_.run_until([&] { return answers_[number].has_value(); });
    const Answer& answer = *answers_[number];
    return answer ? answer->status : error(answer.error().code);
  }
  void wait_until_seen(std::size_t count) {
    loop_.run_until([&] { return seen_everywhere() == count; });
  }

  std::size_t released_ = 0;
  bool close_ = false;
  http::Request requests_[4];
  std::optional<Answer> answers_[4];
};

Task<void> drop(Task<Result<http::Response>> sending) {
  Result<http::Response> dropped = co_await std::move(sending);
  (void)dropped;
}

TEST_F(ClusterRoomTest, TheyWaitInTheOrderInWhichTheyCame) {
  settings_.circuit_breakers.connections = 1;
  hold(1);
  for (std::size_t i = 0; i < 4; ++i) begin(i);
  wait_until_seen(1);
  EXPECT_EQ(status().pending.now, 3U);
  release();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(outcome(i), 200);
  EXPECT_THAT(backend(1).seen, ElementsAre("GET /0", "GET /1", "GET /2", "GET /3"));
  EXPECT_EQ(status().pending.now, 0U);
  EXPECT_EQ(status().connections.now, 1U);
  EXPECT_EQ(endpoint(1).requests, 4U);
}

TEST_F(ClusterRoomTest, NoMoreOfThemWaitThanMay) {
  settings_.circuit_breakers = {.connections = 1, .pending_requests = 1};
  hold(1);
  begin(0);
  wait_until_seen(1);
  begin(1);
  begin(2);
  EXPECT_EQ(outcome(2), error(ErrorCode::kExhausted));
  EXPECT_EQ(status().pending.refused, 1U);
  release();
  EXPECT_EQ(outcome(0), 200);
  EXPECT_EQ(outcome(1), 200);
}

TEST_F(ClusterRoomTest, TheirTimeOutEndsTheWait) {
  use_the_only_connection();
  begin(1, {.response_timeout = milliseconds(20)});
  begin(2);
  EXPECT_EQ(outcome(1), error(ErrorCode::kTimeout));
  EXPECT_EQ(status().pending.now, 1U);
  release();
  EXPECT_EQ(outcome(0), 200);
  EXPECT_EQ(outcome(2), 200);
}

TEST_F(ClusterRoomTest, ATimeOutCountsTheWait) {
  use_the_only_connection();
  begin(1, {.response_timeout = std::chrono::seconds(10)});
  clock_.skip(milliseconds(9'900));
  release(1);
  EXPECT_EQ(outcome(0), 200);
  wait_until_seen(2);
  clock_.skip(milliseconds(150));
  EXPECT_EQ(outcome(1), error(ErrorCode::kTimeout));
}

TEST_F(ClusterRoomTest, WhoLeavesTakesNoRoomAlong) {
  use_the_only_connection();
  http::Request request = get("/left");
  {
    net::RunningTask leaving;
    leaving.start(drop(cluster().send(request, {})), [] { FAIL(); });
    EXPECT_EQ(status().pending.now, 1U);
  }
  EXPECT_EQ(status().pending.now, 0U);
  begin(1);
  release();
  EXPECT_EQ(outcome(0), 200);
  EXPECT_EQ(outcome(1), 200);
  EXPECT_THAT(backend(1).seen, ElementsAre("GET /0", "GET /1"));
}

TEST_F(ClusterRoomTest, WhoIsWokenAndHasLeftWakesTheNext) {
  use_the_only_connection();
  http::Cancellation cancellation;
  begin(1);
  requests_[1].cancellation = &cancellation;
  begin(2);
  cancellation.cancel();
  release();
  EXPECT_EQ(outcome(1), error(ErrorCode::kCancelled));
  EXPECT_EQ(outcome(2), 200);
  EXPECT_THAT(backend(1).seen, ElementsAre("GET /0", "GET /2"));
}

TEST_F(ClusterRoomTest, AConnectionThatIdlesElsewhereGivesWayAfterTheWait) {
  settings_.circuit_breakers.connections = 1;
  hold(2);
  for (std::size_t i = 0; i < 4; ++i) begin(i);
  wait_until_seen(1);
  release();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(outcome(i), 200);
  EXPECT_EQ(seen_everywhere(), 4U);
  EXPECT_EQ(status().connections.now, 1U);
}

TEST_F(ClusterRoomTest, ConnectionsOfHttp2GiveWayToo) {
  settings_.protocol = "http2";
  use_the_only_connection(2);
  for (std::size_t i = 1; i < 4; ++i) begin(i);  // the first of them is for the other address
  EXPECT_EQ(status().pending.now, 3U);
  release();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(outcome(i), 200);
  EXPECT_EQ(seen_everywhere(), 4U);
}

TEST_F(ClusterRoomTest, AConnectionThatEndsMakesRoom) {
  settings_.circuit_breakers.connections = 1;
  close_ = true;
  hold(1);
  for (std::size_t i = 0; i < 4; ++i) begin(i);
  wait_until_seen(1);
  release();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(outcome(i), 200);
  EXPECT_EQ(backend(1).seen.size(), 4U);
}

TEST_F(ClusterRoomTest, WhoLeavesBeforeThereIsAnAddressWaitsNoMore) {
  serve(1);
  resolver_.silent = true;
  http::Request request = get();
  {
    net::RunningTask leaving;
    leaving.start(drop(cluster().send(request, {})), [] { FAIL(); });
    EXPECT_EQ(status().pending.now, 1U);
  }
  EXPECT_EQ(status().pending.now, 0U);
  resolver_.silent = false;
  EXPECT_EQ(status_of(), 200);
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
