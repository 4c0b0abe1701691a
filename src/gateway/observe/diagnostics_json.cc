#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>

#include "base/json.h"
#include "gateway/observe/diagnostics.h"

namespace gatehouse::gateway {
namespace {

Json json_of(const EndpointView& endpoint) {
  return {{"address", endpoint.address},
          {"healthy", endpoint.healthy},
          {"ejected", endpoint.ejected},
          {"refused", endpoint.refused},
          {"active_requests", endpoint.active_requests},
          {"connections", endpoint.connections},
          {"requests", endpoint.requests},
          {"failures", endpoint.failures},
          {"last_error", endpoint.last_error}};
}

Json json_of(const BreakerView& breaker) {
  return {{"name", breaker.name},
          {"limit", breaker.limit},
          {"now", breaker.now},
          {"refused", breaker.refused}};
}

Json json_of(const RouteView& route) {
  return {{"name", route.name},     {"origin", route.origin},
          {"match", route.match},   {"upstream", without_secrets(route.upstream)},
          {"weight", route.weight}, {"authenticate", route.authenticate},
          {"shadow", route.shadow}, {"hits", route.hits}};
}

Json json_of(const ListenerView& listener) {
  return {
      {"address", listener.address}, {"protocol", listener.protocol}, {"serves", listener.serves}};
}

Json json_of(const ProblemView& problem) {
  return {{"severity", problem.is_error ? "error" : "warning"}, {"what", problem.what}};
}

Json json_of(const ReloadView& reload) {
  return {{"time", time_text(reload.time)}, {"applied", reload.applied}, {"what", reload.what}};
}

Json json_of(const ClusterView& cluster);

template <class View>
Json array_of(const std::vector<View>& views) {
  Json out = Json::array();
  for (const View& view : views) out.push_back(json_of(view));
  return out;
}

Json json_of(const ClusterView& cluster) {
  return {{"service", without_secrets(cluster.service)},
          {"endpoints", array_of(cluster.endpoints)},
          {"breakers", array_of(cluster.breakers)},
          {"requests", cluster.requests},
          {"failures", cluster.failures},
          {"retries", cluster.retries},
          {"dns_error", cluster.dns_error},
          {"panic", cluster.panic}};
}

}  // namespace

std::string time_text(WallTime time) {
  if (time == WallTime{}) return "";
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(static_cast<std::time_t>(unix_seconds(time))));
}

std::string without_secrets(std::string url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  url.erase(std::min(url.find_first_of("?#", scheme), url.size()));
  const std::size_t authority = scheme + 3;
  const std::size_t end = std::min(url.find('/', authority), url.size());
  const std::size_t user = url.rfind('@', end);
  if (user != std::string::npos && user >= authority) url.erase(authority, user + 1 - authority);
  return url;
}

std::string diagnostics_json(const DiagnosticSnapshot& snapshot) {
  return dump_json({{"version", snapshot.version},
                    {"started", time_text(snapshot.started)},
                    {"taken", time_text(snapshot.taken)},
                    {"ready", snapshot.ready},
                    {"authorizer", without_secrets(snapshot.authorizer)},
                    {"routes", array_of(snapshot.routes)},
                    {"clusters", array_of(snapshot.clusters)},
                    {"listeners", array_of(snapshot.listeners)},
                    {"problems", array_of(snapshot.problems)},
                    {"reloads", array_of(snapshot.reloads)}});
}

}  // namespace gatehouse::gateway
