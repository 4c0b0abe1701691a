#include "gateway/observe/tcp_metrics.h"

#include <algorithm>
#include <utility>

namespace gatehouse::gateway {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

bool is_unused(const TcpShard::RouteSums& sums) {
  return std::ranges::all_of(sums.results, [](std::uint64_t n) { return n == 0; });
}

}  // namespace

void TcpShard::RouteCounts::add_to(RouteSums& sums) const {
  for (std::size_t i = 0; i < results.size(); ++i) sums.results[i] += results[i].value();
  sums.received += received.value();
  sums.sent += sent.value();
}

void TcpShard::ended(const TcpOutcome& outcome) {
  RouteCounts& counts = routes_.of(outcome.route == nullptr ? "" : route_name(*outcome.route));
  counts.results[static_cast<std::size_t>(outcome.result)].add(1);
  counts.received.add(outcome.received);
  counts.sent.add(outcome.sent);
}

void TcpShard::add_to(Sums& sums) const {
  routes_.for_each(
      [&sums](const std::string& label, const RouteCounts& counts) { counts.add_to(sums[label]); });
}

void append_tcp(Families& families, const TcpShard::Sums& sums) {
  MetricFamily connections{"gatehouse_tcp_connections_total",
                           "TCP connections that ended, by route and outcome.",
                           MetricType::Counter,
                           {}};
  MetricFamily bytes{"gatehouse_tcp_bytes_total",
                     "Bytes of TCP connections that ended, from and to clients.",
                     MetricType::Counter,
                     {}};
  for (const auto& [route, of_route] : sums) {
    if (is_unused(of_route)) continue;
    for (std::size_t i = 0; i < of_route.results.size(); ++i) {
      if (of_route.results[i] == 0) continue;
      add_counter(connections, {{"route", route}, {"outcome", std::string(kTcpResultNames[i])}},
                  of_route.results[i]);
    }
    add_counter(bytes, {{"route", route}, {"direction", "received"}}, of_route.received);
    add_counter(bytes, {{"route", route}, {"direction", "sent"}}, of_route.sent);
  }
  families.push_back(std::move(connections));
  families.push_back(std::move(bytes));
}

}  // namespace gatehouse::gateway
