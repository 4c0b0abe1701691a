#include "gateway/observe/route_metrics.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace gatehouse::gateway {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// The class "none": the connection broke before there was an answer.
constexpr std::array<const char*, 6> kClasses = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr int kCodes = 600;

std::size_t class_of(int status) {
  return status < 100 || status >= kCodes ? 0 : static_cast<std::size_t>(status) / 100;
}

/// Where each status is counted: first the labelled codes, then the rests of the classes.
constexpr std::array<std::uint8_t, kCodes> slot_table() {
  std::array<std::uint8_t, kCodes> table{};
  for (std::size_t status = 0; status < table.size(); ++status) {
    table[status] = static_cast<std::uint8_t>(kLabelledCodes.size() + status / 100);
  }
  for (std::size_t i = 0; i < kLabelledCodes.size(); ++i) {
    table[kLabelledCodes[i]] = static_cast<std::uint8_t>(i);
  }
  return table;
}
constexpr std::array<std::uint8_t, kCodes> kSlots = slot_table();

std::size_t slot_of(int status) {
  return status < 0 || status >= kCodes ? kLabelledCodes.size() : kSlots[status];
}

Labels labels_of(const std::string& route, std::size_t slot) {
  if (slot < kLabelledCodes.size()) {
    const int code = kLabelledCodes[slot];
    return {{"route", route}, {"status", kClasses[class_of(code)]}, {"code", std::to_string(code)}};
  }
  return {{"route", route},
          {"status", kClasses[slot - kLabelledCodes.size()]},
          {"code", std::string(kOthers)}};
}

std::size_t bucket_of(std::uint64_t microseconds) {
  return std::ranges::lower_bound(kDurationBounds, microseconds) - kDurationBounds.begin();
}

std::size_t reason_of(std::string_view failure) {
  const auto* const found = std::ranges::find(kFailureReasons, failure);
  return found == kFailureReasons.end() ? kFailureReasons.size() - 1
                                        : found - kFailureReasons.begin();
}

std::uint64_t microseconds_between(MonotonicTime from, MonotonicTime to) {
  const auto span = std::chrono::duration_cast<std::chrono::microseconds>(to - from);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(span.count(), 0));
}

void add_histogram(MetricFamily& family, const std::string& route,
                   const RouteShard::RouteSums& sums) {
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  metric.label = {{"route", route}};
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < sums.buckets.size(); ++i) {
    below += sums.buckets[i];
    const double bound = i < kDurationBounds.size() ? static_cast<double>(kDurationBounds[i]) / 1e6
                                                    : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({below, bound});
  }
  metric.histogram.sample_count = below;
  metric.histogram.sample_sum = static_cast<double>(sums.microseconds) / 1e6;
}

bool is_unused(const RouteShard::RouteSums& sums) {
  return std::ranges::all_of(sums.codes, [](std::uint64_t n) { return n == 0; });
}

void append_failures(Families& families, const RouteShard::Sums& sums) {
  MetricFamily& family = add_family(families, MetricType::Counter, "gatehouse_failures_total",
                                    "Answers that are not the upstream's, by reason.");
  for (std::size_t i = 0; i < kFailureReasons.size(); ++i) {
    add_counter(family, {{"reason", std::string(kFailureReasons[i])}}, sums.failures[i]);
  }
}

}  // namespace

void RouteShard::RouteCounts::add_to(RouteSums& sums) const {
  for (std::size_t i = 0; i < codes.size(); ++i) sums.codes[i] += codes[i].value();
  for (std::size_t i = 0; i < buckets.size(); ++i) sums.buckets[i] += buckets[i].value();
  sums.microseconds += microseconds.value();
  sums.received += received.value();
  sums.sent += sent.value();
  sums.incomplete += incomplete.value();
}

void RouteShard::ended(const net::Exchange& exchange) {
  const http::Trace& trace = exchange.request.trace;
  RouteCounts& counts = routes_.of(trace.route);
  counts.codes[slot_of(exchange.status)].add(1);
  counts.received.add(exchange.received);
  counts.sent.add(exchange.sent);
  if (!exchange.complete) counts.incomplete.add(1);
  if (!trace.failure.empty()) failures_[reason_of(trace.failure)].add(1);
  if (exchange.status == 0) return;
  const std::uint64_t time = microseconds_between(exchange.started, exchange.answered);
  counts.microseconds.add(time);
  counts.buckets[bucket_of(time)].add(1);
}

void RouteShard::add_to(Sums& sums) const {
  routes_.for_each([&sums](const std::string& label, const RouteCounts& counts) {
    counts.add_to(sums.routes[label]);
  });
  for (std::size_t i = 0; i < failures_.size(); ++i) sums.failures[i] += failures_[i].value();
}

void append_routes(Families& families, const RouteShard::Sums& sums) {
  MetricFamily requests{"gatehouse_requests_total",
                        "Exchanges that ended, by route and status.",
                        MetricType::Counter,
                        {}};
  MetricFamily seconds{"gatehouse_response_seconds",
                       "From a request's first byte to its answer's head, by route.",
                       MetricType::Histogram,
                       {}};
  MetricFamily received{"gatehouse_received_bytes_total",
                        "Bytes of requests' bodies and from clients' tunnels.",
                        MetricType::Counter,
                        {}};
  MetricFamily sent{"gatehouse_sent_bytes_total",
                    "Bytes of answers' bodies and to clients' tunnels.",
                    MetricType::Counter,
                    {}};
  MetricFamily incomplete{"gatehouse_incomplete_total",
                          "Exchanges that either side cut short, by route.",
                          MetricType::Counter,
                          {}};
  for (const auto& [route, of_route] : sums.routes) {
    if (is_unused(of_route)) continue;
    for (std::size_t slot = 0; slot < kCodeSlots; ++slot) {
      if (of_route.codes[slot] == 0) continue;
      add_counter(requests, labels_of(route, slot), of_route.codes[slot]);
    }
    add_histogram(seconds, route, of_route);
    add_counter(received, {{"route", route}}, of_route.received);
    add_counter(sent, {{"route", route}}, of_route.sent);
    add_counter(incomplete, {{"route", route}}, of_route.incomplete);
  }
  for (MetricFamily* family : {&requests, &seconds, &received, &sent, &incomplete}) {
    families.push_back(std::move(*family));
  }
  append_failures(families, sums);
}

}  // namespace gatehouse::gateway
