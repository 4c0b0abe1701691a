#include "gateway/observe/metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace gatehouse::gateway {
namespace {

class MetricsTest : public testing::Test {
 protected:
  MetricsTest() {
    config::Gateway settings;
    settings.routes.resize(2);
    settings.routes[0].name = "app";
    settings.routes[0].prefix = "/app";
    settings.routes[1].prefix = "/other";
    settings.tcp = {{.name = "db"}, {.listen = "127.0.0.1:5432"}};
    metrics_ = std::make_unique<Metrics>(settings);
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
  net::ExchangeObserver& a = metrics_->add_loop().routes;
  net::ExchangeObserver& b = metrics_->add_loop().routes;
  end(a, "app", 200);
  end(b, "app", 204);
  end(b, "/other", 503, 300, "upstream unavailable");
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"app\",status=\"2xx\",code=\"200\"} 1"))
      << metrics_->text();
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"app\",status=\"2xx\",code=\"204\"} 1"));
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"/other\",status=\"5xx\",code=\"503\"} 1"));
  EXPECT_TRUE(says("gatehouse_failures_total{reason=\"upstream unavailable\"} 1"));
  EXPECT_TRUE(says("gatehouse_received_bytes_total{route=\"app\"} 10"));
  EXPECT_TRUE(says("gatehouse_sent_bytes_total{route=\"app\"} 14"));
}

TEST_F(MetricsTest, HistogramBucketsAreCumulative) {
  net::ExchangeObserver& shard = metrics_->add_loop().routes;
  for (const int micros : {100, 101, 250, 60'000'000}) end(shard, "app", 200, micros);
  EXPECT_TRUE(says("gatehouse_response_seconds_bucket{route=\"app\",le=\"0.0001\"} 1"))
      << metrics_->text();
  EXPECT_TRUE(says("gatehouse_response_seconds_bucket{route=\"app\",le=\"0.00025\"} 3"));
  EXPECT_TRUE(says("gatehouse_response_seconds_bucket{route=\"app\",le=\"+Inf\"} 4"));
  EXPECT_TRUE(says("gatehouse_response_seconds_count{route=\"app\"} 4"));
}

TEST_F(MetricsTest, LabelsAreBoundedWhateverComes) {
  net::ExchangeObserver& shard = metrics_->add_loop().routes;
  end(shard, "made up by a client", 404);
  end(shard, "", 777, 1, "a reason of its own");
  EXPECT_EQ(metrics_->text().find("made up"), std::string::npos);
  EXPECT_EQ(metrics_->text().find("of its own"), std::string::npos);
  end(shard, "app", 418);
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"other\",status=\"4xx\",code=\"404\"} 1"));
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"-\",status=\"none\",code=\"other\"} 1"));
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"app\",status=\"4xx\",code=\"other\"} 1"));
  EXPECT_TRUE(says("gatehouse_failures_total{reason=\"other\"} 1"));
}

TEST_F(MetricsTest, BrokenExchangesCountAsIncompleteAndHaveNoTime) {
  end(metrics_->add_loop().routes, "app", 0, 1, "", false);
  EXPECT_TRUE(says("gatehouse_incomplete_total{route=\"app\"} 1"));
  EXPECT_TRUE(says("gatehouse_response_seconds_count{route=\"app\"} 0"));
}

TEST_F(MetricsTest, AReloadKeepsTheCountersOfNamesThatStay) {
  RouteShard& shard = metrics_->add_loop().routes;
  end(shard, "app", 200);
  end(shard, "/other", 200);
  shard.set_routes({"new", "app"});
  end(shard, "app", 200);
  end(shard, "new", 200);
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"app\",status=\"2xx\",code=\"200\"} 2"))
      << metrics_->text();
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"new\",status=\"2xx\",code=\"200\"} 1"));
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"/other\",status=\"2xx\",code=\"200\"} 1"));
  EXPECT_EQ(metrics_->hits()["app"], 2U);
}

TEST_F(MetricsTest, NoMoreRoutesHaveLabelsThanTheLimitSays) {
  Metrics metrics({}, 2);
  RouteShard& shard = metrics.add_loop().routes;
  shard.set_routes({"a", "b", "c"});
  for (const char* route : {"a", "b", "c", "c"}) end(shard, route, 200);
  std::map<std::string, std::uint64_t> hits = metrics.hits();
  EXPECT_EQ(hits["a"], 1U);
  EXPECT_EQ(hits["other"], 2U);
  EXPECT_FALSE(hits.contains("c"));
  // The new come before those that are gone.
  shard.set_routes({"b", "d"});
  end(shard, "d", 200);
  hits = metrics.hits();
  EXPECT_EQ(hits["d"], 1U);
  EXPECT_EQ(hits["b"], 1U);
  EXPECT_FALSE(hits.contains("a"));
}

TEST_F(MetricsTest, TcpConnectionsCountByRouteAndOutcome) {
  LoopMetrics& a = metrics_->add_loop();
  LoopMetrics& b = metrics_->add_loop();
  const http::Peer peer;
  const config::TcpRoute named{.name = "db"};
  const config::TcpRoute unnamed{.listen = "127.0.0.1:5432"};
  a.tcp.ended({.peer = peer, .route = &named, .received = 5, .sent = 7});
  b.tcp.ended({.peer = peer, .route = &named, .received = 5, .sent = 7});
  b.tcp.ended({.peer = peer, .route = &unnamed, .result = TcpResult::kUpstreamConnect});
  b.tcp.ended({.peer = peer, .route = nullptr, .result = TcpResult::kNoRoute});
  EXPECT_TRUE(says("gatehouse_tcp_connections_total{route=\"db\",outcome=\"ok\"} 2"))
      << metrics_->text();
  EXPECT_TRUE(says("gatehouse_tcp_bytes_total{route=\"db\",direction=\"received\"} 10"));
  EXPECT_TRUE(says("gatehouse_tcp_bytes_total{route=\"db\",direction=\"sent\"} 14"));
  EXPECT_TRUE(
      says("gatehouse_tcp_connections_total{route=\"127.0.0.1:5432\","
           "outcome=\"upstream_connect\"} 1"));
  EXPECT_TRUE(says("gatehouse_tcp_connections_total{route=\"-\",outcome=\"no_route\"} 1"));
  const config::TcpRoute unknown{.name = "of another configuration"};
  a.tcp.ended({.peer = peer, .route = &unknown});
  EXPECT_TRUE(says("gatehouse_tcp_connections_total{route=\"other\",outcome=\"ok\"} 1"));
  a.set_routes({.http = {}, .tcp = {"new", "db"}});
  a.tcp.ended({.peer = peer, .route = &named});
  EXPECT_TRUE(says("gatehouse_tcp_connections_total{route=\"db\",outcome=\"ok\"} 3"));
}

TEST_F(MetricsTest, LimitsLevelsVerdictsAndSpansOfAllLoopsAreAddedUp) {
  LoopMetrics& a = metrics_->add_loop();
  LoopMetrics& b = metrics_->add_loop();
  a.limits.struck(net::Limit::kHeadBytes);
  b.limits.struck(net::Limit::kHeadBytes);
  a.connections.set(3);
  b.connections.set(4);
  a.authorizer.let_pass.add(1);
  a.authorizer.asked.add(5);
  a.authorizer.answered.add(3);
  a.authorizer.over_limit.add(2);
  b.traces.dropped.add(7);
  EXPECT_TRUE(says("gatehouse_limit_reached_total{limit=\"head_bytes\"} 2")) << metrics_->text();
  EXPECT_TRUE(says("gatehouse_limit_reached_total{limit=\"streams\"} 0"));
  EXPECT_TRUE(says("gatehouse_connections 7"));
  EXPECT_TRUE(says("gatehouse_authorizer_verdicts_total{verdict=\"let_pass\"} 1"));
  EXPECT_TRUE(says("gatehouse_authorizer_under_way 2"));
  EXPECT_TRUE(says("gatehouse_authorizer_over_limit_total 2"));
  EXPECT_TRUE(says("gatehouse_spans_total{outcome=\"dropped\"} 7"));
}

TEST_F(MetricsTest, ReloadsProblemsAndBuildAreTold) {
  metrics_->reloads().add({.time = from_unix_seconds(1'700'000'000), .applied = true});
  metrics_->reloads().add({.time = from_unix_seconds(1'700'000'001), .applied = false});
  metrics_->set_problems([] { return 4; });
  EXPECT_TRUE(says("gatehouse_reloads_total{result=\"applied\"} 1")) << metrics_->text();
  EXPECT_TRUE(says("gatehouse_reloads_total{result=\"refused\"} 1"));
  EXPECT_TRUE(says("gatehouse_configuration_problems 4"));
  EXPECT_TRUE(says("gatehouse_last_reload_seconds 1700000000"));
  EXPECT_TRUE(says("gatehouse_build_info{version=\"" GATEHOUSE_VERSION "\"} 1"));
}

TEST_F(MetricsTest, ServicesAreToldOnceHoweverTheyAreReached) {
  const ClusterView cluster{
      .service = "http://user:secret@a:80/?token=secret",
      .endpoints = {{.address = "192.0.2.1:80", .requests = 5, .failures = 2},
                    {.address = "192.0.2.2:80", .healthy = false, .requests = 1}},
      .breakers = {{.name = "requests", .limit = 10, .now = 4, .refused = 3}},
      .requests = 9,
      .failures = 4,
      .retries = 6};
  metrics_->set_clusters([cluster] { return std::vector<ClusterView>{cluster, cluster}; });
  metrics_->set_dropped_lines([] { return std::uint64_t{8}; });
  const std::string service = "{service=\"http://a:80/\"} ";
  EXPECT_TRUE(says("gatehouse_upstream_requests_total" + service + "18")) << metrics_->text();
  EXPECT_TRUE(says("gatehouse_upstream_failures_total" + service + "8"));
  EXPECT_TRUE(says("gatehouse_upstream_retries_total" + service + "12"));
  EXPECT_TRUE(says("gatehouse_upstream_endpoints" + service + "4"));
  EXPECT_TRUE(says("gatehouse_upstream_endpoints_usable" + service + "2"));
  EXPECT_TRUE(
      says("gatehouse_circuit_breaker_trips_total{service=\"http://a:80/\","
           "breaker=\"requests\"} 6"));
  EXPECT_TRUE(says("gatehouse_access_log_dropped_total 8"));
  EXPECT_EQ(metrics_->text().find("secret"), std::string::npos);
}

TEST_F(MetricsTest, MayBeReadWhileLoopsCountAndReload) {
  constexpr int kExchanges = 10'000;
  RouteShard& a = metrics_->add_loop().routes;
  net::ExchangeObserver& b = metrics_->add_loop().routes;
  {
    const std::jthread first([&] {
      for (int i = 0; i < kExchanges; ++i) {
        if (i % 100 == 0) a.set_routes({"app", "r" + std::to_string(i)});
        end(a, "app", 200);
      }
    });
    const std::jthread second([&] {
      for (int i = 0; i < kExchanges; ++i) end(b, "app", 200);
    });
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(metrics_->text().empty());
  }
  EXPECT_TRUE(says("gatehouse_requests_total{route=\"app\",status=\"2xx\",code=\"200\"} 20000"));
}

}  // namespace
}  // namespace gatehouse::gateway
