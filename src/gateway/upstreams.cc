#include "gateway/upstreams.h"

#include <utility>

#include "gateway/routing/route_name.h"

namespace gatehouse::gateway {
namespace {

std::string at(const config::Route& route) {
  return "route \"" + route_name(route) + "\": service";
}

}  // namespace

Result<net::ClientOptions> client_options(const http::Url& url,
                                          std::chrono::milliseconds connect_timeout,
                                          const std::string& ca_file) {
  net::ClientOptions options;
  options.connect_timeout = connect_timeout;
  if (url.scheme != "https") return options;
  Result<std::shared_ptr<const net::ClientTls>> tls = net::ClientTls::load({.ca_file = ca_file});
  if (!tls) return fail(std::move(tls));
  options.tls = std::move(*tls);
  return options;
}

Result<Destination> Upstreams::destination(const config::Route& route) {
  Result<http::Url> url = http::parse_url(route.upstream.service);
  if (!url) return std::unexpected(std::move(url).error().in(at(route)));
  if (url->path != "/" || !url->query.empty()) {
    return fail(ErrorCode::kInvalid,
                at(route) + ": must end with the host and port; a path belongs into rewrite");
  }
  const std::string authority = url->authority();
  std::unique_ptr<net::HttpClient>& client =
      clients_[Key{url->origin(), route.upstream.tls.ca_file, route.upstream.connect_timeout}];
  if (!client) {
    Result<net::ClientOptions> options =
        client_options(*url, route.upstream.connect_timeout, route.upstream.tls.ca_file);
    if (!options) return std::unexpected(std::move(options).error().in(at(route)));
    client = net::HttpClient::make(*loop_, *resolver_, std::move(*url), std::move(*options));
  }
  return Destination{.upstream = client.get(), .origin = authority};
}

Result<std::vector<Destination>> Upstreams::destinations(
    const std::vector<config::Route>& routes, const std::map<std::string, http::Handler*>& local) {
  std::vector<Destination> out;
  for (const config::Route& route : routes) {
    const auto found = local.find(route.upstream.service);
    if (found != local.end()) {
      out.push_back(Destination{.local = found->second});
      continue;
    }
    if (!route.upstream.service.contains("://")) {
      return fail(ErrorCode::kInvalid, at(route) + " \"" + route.upstream.service +
                                           "\" is neither an http(s) URL nor a role of this "
                                           "process");
    }
    Result<Destination> upstream = destination(route);
    if (!upstream) return fail(std::move(upstream));
    out.push_back(std::move(*upstream));
  }
  return out;
}

}  // namespace gatehouse::gateway
