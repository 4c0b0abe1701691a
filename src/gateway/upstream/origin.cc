#include "gateway/upstream/origin.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "gateway/upstream/health_check.h"
#include "gateway/upstream/stickiness.h"

namespace gatehouse::gateway::upstream {
namespace {

template <std::size_t kSize>
Result<void> one_of(const std::array<std::string_view, kSize>& allowed, const std::string& value,
                    const std::string& name) {
  if (std::ranges::find(allowed, value) != allowed.end()) return {};
  std::string message = name + " \"" + value + "\" is none of";
  for (const std::string_view each : allowed) message.append(" ").append(each);
  return fail(ErrorCode::kInvalid, std::move(message));
}

Result<void> check_words(const config::Upstream& settings) {
  constexpr std::array<std::string_view, 3> kProtocols = {"auto", "http1", "http2"};
  constexpr std::array<std::string_view, 2> kDns = {"strict", "logical"};
  constexpr std::array<std::string_view, 4> kPolicies = {"round_robin", "least_request",
                                                         "ring_hash", "maglev"};
  Result<void> checked = one_of(kProtocols, settings.protocol, "protocol");
  if (checked) checked = one_of(kDns, settings.dns, "dns");
  if (checked) checked = one_of(kPolicies, settings.load_balancer.policy, "load_balancer.policy");
  if (checked) checked = Stickiness::check(settings.load_balancer);
  for (const config::HealthCheck& each : settings.health_checks) {
    if (checked) checked = HealthCheck::validate(each);
  }
  return checked;
}

net::ClientOptions::Protocol protocol(const std::string& name) {
  using Protocol = net::ClientOptions::Protocol;
  if (name == "http1") return Protocol::kHttp1;
  if (name == "http2") return Protocol::kHttp2;
  return Protocol::kByAlpn;
}

net::TcpKeepAlive keep_alive(const config::Upstream& settings) {
  return {.idle = settings.keepalive_idle,
          .interval = settings.keepalive_interval,
          .probes = settings.keepalive_probes};
}

}  // namespace

Result<http::Url> check(const config::Upstream& settings) {
  Result<http::Url> url = http::parse_url(settings.service);
  if (!url) return url;
  if (url->path != "/" || !url->query.empty()) {
    return fail(ErrorCode::kInvalid,
                "must end with the host and port; a path belongs into rewrite");
  }
  if (!settings.ipv4 && !settings.ipv6) {
    return fail(ErrorCode::kInvalid, "ipv4 and ipv6 are both off, so there is no address to use");
  }
  Result<void> words = check_words(settings);
  if (!words) return fail(std::move(words));
  return url;
}

Result<std::shared_ptr<const net::ClientTls>> load_tls(const config::UpstreamTls& settings) {
  return net::ClientTls::load({.ca_file = settings.ca_file,
                               .ca_pem = settings.ca_pem,
                               .client_certificate_file = settings.certificate,
                               .client_key_file = settings.key,
                               .client_certificate_pem = settings.certificate_pem,
                               .client_key_pem = settings.key_pem});
}

net::ClientOptions client_options(const config::Upstream& settings,
                                  std::shared_ptr<const net::ClientTls> tls,
                                  std::shared_ptr<net::ConnectionCounts> counts) {
  net::ClientOptions options;
  options.protocol = protocol(settings.protocol);
  options.connect_timeout = settings.connect_timeout;
  options.pool_idle_timeout = settings.pool_idle_timeout;
  options.connection_lifetime = settings.connection_lifetime;
  options.connections = net::ConnectionCounts::kNoLimit;
  options.shared_counts = std::move(counts);
  options.tls = std::move(tls);
  options.server_name = settings.tls.server_name;
  options.keep_alive = keep_alive(settings);
  return options;
}

net::ConnectOptions connect_options(const config::Upstream& settings, const http::Url& url,
                                    std::shared_ptr<const net::ClientTls> tls) {
  net::ConnectOptions options;
  options.timeout = settings.connect_timeout;
  options.keep_alive = keep_alive(settings);
  options.tls = std::move(tls);
  options.server_name = settings.tls.server_name.empty() ? url.host : settings.tls.server_name;
  options.alpn.clear();  // whatever the bytes are, both ends know it without
  return options;
}

}  // namespace gatehouse::gateway::upstream
