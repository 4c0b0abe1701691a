#include "gateway/gateway.h"

#include <utility>
#include <vector>

#include "gateway/access_log.h"
#include "gateway/operations.h"
#include "gateway/proxy.h"
#include "gateway/route_name.h"
#include "gateway/upstreams.h"
#include "http/url.h"

namespace gatehouse::gateway {
namespace {

bool leads_to_authorizer(const config::Route& route, const config::AuthorizerSettings& authorizer) {
  if (authorizer.kind != "http") return false;
  const Result<http::Url> service = http::parse_url(route.upstream.service);
  const Result<http::Url> judge = http::parse_url(authorizer.url);
  return service && judge && service->origin() == judge->origin();
}

/// A Proxy on its loop: with the clients it forwards to and the timer of its rechecks.
class LoopGateway final : public Gateway {
 public:
  LoopGateway(Upstreams upstreams, Proxy::Parts proxy, net::Loop& loop,
              std::chrono::milliseconds recheck_interval)
      : upstreams_(std::move(upstreams)),
        proxy_(std::move(proxy)),
        loop_(loop),
        interval_(recheck_interval),
        timer_(loop, [this] { recheck(); }) {
    proxy_.open_exchanges().on_first([this] {
      if (!timer_.armed()) timer_.set_after(interval_);
    });
  }

  Task<http::Response> handle(http::Request& request) override { return proxy_.handle(request); }

 private:
  void recheck() {
    proxy_.open_exchanges().turn(loop_.now());
    if (proxy_.open_exchanges().size() > 0) timer_.set_after(interval_);
  }

  Upstreams upstreams_;
  Proxy proxy_;
  net::Loop& loop_;
  const std::chrono::milliseconds interval_;
  net::Loop::Timer timer_;
};

class OpenAuthorizer final : public http::Authorizer {
 public:
  explicit OpenAuthorizer(const config::Gateway& settings)
      : managed_headers_(settings.managed_headers), private_cookies_(settings.private_cookies) {}
  Task<http::Verdict> judge(const http::Request& /*request*/) override { co_return http::Allow{}; }
  const std::vector<std::string>& managed_headers() const override { return managed_headers_; }
  const std::vector<std::string>& private_cookies() const override { return private_cookies_; }

 private:
  const std::vector<std::string> managed_headers_, private_cookies_;
};

/// Tells one exchange to several.
class Observers final : public net::ExchangeObserver {
 public:
  Observers(net::ExchangeObserver& metrics, std::unique_ptr<net::ExchangeObserver> log)
      : metrics_(metrics), log_(std::move(log)) {}
  void ended(const net::Exchange& exchange) override {
    metrics_.ended(exchange);
    if (log_) log_->ended(exchange);
  }

 private:
  net::ExchangeObserver& metrics_;
  std::unique_ptr<net::ExchangeObserver> log_;
};

/// What the configuration and the authorizer name, in one list.
std::vector<std::string> both(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::make(const config::Gateway& settings, Parts parts) {
  std::vector<config::Route> routes = settings.routes;
  for (config::Route& route : routes) route.name = route_name(route);
  Result<RouteTable> table = RouteTable::make(routes);
  if (!table) return fail(std::move(table));
  Result<http::TrustedProxies> trusted = http::TrustedProxies::parse(settings.trusted_proxies);
  if (!trusted) return fail(std::move(trusted));
  const int status = settings.authorizer.status_on_error;
  if (status < 400 || status > 599) {
    return fail(ErrorCode::kInvalid, "gateway.authorizer.status_on_error must be 400 to 599");
  }
  Upstreams upstreams(parts.loop, parts.resolver);
  Result<std::vector<Destination>> destinations = upstreams.destinations(routes, parts.local);
  if (!destinations) return fail(std::move(destinations));
  for (std::size_t i = 0; i < routes.size(); ++i) {
    (*destinations)[i].authorizer = leads_to_authorizer(routes[i], settings.authorizer);
  }

  Proxy::Parts proxy{.routes = std::move(routes),
                     .destinations = std::move(*destinations),
                     .table = std::move(*table),
                     .authorizer = parts.authorizer,
                     .identity = IdentityHeaders(
                         both(settings.managed_headers, parts.authorizer.managed_headers()),
                         both(settings.private_cookies, parts.authorizer.private_cookies())),
                     .forwarded = Forwarded(std::move(*trusted)),
                     .ids = RequestIds(parts.entropy),
                     .status_on_error = status,
                     .log = std::move(parts.log)};
  return std::make_unique<LoopGateway>(std::move(upstreams), std::move(proxy), parts.loop,
                                       settings.recheck_interval);
}

std::unique_ptr<http::Authorizer> make_open_authorizer(const config::Gateway& settings) {
  return std::make_unique<OpenAuthorizer>(settings);
}

std::unique_ptr<net::ExchangeObserver> make_observer(const config::Gateway& settings,
                                                     Metrics& metrics,
                                                     std::shared_ptr<spdlog::logger> log) {
  std::unique_ptr<net::ExchangeObserver> access_log;
  if (settings.access_log.form != "off" && log) {
    const auto format =
        settings.access_log.form == "json" ? AccessLog::Format::kJson : AccessLog::Format::kText;
    access_log = std::make_unique<AccessLog>(std::move(log), format);
  }
  return std::make_unique<Observers>(metrics.add_shard(), std::move(access_log));
}

std::unique_ptr<http::Handler> make_operations(const Metrics& metrics,
                                               std::function<bool()> ready) {
  return std::make_unique<Operations>(metrics, std::move(ready));
}

}  // namespace gatehouse::gateway
