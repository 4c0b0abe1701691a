// What Prometheus reads: counters and histograms of exchanges by route and status class.
//
// Each loop counts in a shard of its own, without locks: it alone writes there, by relaxed stores.
// collect() may run on any thread and adds the shards up. Labels are bounded: routes by the
// configuration, reasons of failure by a list. Every metric is declared once, in metrics.cc.
#pragma once

#include <prometheus/collectable.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "net/http_server.h"

namespace gatehouse::gateway {

class Metrics final : public prometheus::Collectable {
 public:
  explicit Metrics(const std::vector<config::Route>& routes);
  ~Metrics() override;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// The observer that counts for one loop; lives as long as the Metrics. Thread-safe.
  net::ExchangeObserver& add_shard();

  /// Thread-safe.
  std::vector<prometheus::MetricFamily> Collect() const override;
  /// Prometheus's text format, version 0.0.4. Thread-safe.
  std::string text() const;

 private:
  class Shard;
  std::vector<std::string> routes_;  // the first stands for exchanges without a route
  mutable std::mutex mutex_;         // guards the list of shards, not what is in them
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace gatehouse::gateway
