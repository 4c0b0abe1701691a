#include "app/plan.h"

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

#include "app/listener_tls.h"
#include "http/url.h"

namespace gatehouse::app {
namespace {

constexpr std::string_view kSampleAddress = "127.0.0.1:0";

bool has_gateway(const Plan& plan) {
  return plan.role == Role::kAll || plan.role == Role::kGateway;
}

bool routes_to_samples(const config::Gateway& gateway) {
  return std::ranges::any_of(gateway.routes, [](const config::Route& route) {
    return route.upstream.service == kSampleService;
  });
}

config::Listen listen_on(std::string address) {
  config::Listen listen;
  listen.address = std::move(address);
  return listen;
}

Result<void> add_listener(Service service, const config::Listen& listen, std::size_t index,
                          std::vector<PlannedListener>& listeners) {
  Result<net::Endpoint> endpoint = net::parse_endpoint(listen.address);
  if (!endpoint) return fail(std::move(endpoint));
  listeners.push_back({.service = service,
                       .endpoint = std::move(*endpoint),
                       .settings = listen,
                       .index = index,
                       .tls = nullptr});
  return {};
}

Result<void> add_listeners(Plan& plan, Service service, const std::vector<config::Listen>& listen) {
  Result<void> added;
  for (std::size_t i = 0; added && i < listen.size(); ++i) {
    added = add_listener(service, listen[i], i, plan.listeners);
  }
  return added;
}

/// Those of the settings, and the further plain ports of the Hosts.
std::vector<config::Listen> gateway_listeners(const config::Gateway& gateway) {
  std::vector<config::Listen> all = gateway.listen;
  for (const config::Host& host : gateway.hosts) {
    if (host.insecure_port == 0) continue;
    config::Listen further = listen_on(":" + std::to_string(host.insecure_port));
    const bool there = std::ranges::any_of(all, [&](const config::Listen& listen) {
      return listen.address.ends_with(further.address);
    });
    if (!there) all.push_back(std::move(further));
  }
  return all;
}

Result<void> plan_listeners(Plan& plan) {
  const config::Settings& settings = plan.settings;
  Result<void> added;
  if (has_gateway(plan) && routes_to_samples(settings.gateway)) {
    added = add_listeners(plan, Service::kSamples, {listen_on(std::string(kSampleAddress))});
    if (!added) return added;
  }
  switch (plan.role) {
    case Role::kAll:
    case Role::kGateway:
      plan.settings.gateway.listen = gateway_listeners(settings.gateway);
      added = add_listeners(plan, Service::kGateway, settings.gateway.listen);
      break;
    case Role::kGatekeeper:
      added = add_listeners(plan, Service::kGatekeeper, settings.gatekeeper.listen);
      break;
    case Role::kIdentity:
      added = add_listeners(plan, Service::kIdentity, settings.identity.listen);
      break;
  }
  if (added && !settings.operations.listen.empty()) {
    added = add_listeners(plan, Service::kOperations, {listen_on(settings.operations.listen)});
  }
  return added;
}

std::string own_issuer(const Plan& plan) {
  if (!plan.settings.public_url.empty()) return plan.settings.public_url + "/dex";
  const PlannedListener& first = plan.front();
  const std::string scheme = has_certificate(first.settings.tls) ? "https" : "http";
  return scheme + "://" + first.endpoint.str() + "/dex";
}

void add_route(config::Gateway& gateway, std::string name, std::string prefix) {
  const bool given = std::ranges::any_of(gateway.routes, [&](const config::Route& route) {
    return route.prefix == prefix || route.upstream.service == name;
  });
  if (given) return;
  config::Route route;
  route.name = name;
  route.prefix = std::move(prefix);
  route.upstream.service = std::move(name);
  route.authenticate = false;
  route.upgrades.clear();
  gateway.routes.push_back(std::move(route));
}

Result<void> join_roles(Plan& plan) {
  config::Settings& settings = plan.settings;
  if (settings.identity.issuer.empty()) settings.identity.issuer = own_issuer(plan);
  plan.built_in_provider_ =
      settings.gatekeeper.issuer.empty() || settings.gatekeeper.issuer == settings.identity.issuer;
  if (settings.gatekeeper.issuer.empty()) settings.gatekeeper.issuer = settings.identity.issuer;
  const Result<http::Url> issuer = http::parse_url(settings.identity.issuer);
  if (!issuer) {
    return fail(ErrorCode::kInvalid, "identity.issuer: " + issuer.error().message);
  }
  // Its own gateway hands a request on as it came: what it believes, they do.
  settings.gatekeeper.trusted_proxies = settings.gateway.trusted_proxies;
  settings.identity.trusted_proxies = settings.gateway.trusted_proxies;
  add_route(settings.gateway, "identity", issuer->path);
  add_route(settings.gateway, "gatekeeper", settings.gatekeeper.url_prefix);
  return {};
}

}  // namespace

const PlannedListener& Plan::front() const {
  return *std::ranges::find_if(listeners, [](const PlannedListener& listener) {
    return listener.service != Service::kSamples;
  });
}

bool Plan::serves(Service service) const {
  return std::ranges::any_of(
      listeners, [&](const PlannedListener& listener) { return listener.service == service; });
}

void route_to_samples(const Plan& plan, config::Gateway& gateway) {
  const auto samples =
      std::ranges::find(plan.listeners, Service::kSamples, &PlannedListener::service);
  if (samples == plan.listeners.end()) return;
  for (config::Route& route : gateway.routes) {
    if (route.upstream.service == kSampleService) {
      route.upstream.service = "http://" + samples->endpoint.str();
    }
  }
}

Result<config::Gateway> gateway_of(const Plan& plan, config::Settings settings) {
  if (routes_to_samples(settings.gateway) && !plan.serves(Service::kSamples)) {
    return fail(ErrorCode::kInvalid,
                "gateway.routes: the demo's services need a restart to be served");
  }
  Plan fresh;
  fresh.role = plan.role;
  fresh.settings = std::move(settings);
  fresh.listeners = plan.listeners;
  Result<void> joined;
  if (fresh.role == Role::kAll) joined = join_roles(fresh);
  if (!joined) return fail(std::move(joined));
  route_to_samples(plan, fresh.settings.gateway);
  return std::move(fresh.settings.gateway);
}

Result<std::vector<PlannedListener>> listeners_of(const std::vector<PlannedListener>& before,
                                                  const std::vector<config::Listen>& known,
                                                  config::Gateway& gateway) {
  std::vector<PlannedListener> out;
  std::ranges::copy_if(before, std::back_inserter(out), [](const PlannedListener& listener) {
    return listener.service != Service::kGateway;
  });
  std::vector<config::Listen> places = known;
  for (config::Listen& listen : gateway_listeners(gateway)) {
    const bool repeated = std::ranges::any_of(out, [&](const PlannedListener& other) {
      return other.service == Service::kGateway && other.settings.address == listen.address;
    });
    if (repeated) continue;
    auto place = std::ranges::find(places, listen.address, &config::Listen::address);
    if (place == places.end()) place = places.insert(places.end(), listen);
    *place = std::move(listen);
    const auto index = static_cast<std::size_t>(place - places.begin());
    const Result<void> added = add_listener(Service::kGateway, *place, index, out);
    if (!added) return std::unexpected(added.error());
    // The port that the system chose stays.
    const auto same = std::ranges::find_if(
        before, [&](const PlannedListener& listener) { return are_one(listener, out.back()); });
    if (same != before.end()) out.back().endpoint = same->endpoint;
  }
  gateway.listen = std::move(places);
  return out;
}

bool are_one(const PlannedListener& a, const PlannedListener& b) {
  return a.service == b.service && a.settings.address == b.settings.address &&
         has_certificate(a.settings.tls) == has_certificate(b.settings.tls) &&
         a.settings.cleartext_too == b.settings.cleartext_too &&
         a.settings.proxy_protocol == b.settings.proxy_protocol;
}

Result<Plan> make_plan(ServeOptions options) {
  Plan plan;
  plan.role = options.role;
  plan.settings = std::move(options.settings);
  plan.loops = plan.settings.threads;
  if (plan.loops == 0) plan.loops = std::max(1U, std::thread::hardware_concurrency());
  Result<void> done = plan_listeners(plan);
  if (done && plan.role == Role::kAll) done = join_roles(plan);
  if (done && plan.role == Role::kIdentity && plan.settings.identity.issuer.empty()) {
    done = fail(ErrorCode::kInvalid,
                "identity.issuer: must be given when the role runs alone, e.g. "
                "https://kubeflow.example.org/dex");
  }
  if (done && plan.role == Role::kGatekeeper && plan.settings.gatekeeper.issuer.empty()) {
    done = fail(ErrorCode::kInvalid,
                "gatekeeper.issuer: must be given when the role runs alone, e.g. "
                "https://kubeflow.example.org/dex");
  }
  if (!done) return fail(std::move(done));
  return plan;
}

net::ServerOptions server_options(const config::Limits& limits) {
  net::ServerOptions options;
  options.limits.head_bytes = limits.head_bytes;
  options.limits.fields = limits.header_fields;
  options.limits.target_bytes = limits.target_bytes;
  options.requests_per_connection = limits.requests_per_connection;
  options.body_bytes_per_second = limits.body_bytes_per_second;
  options.head_timeout = limits.head_timeout;
  options.keep_alive_timeout = limits.keep_alive_timeout;
  options.body_idle_timeout = limits.body_idle_timeout;
  options.write_idle_timeout = limits.write_idle_timeout;
  options.tunnel_idle_timeout = limits.tunnel_idle_timeout;
  options.http2.streams = limits.streams;
  options.http2.resets_per_second = limits.resets_per_second;
  options.http2.continuation_frames = limits.continuation_frames;
  options.http2.control_frames_per_second = limits.control_frames_per_second;
  return options;
}

}  // namespace gatehouse::app
