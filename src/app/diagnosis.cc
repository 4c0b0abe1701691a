#include "app/diagnosis.h"

#include <algorithm>
#include <utility>

namespace gatehouse::app {
namespace {

using gateway::BreakerView;
using gateway::ClusterView;
using gateway::EndpointView;
using gateway::upstream::BreakerStatus;
using gateway::upstream::ClusterStatus;
using gateway::upstream::EndpointStatus;

void add(EndpointView& view, const EndpointStatus& status) {
  view.healthy &= status.healthy;
  view.ejected |= status.ejected;
  view.refused |= status.refused;
  view.active_requests += status.active_requests;
  view.connections += status.connections;
  view.requests += status.requests;
  view.failures += status.failures;
  if (!status.last_error.empty()) view.last_error = status.last_error;
}

void add(ClusterView& view, std::string_view name, const BreakerStatus& status) {
  auto found = std::ranges::find(view.breakers, name, &BreakerView::name);
  if (found == view.breakers.end()) {
    view.breakers.push_back({.name = std::string(name)});
    found = std::prev(view.breakers.end());
  }
  // Each loop has a limit of its own.
  found->limit += status.limit;
  found->now += status.now;
  found->refused += status.refused;
}

void add(ClusterView& view, const ClusterStatus& status) {
  for (const EndpointStatus& endpoint : status.endpoints) {
    auto found = std::ranges::find(view.endpoints, endpoint.address, &EndpointView::address);
    if (found == view.endpoints.end()) {
      view.endpoints.push_back({.address = endpoint.address});
      found = std::prev(view.endpoints.end());
    }
    add(*found, endpoint);
  }
  add(view, "connections", status.connections);
  add(view, "pending_requests", status.pending);
  add(view, "requests", status.requests);
  add(view, "retries", status.retries);
  view.requests += status.attempts;
  view.failures += status.failed_attempts;
  view.retries += status.retried;
  if (!status.dns_error.empty()) view.dns_error = status.dns_error;
  view.panic |= status.panic;
}

void append(std::string& text, std::string_view label, std::string_view value) {
  if (value.empty()) return;
  if (!text.empty()) text += ", ";
  text.append(label).append(" ").append(value);
}

std::string match_text(const config::Route& route) {
  std::string out;
  append(out, "host", route.host);
  append(out, "host matching", route.host_regex);
  append(out, route.match == "segment" ? "prefix" : route.match, route.prefix);
  for (const std::string& method : route.methods) append(out, "method", method);
  append(out, "method matching", route.method_regex);
  for (const config::FieldMatch& header : route.headers) append(out, "header", header.name);
  for (const config::FieldMatch& parameter : route.query) append(out, "query", parameter.name);
  return out;
}

}  // namespace

void ClusterBoard::set(std::size_t loop, std::vector<ClusterStatus> clusters) {
  const std::lock_guard lock(mutex_);
  loops_[loop] = std::move(clusters);
}

std::vector<ClusterView> ClusterBoard::views() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, ClusterView> by_service;
  for (const auto& [loop, clusters] : loops_) {
    for (const ClusterStatus& status : clusters) {
      ClusterView& view = by_service[status.service];
      view.service = status.service;
      add(view, status);
    }
  }
  std::vector<ClusterView> out;
  for (auto& [service, view] : by_service) out.push_back(std::move(view));
  return out;
}

std::vector<gateway::RouteView> route_views(const gateway::CompiledGateway& compiled,
                                            const std::map<std::string, std::uint64_t>& hits) {
  std::vector<gateway::RouteView> out;
  for (const std::size_t index : compiled.table().in_order()) {
    const config::Route& route = compiled.route(index);
    gateway::RouteView& view = out.emplace_back();
    view.name = route.name;
    view.origin = route.origin;
    view.match = match_text(route);
    const bool redirects = gateway::is_redirect(route.redirect);
    view.upstream = redirects ? "redirects" : route.upstream.service;
    if (route.weight >= 0) view.weight = std::to_string(route.weight) + " %";
    view.authenticate = route.authenticate;
    view.shadow = route.shadow;
    const auto found = hits.find(route.name);
    if (found != hits.end()) view.hits = found->second;
  }
  return out;
}

std::string_view name_of(Service service) {
  switch (service) {
    case Service::kGateway:
      return "gateway";
    case Service::kGatekeeper:
      return "gatekeeper";
    case Service::kIdentity:
      return "identity";
    case Service::kSamples:
      return "samples";
    case Service::kOperations:
      return "operations";
  }
  return "";
}

std::string authorizer_text(const config::AuthorizerSettings& settings) {
  return settings.url.empty() ? settings.kind : settings.kind + " " + settings.url;
}

}  // namespace gatehouse::app
