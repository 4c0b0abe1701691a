#include "gateway/metrics.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace gatehouse::gateway {
namespace {

class MetricsTest : public testing::Test {
 protected:
  MetricsTest() {
    config::Route named;
    named.name = "app";
    named.prefix = "/app";
    config::Route unnamed;
    unnamed.prefix = "/other";
    metrics_ = std::make_unique<Metrics>(std::vector<config::Route>{named, unnamed});
  }
  void end(net::ExchangeObserver& shard, std::string route, int status, int micros = 300,
           std::string_view failure = "", bool complete = true) {
    http::Request request;
    request.trace.route = std::move(route);
    request.trace.failure = failure;
    net::Exchange exchange{.request = request, .status = status, .received = 5, .sent = 7};
    exchange.answered = exchange.started + std::chrono::microseconds(micros);
    exchange.finished = exchange.answered;
    exchange.complete = complete;
    shard.ended(exchange);
  }
  bool says(const std::string& line) const {
    return metrics_->text().find(line + "\n") != std::string::npos;
  }
  std::unique_ptr<Metrics> metrics_;
};

TEST_F(MetricsTest, CountsByRouteAndClassOverAllShards) {
  net::ExchangeObserver& a = metrics_->add_shard();
  net::ExchangeObserver& b = metrics_->add_shard();
  end(a, "app", 200);
  end(b, "app", 204);
  end(b, "/other", 503, 300, "upstream unavailable");
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"app\",status=\"2xx\"} 2")) << metrics_->text();
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"/other\",status=\"5xx\"} 1"));
  EXPECT_TRUE(says("gatehouse_failures_total{reason=\"upstream unavailable\"} 1"));
  EXPECT_TRUE(says("gatehouse_received_bytes_total{route=\"app\"} 10"));
  EXPECT_TRUE(says("gatehouse_sent_bytes_total{route=\"app\"} 14"));
}

TEST_F(MetricsTest, HistogramBucketsAreCumulative) {
  net::ExchangeObserver& shard = metrics_->add_shard();
  for (const int micros : {100, 101, 250, 60'000'000}) end(shard, "app", 200, micros);
  EXPECT_TRUE(says("gatehouse_response_seconds_bucket{route=\"app\",le=\"0.0001\"} 1"))
      << metrics_->text();
  EXPECT_TRUE(says("gatehouse_response_seconds_bucket{route=\"app\",le=\"0.00025\"} 3"));
  EXPECT_TRUE(says("gatehouse_response_seconds_bucket{route=\"app\",le=\"+Inf\"} 4"));
  EXPECT_TRUE(says("gatehouse_response_seconds_count{route=\"app\"} 4"));
}

TEST_F(MetricsTest, LabelsAreBoundedWhateverComes) {
  net::ExchangeObserver& shard = metrics_->add_shard();
  end(shard, "made up by a client", 404);
  end(shard, "", 777, 1, "a reason of its own");
  EXPECT_EQ(metrics_->text().find("made up"), std::string::npos);
  EXPECT_EQ(metrics_->text().find("of its own"), std::string::npos);
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"-\",status=\"4xx\"} 1"));
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"-\",status=\"none\"} 1"));
  EXPECT_TRUE(says("gatehouse_failures_total{reason=\"other\"} 1"));
}

TEST_F(MetricsTest, BrokenExchangesCountAsIncompleteAndHaveNoTime) {
  end(metrics_->add_shard(), "app", 0, 1, "", false);
  EXPECT_TRUE(says("gatehouse_incomplete_total{route=\"app\"} 1"));
  EXPECT_TRUE(says("gatehouse_response_seconds_count{route=\"app\"} 0"));
}

TEST_F(MetricsTest, MayBeReadWhileLoopsCount) {
  constexpr int kExchanges = 10'000;
  net::ExchangeObserver& a = metrics_->add_shard();
  net::ExchangeObserver& b = metrics_->add_shard();
  {
    const std::jthread first([&] {
      for (int i = 0; i < kExchanges; ++i) end(a, "app", 200);
    });
    const std::jthread second([&] {
      for (int i = 0; i < kExchanges; ++i) end(b, "app", 200);
    });
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(metrics_->text().empty());
  }
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"app\",status=\"2xx\"} 20000"));
}

}  // namespace
}  // namespace gatehouse::gateway
