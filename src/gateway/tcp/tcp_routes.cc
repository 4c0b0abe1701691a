#include "gateway/tcp/tcp_routes.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "gateway/tls_hosts.h"

namespace gatehouse::gateway {

namespace {

constexpr int kAll = 100;  // percent

std::unexpected<Error> bad(const config::TcpRoute& route, std::string_view what) {
  return fail(ErrorCode::kInvalid,
              "TCP route \"" + route.name + "\" (" + route.listen + "): " + std::string(what));
}

/// Those without a weight get what the others leave, equally; if all have one, their sum is all.
Result<void> share_out(TcpRoutes::Group& group) {
  const auto weighed = [](int sum, const config::TcpRoute& route) {
    return sum + std::max(route.weight, 0);
  };
  const int given = std::accumulate(group.routes.begin(), group.routes.end(), 0, weighed);
  const auto rest = std::ranges::count_if(
      group.routes, [](const config::TcpRoute& route) { return route.weight < 0; });
  if (given > kAll) return bad(group.routes.front(), "weights of one host are above 100 in all");
  if (given == 0 && rest == 0) {
    return bad(group.routes.front(), "the weights of one host are all 0; give one at least");
  }
  const int all = rest == 0 ? given : kAll;
  for (const config::TcpRoute& route : group.routes) {
    const double share = route.weight < 0 ? double(all - given) / double(rest) : route.weight;
    group.shares.push_back(share / all);
  }
  return {};
}

}  // namespace

Result<void> TcpRoutes::add(const config::TcpRoute& route) {
  const Result<net::Endpoint> endpoint = net::parse_endpoint(route.listen);
  if (!endpoint) return bad(route, endpoint.error().message);
  auto listen = std::ranges::find(listens_, endpoint->str(),
                                  [](const Listen& each) { return each.endpoint.str(); });
  if (listen == listens_.end()) listen = listens_.insert(listen, Listen{.endpoint = *endpoint});
  const std::string host = route.host.empty() ? "*" : route.host;
  const auto same_host = [&host](const Group& group) {
    const std::string& other = group.routes.front().host;
    return (other.empty() ? "*" : other) == host;
  };
  auto group = std::ranges::find_if(listen->groups, same_host);
  if (group == listen->groups.end()) {
    const Result<void> named = listen->names.add(host, listen->groups.size());
    if (!named) return bad(route, named.error().message);
    group = listen->groups.insert(group, Group{});
  } else if (!(group->routes.front().tls == route.tls)) {
    return bad(route, "another route for the same host has other TLS settings; give both the same");
  }
  group->routes.push_back(route);
  return {};
}

Result<void> TcpRoutes::finish(Listen& listen) {
  net::ServerTlsOptions options;
  for (Group& group : listen.groups) {
    Result<void> shared = share_out(group);
    if (!shared) return shared;
    const config::TcpRoute& route = group.routes.front();
    group.ends_tls = has_certificate(route.tls);
    if (group.ends_tls) options.hosts.push_back(to_tls_host(route.tls, {route.host}));
  }
  listen.one_for_all = listen.groups.size() == 1 && listen.names.find("").has_value();
  if (options.hosts.empty()) return {};
  Result<std::shared_ptr<const net::ServerTls>> tls = net::ServerTls::load(options);
  if (!tls) {
    return std::unexpected(std::move(tls).error().in("TCP routes on " + listen.endpoint.str()));
  }
  std::ranges::copy((*tls)->warnings(), std::back_inserter(warnings_));
  listen.tls = *std::move(tls);
  return {};
}

Result<std::shared_ptr<const TcpRoutes>> TcpRoutes::make(
    const std::vector<config::TcpRoute>& routes) {
  auto made = std::make_shared<TcpRoutes>();
  for (const config::TcpRoute& route : routes) {
    Result<void> added = made->add(route);
    if (!added) return fail(std::move(added));
  }
  for (Listen& listen : made->listens_) {
    Result<void> finished = made->finish(listen);
    if (!finished) return fail(std::move(finished));
  }
  return made;
}

}  // namespace gatehouse::gateway
