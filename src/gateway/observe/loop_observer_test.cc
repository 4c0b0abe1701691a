#include "gateway/observe/loop_observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>

#include "base/fixed_entropy.h"
#include "net/test_loop.h"

namespace gatehouse::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

class LoopObserverTest : public testing::Test {
 protected:
  void SetUp() override {
    settings_.access_log.form = "text";
    observer_ = LoopObserver::make(settings_, {.loop = loop_.get(),
                                               .resolver = *resolver_,
                                               .metrics = metrics_,
                                               .entropy = entropy_,
                                               .log = log_,
                                               .access_log_file = nullptr})
                    .value();
  }
  /// What the log says of an exchange that ends.
  std::string line() {
    lines_.str("");
    http::Request request;
    request.method = "GET";
    request.target = http::parse_target("/page").value();
    observer_->ended({.request = request, .status = 200});
    return lines_.str();
  }

  net::TestLoop loop_;
  const std::unique_ptr<net::Resolver> resolver_ = net::Resolver::make(loop_.get());
  LoopMetrics metrics_{1};
  FixedEntropy entropy_;
  std::ostringstream lines_;
  const std::shared_ptr<spdlog::logger> log_ = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_st>(lines_));
  config::Gateway settings_;
  std::unique_ptr<LoopObserver> observer_;
};

TEST_F(LoopObserverTest, WritesWhatTheNewSettingsSay) {
  EXPECT_THAT(line(), HasSubstr("/page"));
  settings_.access_log.format = "status %RESPONSE_CODE%";
  ASSERT_TRUE(observer_->use(settings_, nullptr));
  EXPECT_THAT(line(), HasSubstr("status 200"));
  settings_.access_log.form = "off";
  ASSERT_TRUE(observer_->use(settings_, nullptr));
  EXPECT_EQ(line(), "");
}

TEST_F(LoopObserverTest, CountsAndWritesTcpConnections) {
  settings_.tcp = {{.name = "db"}};
  observer_->set_routes(settings_);
  const http::Peer peer;
  observer_->ended(TcpOutcome{.peer = peer, .route = settings_.tcp.data()});
  EXPECT_THAT(lines_.str(), HasSubstr("protocol=\"tcp\" route=\"db\""));
  TcpShard::Sums sums;
  metrics_.tcp.add_to(sums);
  EXPECT_EQ(sums["db"].results[static_cast<std::size_t>(TcpResult::kOk)], 1U);
}

TEST_F(LoopObserverTest, FollowsRequestsFromAReloadOn) {
  EXPECT_EQ(observer_->tracing(), nullptr);
  settings_.tracing.endpoint = "http://127.0.0.1:1";
  ASSERT_TRUE(observer_->use(settings_, nullptr));
  const std::shared_ptr<Tracing> tracing = observer_->tracing();
  ASSERT_NE(tracing, nullptr);
  ASSERT_TRUE(observer_->use(settings_, nullptr));
  EXPECT_EQ(observer_->tracing(), tracing) << "what has not changed stays";
  settings_.tracing.endpoint.clear();
  ASSERT_TRUE(observer_->use(settings_, nullptr));
  EXPECT_EQ(observer_->tracing(), nullptr);
}

TEST_F(LoopObserverTest, SpansForACollectorThatIsNoLongerAskedAreCounted) {
  settings_.tracing.endpoint = "http://127.0.0.1:1";
  ASSERT_TRUE(observer_->use(settings_, nullptr));
  http::Request request;
  request.target = http::parse_target("/page").value();
  observer_->tracing()->begin(request);
  observer_->ended({.request = request, .status = 200});
  settings_.tracing.endpoint = "http://127.0.0.1:2";
  ASSERT_TRUE(observer_->use(settings_, nullptr));
  EXPECT_EQ(metrics_.traces.dropped.value(), 1U);
}

TEST_F(LoopObserverTest, SettingsThatCannotBeChangeNothing) {
  config::Gateway wrong = settings_;
  wrong.access_log.format = "%NO_SUCH_OPERATOR%";
  EXPECT_FALSE(observer_->use(wrong, nullptr));
  wrong = settings_;
  wrong.access_log.form = "off";
  wrong.tracing.endpoint = "nowhere";
  EXPECT_FALSE(observer_->use(wrong, nullptr));
  EXPECT_THAT(line(), HasSubstr("/page"));
  EXPECT_EQ(observer_->tracing(), nullptr);
}

}  // namespace
}  // namespace gatehouse::gateway
