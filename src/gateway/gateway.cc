#include "gateway/gateway.h"

#include <utility>

#include "gateway/authz/external_authorizer.h"
#include "gateway/proxy.h"
#include "gateway/upstream/clusters.h"

namespace gatehouse::gateway {
namespace {

/// Lets everyone pass. Only for a configuration that says `authorizer.kind: none`.
class OpenAuthorizer final : public http::Authorizer {
 public:
  explicit OpenAuthorizer(const config::Gateway& settings)
      : managed_headers_(settings.managed_headers), private_cookies_(settings.private_cookies) {}
  Task<http::Verdict> judge(const http::Request& /*request*/) override { co_return allow_; }
  const http::Allow* allowed_at_once(const http::Request& /*request*/) override { return &allow_; }
  const std::vector<std::string>& managed_headers() const override { return managed_headers_; }
  const std::vector<std::string>& private_cookies() const override { return private_cookies_; }

 private:
  const http::Allow allow_;
  const std::vector<std::string> managed_headers_, private_cookies_;
};

/// What the configuration and the authorizer name, in one list.
std::vector<std::string> both(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// A Proxy on its loop: with the clusters it forwards to and the timer of its rechecks.
class LoopGateway final : public Gateway {
 public:
  explicit LoopGateway(Parts parts)
      : parts_(std::move(parts)),
        clusters_({parts_.loop, parts_.resolver, parts_.health, parts_.entropy}),
        timer_(parts_.loop, [this] { recheck(); }) {}

  Result<void> use(std::shared_ptr<const CompiledGateway> compiled) override;
  const std::vector<Problem>& service_problems() const override { return service_problems_; }
  const CompiledGateway& compiled() const override { return *proxy_->in_force().gateway; }
  std::vector<upstream::ClusterStatus> clusters() const override { return clusters_.status(); }
  Result<std::shared_ptr<upstream::Cluster>> cluster(const config::Upstream& settings) override {
    return clusters_.get(settings);
  }
  Task<http::Response> handle(http::Request& request) override { return proxy_->handle(request); }

 private:
  Result<std::shared_ptr<http::Authorizer>> authorizer_for(const config::Gateway& settings);
  std::vector<Destination> destinations_of(const CompiledGateway& compiled);
  void recheck();

  const Parts parts_;
  upstream::Clusters clusters_;
  std::unique_ptr<Proxy> proxy_;  // null until the first use()
  std::vector<Problem> service_problems_;
  net::Loop::Timer timer_;
};

Result<void> LoopGateway::use(std::shared_ptr<const CompiledGateway> compiled) {
  const config::Gateway& settings = compiled->settings();
  Result<std::shared_ptr<http::Authorizer>> authorizer = authorizer_for(settings);
  if (!authorizer) return fail(std::move(authorizer));
  IdentityHeaders identity(both(settings.managed_headers, (*authorizer)->managed_headers()),
                           both(settings.private_cookies, (*authorizer)->private_cookies()));
  std::vector<Destination> destinations = destinations_of(*compiled);
  auto in_force = std::make_shared<const InForce>(std::move(compiled), std::move(*authorizer),
                                                  std::move(identity), std::move(destinations),
                                                  parts_.tracing ? parts_.tracing() : nullptr);
  if (proxy_) {
    proxy_->use(std::move(in_force));
    return {};
  }
  proxy_ = std::make_unique<Proxy>(Proxy::Parts{.loop = parts_.loop,
                                                .entropy = parts_.entropy,
                                                .ids = RequestIds(parts_.entropy),
                                                .log = parts_.log},
                                   std::move(in_force));
  proxy_->open_exchanges().on_first([this] {
    if (!timer_.armed()) timer_.set_after(this->compiled().settings().recheck_interval);
  });
  return {};
}

Result<std::shared_ptr<http::Authorizer>> LoopGateway::authorizer_for(
    const config::Gateway& settings) {
  const std::string& kind = settings.authorizer.kind;
  if (kind == "gatekeeper") {
    if (parts_.gatekeeper != nullptr) {
      return std::shared_ptr<http::Authorizer>(std::shared_ptr<void>(), parts_.gatekeeper);
    }
    return fail(ErrorCode::kInvalid,
                "gateway.authorizer.kind: gatekeeper is not in this process; say http or grpc, "
                "with authorizer.url, when the gateway runs alone");
  }
  if (proxy_) {
    const InForce& now = proxy_->in_force();
    const config::Gateway& before = now.gateway->settings();
    const bool same = before.authorizer == settings.authorizer &&
                      before.managed_headers == settings.managed_headers &&
                      before.private_cookies == settings.private_cookies &&
                      before.trusted_proxies == settings.trusted_proxies;
    if (same) return now.authorizer;
  }
  if (kind == "none") return std::make_shared<OpenAuthorizer>(settings);
  const ExternalAuthorizerParts parts{.loop = parts_.loop,
                                      .resolver = parts_.resolver,
                                      .counts = parts_.authorizer_counts,
                                      .log = parts_.log};
  Result<std::unique_ptr<http::Authorizer>> made = kind == "grpc"
                                                       ? make_grpc_authorizer(settings, parts)
                                                       : make_http_authorizer(settings, parts);
  if (!made) return fail(std::move(made));
  return std::shared_ptr<http::Authorizer>(std::move(*made));
}

std::vector<Destination> LoopGateway::destinations_of(const CompiledGateway& compiled) {
  service_problems_.clear();
  std::vector<Destination> out;
  const std::size_t count = compiled.settings().routes.size();
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const config::Route& route = compiled.route(i);
    Destination& to = out.emplace_back();
    if (is_redirect(route.redirect)) continue;
    const auto local = parts_.local.find(route.upstream.service);
    if (local != parts_.local.end()) {
      to.local = local->second;
      continue;
    }
    Result<std::shared_ptr<upstream::Cluster>> cluster = clusters_.get(route.upstream);
    if (cluster) {
      to.cluster = std::move(*cluster);
    } else {
      service_problems_.push_back(
          {Problem::Of::kRoute, i, "service: " + std::move(cluster).error().message, false});
    }
  }
  return out;
}

void LoopGateway::recheck() {
  proxy_->open_exchanges().turn(parts_.loop.now());
  if (proxy_->open_exchanges().size() > 0) {
    timer_.set_after(compiled().settings().recheck_interval);
  }
}

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::make(std::shared_ptr<const CompiledGateway> compiled,
                                               Parts parts) {
  auto gateway = std::make_unique<LoopGateway>(std::move(parts));
  Result<void> used = gateway->use(std::move(compiled));
  if (!used) return fail(std::move(used));
  return gateway;
}

std::unique_ptr<http::Handler> make_health(std::function<bool()> ready) {
  return std::make_unique<Health>(std::move(ready));
}

std::unique_ptr<http::Handler> make_operations(Operations::Parts parts) {
  return std::make_unique<Operations>(std::move(parts));
}

}  // namespace gatehouse::gateway
