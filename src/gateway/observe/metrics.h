// What Prometheus reads, of the whole process.
//
// Each loop counts in a part of its own, without locks: it alone writes there, by relaxed stores.
// Collect() may run on any thread and adds the parts up. Labels are bounded.
#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/gateway_settings.h"
#include "gateway/authz/authorizer_counts.h"
#include "gateway/observe/diagnostics.h"
#include "gateway/observe/reload_history.h"
#include "gateway/observe/route_metrics.h"
#include "gateway/observe/tcp_metrics.h"
#include "gateway/observe/trace_counts.h"
#include "net/limit_counts.h"

namespace gatehouse::gateway {

/// The names under which routes count.
struct RouteLabels {
  std::vector<std::string> http, tcp;
};
RouteLabels route_labels(const config::Gateway& settings);

/// What one loop counts: everything but `add_to()` and the values is used on that loop.
struct LoopMetrics {
  explicit LoopMetrics(std::size_t labelled_routes)
      : routes(labelled_routes), tcp(labelled_routes) {}

  /// After a reload too; see CountsByRoute::set_routes().
  void set_routes(const RouteLabels& labels) {
    routes.set_routes(labels.http);
    tcp.set_routes(labels.tcp);
  }

  RouteShard routes;
  TcpShard tcp;
  net::LimitCounts limits;
  AuthorizerCounts authorizer;
  TraceCounts traces;
  Level connections;  // of clients, open
};

class Metrics final : public prometheus::Collectable {
 public:
  /// Names of routes, and of TCP routes, that have labels of their own; the rest count as "other".
  static constexpr std::size_t kLabelledRoutes = 500;
  /// The same of services.
  static constexpr std::size_t kLabelledServices = 500;

  explicit Metrics(const config::Gateway& settings, std::size_t labelled_routes = kLabelledRoutes);
  ~Metrics() override;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// What one loop counts in; lives as long as the Metrics. Thread-safe.
  LoopMetrics& add_loop();

  /// For main() to fill.
  ReloadHistory& reloads() { return reloads_; }
  /// Asked at each Collect(), on its thread; before any loop runs.
  void set_clusters(std::function<std::vector<ClusterView>()> clusters) {
    clusters_ = std::move(clusters);
  }
  /// What is wrong or doubtful in the configuration in force; asked as set_clusters() says.
  void set_problems(std::function<std::size_t()> problems) { problems_ = std::move(problems); }
  /// Lines of the access log that were dropped; asked as set_clusters() says.
  void set_dropped_lines(std::function<std::uint64_t()> dropped) { dropped_ = std::move(dropped); }

  /// How often each route was taken, by its name; all loops together. Thread-safe.
  std::map<std::string, std::uint64_t> hits() const;

  /// Thread-safe.
  std::vector<prometheus::MetricFamily> Collect() const override;
  /// Prometheus's text format, version 0.0.4. Thread-safe.
  std::string text() const;

 private:
  RouteShard::Sums route_sums() const;
  TcpShard::Sums tcp_sums() const;

  const std::size_t labelled_routes_;
  const RouteLabels labels_;
  ReloadHistory reloads_;
  std::function<std::vector<ClusterView>()> clusters_;
  std::function<std::size_t()> problems_;
  std::function<std::uint64_t()> dropped_;
  mutable std::mutex mutex_;  // guards the list of loops, not what is in them
  std::vector<std::unique_ptr<LoopMetrics>> loops_;
};

}  // namespace gatehouse::gateway
