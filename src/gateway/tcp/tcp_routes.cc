#include "gateway/tcp/tcp_routes.h"

#include <algorithm>
#include <utility>

#include "gateway/routing/shares.h"
#include "gateway/tls_hosts.h"

namespace gatehouse::gateway {

namespace {

std::unexpected<Error> bad(std::string what) {
  return fail(ErrorCode::kInvalid, std::move(what));
}

/// It works, but hardly as it was meant.
Problem odd(std::size_t route, std::string reason) {
  return {
      .of = Problem::Of::kTcpRoute, .index = route, .reason = std::move(reason), .left_out = false};
}

std::string_view host_of(const config::TcpRoute& route) {
  return route.host.empty() ? "*" : std::string_view(route.host);
}

}  // namespace

Result<void> TcpRoutes::add(const config::TcpRoute& route, std::size_t index,
                            std::vector<Problem>& problems) {
  const Result<net::Endpoint> endpoint = net::parse_endpoint(route.listen);
  if (!endpoint) return bad(endpoint.error().message);
  auto listen = std::ranges::find(listens_, endpoint->str(),
                                  [](const Listen& each) { return each.endpoint.str(); });
  if (listen == listens_.end()) listen = listens_.insert(listen, Listen{.endpoint = *endpoint});
  const auto same_host = [&](const Group& group) {
    return host_of(group.routes.front()) == host_of(route);
  };
  auto group = std::ranges::find_if(listen->groups, same_host);
  if (group != listen->groups.end()) {
    const config::TcpRoute& first = group->routes.front();
    if (!(first.tls == route.tls)) {
      return bad("\"" + first.name +
                 "\" has the same address and host, and other TLS settings; give both the same, or "
                 "another address");
    }
    group->routes.push_back(route);
    return {};
  }
  if (has_certificate(route.tls)) {
    // By itself first, so that what is wrong with it is no other's fault.
    const auto tls = net::ServerTls::load({.hosts = {to_tls_host(route.tls, {route.host})}});
    if (!tls) return std::unexpected(tls.error());
    for (const std::string& warning : (*tls)->warnings()) problems.push_back(odd(index, warning));
  }
  Result<void> named = listen->names.add(host_of(route), listen->groups.size());
  if (!named) return named;
  listen->groups.push_back(
      {.routes = {route}, .first = index, .shares = {}, .ends_tls = has_certificate(route.tls)});
  return {};
}

Result<void> TcpRoutes::finish(Listen& listen, std::vector<Problem>& problems) {
  net::ServerTlsOptions options;
  for (Group& group : listen.groups) {
    std::vector<int> weights;
    for (const config::TcpRoute& route : group.routes) weights.push_back(route.weight);
    std::vector<std::string> warnings;
    group.shares = shares_of(weights, warnings);
    for (std::string& warning : warnings) problems.push_back(odd(group.first, std::move(warning)));
    const config::TcpRoute& route = group.routes.front();
    if (group.ends_tls) options.hosts.push_back(to_tls_host(route.tls, {route.host}));
  }
  listen.one_for_all = listen.groups.size() == 1 && listen.names.find("").has_value();
  if (options.hosts.empty()) return {};
  Result<std::shared_ptr<const net::ServerTls>> tls = net::ServerTls::load(options);
  if (!tls) {
    return std::unexpected(std::move(tls).error().in("TCP routes on " + listen.endpoint.str()));
  }
  listen.tls = *std::move(tls);
  return {};
}

Result<TcpRoutes::Made> TcpRoutes::make(const std::vector<config::TcpRoute>& routes) {
  auto made = std::make_shared<TcpRoutes>();
  Made out;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    Result<void> added = made->add(routes[i], i, out.problems);
    if (added) continue;
    out.problems.push_back(
        {.of = Problem::Of::kTcpRoute, .index = i, .reason = added.error().message});
  }
  // Of an address whose routes are all wrong.
  std::erase_if(made->listens_, [](const Listen& listen) { return listen.groups.empty(); });
  for (Listen& listen : made->listens_) {
    Result<void> finished = made->finish(listen, out.problems);
    if (!finished) return fail(std::move(finished));
  }
  out.routes = std::move(made);
  return out;
}

}  // namespace gatehouse::gateway
