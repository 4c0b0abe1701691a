// Makes the families of metrics that Prometheus reads.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse::gateway {

using Families = std::vector<prometheus::MetricFamily>;
using Labels = std::vector<prometheus::ClientMetric::Label>;

inline prometheus::MetricFamily& add_family(Families& families, prometheus::MetricType type,
                                            std::string name, std::string help) {
  return families.emplace_back(
      prometheus::MetricFamily{std::move(name), std::move(help), type, {}});
}

inline void add_counter(prometheus::MetricFamily& family, Labels labels, std::uint64_t value) {
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  metric.counter.value = static_cast<double>(value);
}

inline void add_gauge(prometheus::MetricFamily& family, Labels labels, double value) {
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  metric.gauge.value = value;
}

}  // namespace gatehouse::gateway
