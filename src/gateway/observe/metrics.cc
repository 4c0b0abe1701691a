#include "gateway/observe/metrics.h"

#include <prometheus/text_serializer.h>

#include <map>
#include <numeric>
#include <sstream>
#include <utility>

#include "gateway/observe/families.h"
#include "gateway/routing/route_name.h"

namespace gatehouse::gateway {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using Loops = std::vector<std::unique_ptr<LoopMetrics>>;

template <class Number>
std::uint64_t sum(const Loops& loops, Number number) {
  return std::accumulate(
      loops.begin(), loops.end(), std::uint64_t{0},
      [&number](std::uint64_t so_far, const auto& loop) { return so_far + number(*loop); });
}

void append_limits(Families& families, const Loops& loops) {
  MetricFamily& family = add_family(families, MetricType::Counter, "gatehouse_limit_reached_total",
                                    "How often each limit of the edge has struck.");
  for (std::size_t i = 0; i < net::kLimitNames.size(); ++i) {
    const auto limit = static_cast<net::Limit>(i);
    add_counter(family, {{"limit", std::string(net::kLimitNames[i])}},
                sum(loops, [limit](const LoopMetrics& loop) { return loop.limits.count(limit); }));
  }
}

void append_levels(Families& families, const Loops& loops) {
  const auto connections = [](const LoopMetrics& loop) { return loop.connections.value(); };
  add_gauge(add_family(families, MetricType::Gauge, "gatehouse_connections",
                       "Connections of clients that are open."),
            {}, static_cast<double>(sum(loops, connections)));
}

void append_authorizer(Families& families, const Loops& loops) {
  MetricFamily& verdicts =
      add_family(families, MetricType::Counter, "gatehouse_authorizer_verdicts_total",
                 "Questions to an external authorizer, by how they ended.");
  const auto add = [&](const char* verdict, Count AuthorizerCounts::* count) {
    add_counter(verdicts, {{"verdict", verdict}}, sum(loops, [count](const LoopMetrics& loop) {
                  return (loop.authorizer.*count).value();
                }));
  };
  add("allowed", &AuthorizerCounts::allowed);
  add("denied", &AuthorizerCounts::denied);
  add("failed", &AuthorizerCounts::failed);
  add("let_pass", &AuthorizerCounts::let_pass);
  add_counter(
      add_family(families, MetricType::Counter, "gatehouse_authorizer_over_limit_total",
                 "Requests whose question was not put, for too many were under way."),
      {}, sum(loops, [](const LoopMetrics& loop) { return loop.authorizer.over_limit.value(); }));
  add_gauge(add_family(families, MetricType::Gauge, "gatehouse_authorizer_under_way",
                       "Questions that wait for the external authorizer's answer."),
            {}, static_cast<double>(sum(loops, [](const LoopMetrics& loop) {
              // Read in this order, an answer between the two never makes a negative number.
              const std::uint64_t answered = loop.authorizer.answered.value();
              return loop.authorizer.asked.value() - answered;
            })));
}

void append_traces(Families& families, const Loops& loops) {
  MetricFamily& spans = add_family(families, MetricType::Counter, "gatehouse_spans_total",
                                   "Spans, by what became of them.");
  const auto exported = [](const LoopMetrics& loop) { return loop.traces.exported.value(); };
  const auto dropped = [](const LoopMetrics& loop) { return loop.traces.dropped.value(); };
  add_counter(spans, {{"outcome", "exported"}}, sum(loops, exported));
  add_counter(spans, {{"outcome", "dropped"}}, sum(loops, dropped));
}

void append_reloads(Families& families, const ReloadHistory& history) {
  const ReloadHistory::Totals totals = history.totals();
  MetricFamily& reloads = add_family(families, MetricType::Counter, "gatehouse_reloads_total",
                                     "Changes of the configuration, by result.");
  add_counter(reloads, {{"result", "applied"}}, totals.applied);
  add_counter(reloads, {{"result", "refused"}}, totals.refused);
  add_gauge(add_family(families, MetricType::Gauge, "gatehouse_last_reload_seconds",
                       "When the configuration was last changed, in Unix time; 0: never."),
            {}, static_cast<double>(unix_seconds(totals.last_applied)));
}

void append_build(Families& families) {
  add_gauge(add_family(families, MetricType::Gauge, "gatehouse_build_info",
                       "Always 1; tells the version."),
            {{"version", GATEHOUSE_VERSION}}, 1);
}

/// Labels are services, which the configuration names, not addresses, which come and go. Two
/// clusters of one service, reached in different ways, count as one: a series must be there once.
struct ServiceSums {
  std::uint64_t requests = 0, failures = 0, retries = 0;
  std::size_t endpoints = 0, usable = 0;
  struct Breaker {
    std::uint64_t trips = 0, now = 0;
  };
  std::map<std::string, Breaker> breakers;

  void add(const ClusterView& cluster) {
    requests += cluster.requests;
    failures += cluster.failures;
    retries += cluster.retries;
    endpoints += cluster.endpoints.size();
    for (const EndpointView& endpoint : cluster.endpoints) {
      usable += endpoint.healthy && !endpoint.ejected && !endpoint.refused ? 1 : 0;
    }
    for (const BreakerView& breaker : cluster.breakers) {
      breakers[breaker.name].trips += breaker.refused;
      breakers[breaker.name].now += breaker.now;
    }
  }
};

std::map<std::string, ServiceSums> sums_of(const std::vector<ClusterView>& clusters) {
  std::map<std::string, ServiceSums> sums;
  for (const ClusterView& cluster : clusters) {
    std::string service = without_secrets(cluster.service);
    const bool labelled = sums.size() < Metrics::kLabelledServices || sums.contains(service);
    sums[labelled ? service : "other"].add(cluster);
  }
  return sums;
}

void append_clusters(Families& families, const std::vector<ClusterView>& clusters) {
  const std::map<std::string, ServiceSums> services = sums_of(clusters);
  const auto append = [&](MetricType type, const char* name, const char* help, auto value) {
    MetricFamily& family = add_family(families, type, name, help);
    for (const auto& [service, sums] : services) {
      const Labels labels = {{"service", service}};
      if (type == MetricType::Counter) add_counter(family, labels, value(sums));
      if (type == MetricType::Gauge) add_gauge(family, labels, static_cast<double>(value(sums)));
    }
  };
  append(MetricType::Counter, "gatehouse_upstream_requests_total", "Attempts at a service.",
         [](const ServiceSums& sums) { return sums.requests; });
  append(MetricType::Counter, "gatehouse_upstream_failures_total",
         "Attempts that had no answer or one of 5xx.",
         [](const ServiceSums& sums) { return sums.failures; });
  append(MetricType::Counter, "gatehouse_upstream_retries_total", "Attempts after the first.",
         [](const ServiceSums& sums) { return sums.retries; });
  append(MetricType::Gauge, "gatehouse_upstream_endpoints", "Addresses of a service.",
         [](const ServiceSums& sums) { return sums.endpoints; });
  append(MetricType::Gauge, "gatehouse_upstream_endpoints_usable",
         "Addresses of a service that are well and not ejected.",
         [](const ServiceSums& sums) { return sums.usable; });

  MetricFamily trips{"gatehouse_circuit_breaker_trips_total",
                     "Requests that a circuit breaker refused.",
                     MetricType::Counter,
                     {}};
  MetricFamily levels{"gatehouse_circuit_breaker_level",
                      "What a circuit breaker limits, now.",
                      MetricType::Gauge,
                      {}};
  for (const auto& [service, sums] : services) {
    for (const auto& [name, breaker] : sums.breakers) {
      const Labels labels = {{"service", service}, {"breaker", name}};
      add_counter(trips, labels, breaker.trips);
      add_gauge(levels, labels, static_cast<double>(breaker.now));
    }
  }
  families.push_back(std::move(trips));
  families.push_back(std::move(levels));
}

template <class Route>
std::vector<std::string> names_of(const std::vector<Route>& routes) {
  std::vector<std::string> names;
  names.reserve(routes.size());
  for (const Route& route : routes) names.push_back(route_name(route));
  return names;
}

}  // namespace

RouteLabels route_labels(const config::Gateway& settings) {
  return {.http = names_of(settings.routes), .tcp = names_of(settings.tcp)};
}

Metrics::Metrics(const config::Gateway& settings, std::size_t labelled_routes)
    : labelled_routes_(labelled_routes), labels_(route_labels(settings)) {}

Metrics::~Metrics() = default;

LoopMetrics& Metrics::add_loop() {
  auto loop = std::make_unique<LoopMetrics>(labelled_routes_);
  loop->set_routes(labels_);
  const std::scoped_lock lock(mutex_);
  return *loops_.emplace_back(std::move(loop));
}

RouteShard::Sums Metrics::route_sums() const {
  RouteShard::Sums sums;
  for (const auto& loop : loops_) loop->routes.add_to(sums);
  return sums;
}

TcpShard::Sums Metrics::tcp_sums() const {
  TcpShard::Sums sums;
  for (const auto& loop : loops_) loop->tcp.add_to(sums);
  return sums;
}

std::map<std::string, std::uint64_t> Metrics::hits() const {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, std::uint64_t> hits;
  for (const auto& [route, sums] : route_sums().routes) {
    hits[route] = std::accumulate(sums.codes.begin(), sums.codes.end(), std::uint64_t{0});
  }
  return hits;
}

std::vector<prometheus::MetricFamily> Metrics::Collect() const {
  Families families;
  {
    const std::scoped_lock lock(mutex_);
    append_routes(families, route_sums());
    append_tcp(families, tcp_sums());
    append_limits(families, loops_);
    append_levels(families, loops_);
    append_authorizer(families, loops_);
    append_traces(families, loops_);
  }
  append_reloads(families, reloads_);
  append_build(families);
  if (clusters_) append_clusters(families, clusters_());
  if (problems_) {
    add_gauge(add_family(families, MetricType::Gauge, "gatehouse_configuration_problems",
                         "What is wrong or doubtful in the configuration."),
              {}, static_cast<double>(problems_()));
  }
  if (dropped_) {
    add_counter(add_family(families, MetricType::Counter, "gatehouse_access_log_dropped_total",
                           "Lines of the access log that were dropped, for too many waited."),
                {}, dropped_());
  }
  return families;
}

std::string Metrics::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, Collect());
  return std::move(out).str();
}

}  // namespace gatehouse::gateway
