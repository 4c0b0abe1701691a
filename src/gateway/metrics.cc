#include "gateway/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <sstream>
#include <unordered_map>

#include "gateway/routing/route_name.h"

namespace gatehouse::gateway {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct Declaration {
  const char* name;
  const char* help;
  MetricType type;
};

// All metrics there are. Their order is that of the enum.
constexpr std::array<Declaration, 6> kDeclarations = {{
    {"gatehouse_requests_total", "Exchanges that ended, by route and class of status.",
     MetricType::Counter},
    {"gatehouse_response_seconds", "From a request's first byte to its answer's head, by route.",
     MetricType::Histogram},
    {"gatehouse_received_bytes_total", "Bytes of requests' bodies and from clients' tunnels.",
     MetricType::Counter},
    {"gatehouse_sent_bytes_total", "Bytes of answers' bodies and to clients' tunnels.",
     MetricType::Counter},
    {"gatehouse_incomplete_total", "Exchanges that either side cut short, by route.",
     MetricType::Counter},
    {"gatehouse_failures_total", "Answers that are not the upstream's, by reason.",
     MetricType::Counter},
}};
enum Family { kRequests, kSeconds, kReceived, kSent, kIncomplete, kFailures };

// The status class "none": the connection broke before there was an answer.
constexpr std::array<const char*, 6> kClasses = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

// In microseconds; the last bucket has no bound.
constexpr std::array<std::uint64_t, 13> kBounds = {
    100,    250,     500,     1'000,     2'500,     5'000,     10'000,
    50'000, 100'000, 500'000, 1'000'000, 5'000'000, 30'000'000};

// What the gateway says in a request's trace; what others say counts as the last.
constexpr std::array<std::string_view, 11> kReasons = {"denied",
                                                       "authorizer",
                                                       "no route",
                                                       "ambiguous path",
                                                       "method",
                                                       "misdirected",
                                                       "upstream timeout",
                                                       "upstream unavailable",
                                                       "upstream invalid",
                                                       "upstream exhausted",
                                                       "other"};

constexpr std::string_view kNoRoute = "-";

/// One thread adds, others read.
class Count {
 public:
  void add(std::uint64_t n) { value_.store(value() + n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

struct RouteCounts {
  std::array<Count, kClasses.size()> requests;
  std::array<Count, kBounds.size() + 1> buckets;
  Count microseconds, received, sent, incomplete;
};

/// What Collect() adds the shards up into.
struct RouteSums {
  std::array<std::uint64_t, kClasses.size()> requests{};
  std::array<std::uint64_t, kBounds.size() + 1> buckets{};
  std::uint64_t microseconds = 0, received = 0, sent = 0, incomplete = 0;
};

std::size_t class_of(int status) {
  return status < 100 || status > 599 ? 0 : status / 100;
}

std::size_t bucket_of(std::uint64_t microseconds) {
  return std::ranges::lower_bound(kBounds, microseconds) - kBounds.begin();
}

std::size_t reason_of(std::string_view failure) {
  const auto* const found = std::ranges::find(kReasons, failure);
  return found == kReasons.end() ? kReasons.size() - 1 : found - kReasons.begin();
}

std::uint64_t microseconds_between(MonotonicTime from, MonotonicTime to) {
  const auto span = std::chrono::duration_cast<std::chrono::microseconds>(to - from);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(span.count(), 0));
}

ClientMetric counter(std::vector<ClientMetric::Label> labels, std::uint64_t value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = static_cast<double>(value);
  return metric;
}

ClientMetric histogram(const std::string& route, const RouteSums& sums) {
  ClientMetric metric;
  metric.label = {{"route", route}};
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < sums.buckets.size(); ++i) {
    below += sums.buckets[i];
    const double bound = i < kBounds.size() ? static_cast<double>(kBounds[i]) / 1e6
                                            : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({below, bound});
  }
  metric.histogram.sample_count = below;
  metric.histogram.sample_sum = static_cast<double>(sums.microseconds) / 1e6;
  return metric;
}

std::vector<MetricFamily> declared() {
  std::vector<MetricFamily> families;
  for (const Declaration& declaration : kDeclarations) {
    families.push_back({declaration.name, declaration.help, declaration.type, {}});
  }
  return families;
}

void append_route(const std::string& route, const RouteSums& sums,
                  std::vector<MetricFamily>& families) {
  for (std::size_t i = 0; i < kClasses.size(); ++i) {
    if (sums.requests[i] == 0) continue;
    families[kRequests].metric.push_back(
        counter({{"route", route}, {"status", kClasses[i]}}, sums.requests[i]));
  }
  families[kSeconds].metric.push_back(histogram(route, sums));
  families[kReceived].metric.push_back(counter({{"route", route}}, sums.received));
  families[kSent].metric.push_back(counter({{"route", route}}, sums.sent));
  families[kIncomplete].metric.push_back(counter({{"route", route}}, sums.incomplete));
}

}  // namespace

/// Written by one loop.
class Metrics::Shard final : public net::ExchangeObserver {
 public:
  explicit Shard(const std::vector<std::string>& routes) : counts_(routes.size()) {
    for (std::size_t i = 0; i < routes.size(); ++i) index_.emplace(routes[i], i);
  }

  void ended(const net::Exchange& exchange) override {
    const http::Trace& trace = exchange.request.trace;
    const auto found = index_.find(trace.route);
    RouteCounts& counts = counts_[found == index_.end() ? 0 : found->second];
    counts.requests[class_of(exchange.status)].add(1);
    counts.received.add(exchange.received);
    counts.sent.add(exchange.sent);
    if (!exchange.complete) counts.incomplete.add(1);
    if (!trace.failure.empty()) failures_[reason_of(trace.failure)].add(1);
    if (exchange.status == 0) return;
    const std::uint64_t time = microseconds_between(exchange.started, exchange.answered);
    counts.microseconds.add(time);
    counts.buckets[bucket_of(time)].add(1);
  }

  void add_to(std::size_t route, RouteSums& sums) const {
    const RouteCounts& counts = counts_[route];
    for (std::size_t i = 0; i < sums.requests.size(); ++i) {
      sums.requests[i] += counts.requests[i].value();
    }
    for (std::size_t i = 0; i < sums.buckets.size(); ++i) {
      sums.buckets[i] += counts.buckets[i].value();
    }
    sums.microseconds += counts.microseconds.value();
    sums.received += counts.received.value();
    sums.sent += counts.sent.value();
    sums.incomplete += counts.incomplete.value();
  }
  std::uint64_t failures(std::size_t reason) const { return failures_[reason].value(); }

 private:
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<RouteCounts> counts_;
  std::array<Count, kReasons.size()> failures_;
};

Metrics::Metrics(const std::vector<config::Route>& routes) : routes_{std::string(kNoRoute)} {
  for (const config::Route& route : routes) {
    const std::string& name = route_name(route);
    if (std::ranges::find(routes_, name) == routes_.end()) routes_.push_back(name);
  }
}

Metrics::~Metrics() = default;

net::ExchangeObserver& Metrics::add_shard() {
  const std::scoped_lock lock(mutex_);
  return *shards_.emplace_back(std::make_unique<Shard>(routes_));
}

std::vector<MetricFamily> Metrics::Collect() const {
  const std::scoped_lock lock(mutex_);
  std::vector<MetricFamily> families = declared();
  for (std::size_t route = 0; route < routes_.size(); ++route) {
    RouteSums sums;
    for (const auto& shard : shards_) shard->add_to(route, sums);
    append_route(routes_[route], sums, families);
  }
  for (std::size_t reason = 0; reason < kReasons.size(); ++reason) {
    std::uint64_t sum = 0;
    for (const auto& shard : shards_) sum += shard->failures(reason);
    families[kFailures].metric.push_back(counter({{"reason", std::string(kReasons[reason])}}, sum));
  }
  return families;
}

std::string Metrics::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, Collect());
  return std::move(out).str();
}

}  // namespace gatehouse::gateway
