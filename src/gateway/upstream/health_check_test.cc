// Active checks over real sockets, and the board that loops share.
#include "gateway/upstream/health_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/upstream/test_service.h"

namespace gatehouse::gateway::upstream {
namespace {

using Health = HealthBoard::Health;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const Result<void> kFailed = fail(ErrorCode::kUnavailable, "answered 500");

TEST(HealthBoardTest, OutcomesInARowChangeHealthAndTheFirstDoesByItself) {
  HealthBoard board;
  const auto entry = board.entry("a");
  EXPECT_EQ(entry->health(), Health::kUnknown);
  entry->record({}, 2, 3);
  EXPECT_EQ(entry->health(), Health::kHealthy);
  entry->record(kFailed, 2, 3);
  entry->record(kFailed, 2, 3);
  entry->record({}, 2, 3);
  entry->record(kFailed, 2, 3);
  entry->record(kFailed, 2, 3);
  EXPECT_EQ(entry->health(), Health::kHealthy);
  EXPECT_EQ(board.changes(), 1U);
  entry->record(kFailed, 2, 3);
  EXPECT_EQ(entry->health(), Health::kUnhealthy);
  EXPECT_EQ(entry->last_error(), "answered 500");
  entry->record({}, 2, 3);
  EXPECT_EQ(entry->health(), Health::kUnhealthy);
  entry->record({}, 2, 3);
  EXPECT_EQ(entry->health(), Health::kHealthy);
  EXPECT_EQ(entry->last_error(), "");
  EXPECT_EQ(board.changes(), 3U);

  const auto other = board.entry("b");
  other->record(kFailed, 2, 3);
  EXPECT_EQ(other->health(), Health::kUnhealthy);
}

TEST(HealthBoardTest, OneCheckerHoldsTheLeaseUntilItEnds) {
  HealthBoard board;
  const auto entry = board.entry("a");
  const int one = 0, other = 0;
  const MonotonicTime now{};
  EXPECT_TRUE(entry->claim(&one, now, now + seconds(10)));
  EXPECT_TRUE(entry->claim(&one, now + seconds(5), now + seconds(15)));
  EXPECT_FALSE(entry->claim(&other, now + seconds(14), now + seconds(24)));
  EXPECT_TRUE(entry->claim(&other, now + seconds(15), now + seconds(25)));
  EXPECT_FALSE(entry->claim(&one, now + seconds(16), now + seconds(26)));
  entry->release(&one);
  EXPECT_FALSE(entry->claim(&one, now + seconds(16), now + seconds(26)));
  entry->release(&other);
  EXPECT_TRUE(entry->claim(&one, now + seconds(16), now + seconds(26)));
}

TEST(HealthBoardTest, AnEntryIsSharedWhileSomebodyHoldsIt) {
  HealthBoard board;
  auto entry = board.entry("a");
  EXPECT_EQ(board.entry("a"), entry);
  EXPECT_NE(board.entry("b"), entry);
  entry->record(kFailed, 1, 1);
  entry.reset();
  EXPECT_EQ(board.entry("a")->health(), Health::kUnknown);
}

class HealthCheckTest : public ServiceTest {
 protected:
  HealthCheckTest() { check_ = {.interval = milliseconds(10), .timeout = milliseconds(500)}; }
  void watch(std::size_t addresses) {
    serve(addresses);
    settings_.health_checks = {check_};
    (void)cluster();
  }
  /// Checks are due within each of these.
  void wait_for(std::size_t number, bool healthy) {
    loop_.run_until([&] { return known() && endpoint(number).healthy == healthy; });
  }
  bool known() { return !status().endpoints.empty(); }

  config::HealthCheck check_;
};

TEST_F(HealthCheckTest, AnAddressThatFailsItsChecksIsPassedOverUntilItIsWell) {
  check_.path = "/healthz?deep=1";
  check_.healthy_threshold = 2;
  watch(3);
  wait_for(3, true);
  backend(3).answer = [](http::Request& request) {
    return net::text_answer(request.target.path() == "/healthz" ? 500 : 200, "");
  };
  wait_for(3, false);
  EXPECT_THAT(backend(3).seen, Contains("GET /healthz?deep=1"));
  EXPECT_EQ(endpoint(3).last_error, "health check: answered 500");
  for (int i = 0; i < 6; ++i) EXPECT_EQ(status_of(), 200);
  EXPECT_THAT(backend(3).seen, Not(Contains("GET /")));
  backend(3).answer = [](http::Request&) { return net::text_answer(200, ""); };
  wait_for(3, true);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(status_of(), 200);
  EXPECT_THAT(backend(3).seen, Contains("GET /"));
}

TEST_F(HealthCheckTest, AnAddressThatIsGoneOrSilentIsUnhealthy) {
  check_.timeout = milliseconds(15);
  watch(3);
  stop(2);
  backend(3).answer = [this](http::Request&) -> Task<http::Response> {
    co_await loop_.get().sleep(seconds(50));
    co_return http::Response();
  };
  wait_for(2, false);
  wait_for(3, false);
  EXPECT_THAT(endpoint(2).last_error, HasSubstr("cannot connect"));
  EXPECT_THAT(endpoint(3).last_error, HasSubstr("health check"));
  EXPECT_TRUE(endpoint(1).healthy);
}

TEST_F(HealthCheckTest, TheQuestionIsAsConfigured) {
  check_.host = "health.test";
  check_.headers = {{.name = "X-Probe", .value = "yes"}, {.name = "X-Gone", .value = "no"}};
  check_.remove_headers = {"x-gone", "User-Agent"};
  check_.expected = {{.min = 200, .max = 204}, {.min = 401, .max = 401}};
  std::string authority;
  http::Headers headers;
  serve(1);
  backend(1).answer = [&](http::Request& request) {
    authority = request.authority;
    headers = request.headers;
    return net::text_answer(401, "who are you?");
  };
  settings_.health_checks = {check_};
  (void)cluster();
  loop_.run_until([&] { return backend(1).seen.size() >= 3; });
  EXPECT_EQ(authority, "health.test");
  EXPECT_EQ(headers.get("x-probe"), "yes");
  EXPECT_FALSE(headers.has("x-gone"));
  EXPECT_FALSE(headers.has("user-agent"));
  EXPECT_TRUE(endpoint(1).healthy);
  EXPECT_EQ(endpoint(1).last_error, "");
  EXPECT_EQ(endpoint(1).requests, 0U);  // checks are no requests
}

TEST_F(HealthCheckTest, AGrpcServiceIsAskedByItsProtocolWhateverItsRequestsSpeak) {
  check_.kind = "grpc";
  check_.grpc_service = "a.B";
  char state = 1;  // SERVING
  serve(1);
  backend(1).answer = [&](http::Request& request) {
    EXPECT_EQ(request.version, http::Version::kHttp2);
    auto message = std::make_unique<net::PieceReader>(
        loop_.get(), std::vector{std::string("\0\0\0\0\2\x08", 6) + state}, false);
    message->trailers_.add("grpc-status", "0");
    http::Response response;
    response.headers.add("Content-Type", "application/grpc");
    response.body = http::Body(std::move(message));
    return net::ready_answer(std::move(response));
  };
  settings_.health_checks = {check_};
  (void)cluster();
  loop_.run_until([&] { return backend(1).seen.size() >= 2; });
  EXPECT_TRUE(endpoint(1).healthy);
  EXPECT_EQ(backend(1).seen[0], "POST /grpc.health.v1.Health/Check");
  state = 2;  // NOT_SERVING
  wait_for(1, false);
  EXPECT_EQ(endpoint(1).last_error, "health check: is not SERVING but in status 2");
  state = 1;
  wait_for(1, true);
}

TEST_F(HealthCheckTest, WhenFewAreWellAllAreUsed) {
  watch(3);
  for (std::size_t i = 2; i <= 3; ++i) {
    backend(i).answer = [](http::Request&) { return net::text_answer(500, ""); };
  }
  wait_for(2, false);
  wait_for(3, false);
  int failed = 0;
  for (int i = 0; i < 9; ++i) failed += status_of() == 500 ? 1 : 0;
  EXPECT_EQ(failed, 6);
  EXPECT_TRUE(status().panic);
}

TEST_F(HealthCheckTest, LoopsShareWhatOneOfThemFindsOut) {
  check_.interval = seconds(30);
  serve(2);
  stop(2);
  settings_.health_checks = {check_};
  TestEntropy entropy;
  Clusters others({loop_.get(), resolver_, board_, entropy});
  const std::shared_ptr<Cluster> other = others.get(settings_).value();
  (void)cluster();
  clock_.skip(seconds(1));
  wait_for(1, true);
  loop_.run_until([&] { return !endpoint(2).healthy; });
  EXPECT_FALSE(other->status().endpoints.at(1).healthy);
  clock_.skip(seconds(2));
  loop_.run(loop_.get().sleep(milliseconds(20)));
  EXPECT_EQ(backend(1).seen.size(), 1U);  // both loops' first checks have been due
}

TEST_F(HealthCheckTest, AnotherLoopTakesOverFromOneThatHasGone) {
  serve(1);
  settings_.health_checks = {check_};
  TestEntropy entropy;
  Clusters others({loop_.get(), resolver_, board_, entropy});
  const std::shared_ptr<Cluster> other = others.get(settings_).value();
  loop_.run_until([&] { return backend(1).seen.size() >= 2; });
  (void)cluster();
  loop_.run_until([&] { return backend(1).seen.size() >= 4; });
  cluster_.reset();
  clusters_.~Clusters();
  new (&clusters_) Clusters({loop_.get(), resolver_, board_, entropy_});
  const std::size_t before = backend(1).seen.size();
  loop_.run_until([&] { return backend(1).seen.size() >= before + 3; });
}

TEST_F(HealthCheckTest, AnAddressThatIsGoneFromDnsIsNotCheckedAnyMore) {
  watch(2);
  resolver_.ttl = seconds(0);
  loop_.run_until([&] { return !backend(1).seen.empty() && !backend(2).seen.empty(); });
  resolver_.addresses = TestResolver::Addresses{"127.0.0.1"};
  loop_.run_until([&] { return status().endpoints.size() == 1; });
  loop_.run_until([&] { return backend(2).server->connections() == 0; });
  const std::size_t seen = backend(2).seen.size();
  const std::size_t others = backend(1).seen.size();
  loop_.run_until([&] { return backend(1).seen.size() >= others + 3; });
  EXPECT_EQ(backend(2).seen.size(), seen);
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
