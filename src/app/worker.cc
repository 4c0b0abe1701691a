#include "app/worker.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "app/gateway_compilation.h"
#include "app/listener_tls.h"
#include "app/sample_services.h"
#include "gateway/tcp/tcp_routes.h"
#include "http/trusted_proxies.h"
#include "http/url.h"

namespace gatehouse::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kIdentityRound = 60s;
constexpr auto kPublishInterval = 1s;

/// What a connection of any listener is held to, by the configuration.
net::Listener::Options limits_of(const config::Gateway& settings,
                                 const std::shared_ptr<net::AddressCounts>& counts) {
  net::Listener::Options options;
  options.connection_limit = settings.limits.connections;
  options.connections_per_address = settings.limits.connections_per_address;
  options.address_counts = counts;
  const Result<http::TrustedProxies> trusted =
      http::TrustedProxies::parse(settings.trusted_proxies);
  if (trusted) options.uncounted = std::make_shared<const http::TrustedProxies>(*trusted);
  return options;
}

}  // namespace

Worker::Worker(std::size_t index, Plan& plan, Common& common)
    : index_(index),
      plan_(plan),
      common_(common),
      loop_(common.clock),
      resolver_(net::Resolver::make(loop_)),
      counts_(&common.metrics->add_loop()),
      publishing_(loop_, [this] { publish(); }) {}

Worker::~Worker() = default;

Result<std::unique_ptr<Worker>> Worker::open(std::size_t index, Plan& plan, Common& common,
                                             const Certificates& certificates) {
  std::unique_ptr<Worker> worker(new Worker(index, plan, common));
  Result<void> made = worker->make_samples();
  if (made) made = worker->listen(plan, certificates, /*samples=*/true);
  if (made) made = worker->make_identity();
  if (made) made = worker->make_gatekeeper();
  if (made) made = worker->compile_gateway();
  if (made) made = worker->make_observer();
  if (made) made = worker->make_gateway();
  worker->make_operations();
  if (made) made = worker->listen(plan, certificates, /*samples=*/false);
  if (made) made = worker->make_tcp();
  if (!made) return fail(std::move(made));
  return worker;
}

store::Store Worker::store() {
  return store::Store(loop_, *common_.database_thread, *common_.database);
}

Result<void> Worker::make_samples() {
  if (plan_.serves(Service::kSamples)) samples_ = make_sample_services(loop_);
  return {};
}

Result<void> Worker::make_identity() {
  if (!plan_.has_identity()) return {};
  identity_ =
      identity::Provider::make(common_.identity, loop_, store(), common_.entropy, common_.clock);
  return {};
}

Result<void> Worker::make_gatekeeper() {
  if (!plan_.has_gatekeeper()) return {};
  if (plan_.built_in_provider()) {
    provider_client_ = std::make_unique<http::HandlerClient>(*identity_);
  } else {
    const config::Gatekeeper& settings = plan_.settings.gatekeeper;
    Result<http::Url> origin =
        http::parse_url(settings.provider_url.empty() ? settings.issuer : settings.provider_url);
    if (!origin) return fail(std::move(origin));
    net::ClientOptions options;
    options.response_timeout = 10s;
    options.tls = common_.client_tls;
    provider_client_ = net::HttpClient::make(loop_, *resolver_, std::move(*origin), options);
  }
  gatekeeper_ = gatekeeper::Gatekeeper::make(common_.gatekeeper, store(), *provider_client_,
                                             common_.entropy, common_.clock);
  return {};
}

Result<void> Worker::compile_gateway() {
  if (common_.compiled || !plan_.serves(Service::kGateway)) return {};
  route_to_samples(plan_, plan_.settings.gateway);
  Result<CompiledSources> compiled =
      compile_sources(plan_.settings.gateway, common_.rate_limits, common_.good.get());
  if (!compiled) return fail(std::move(compiled));
  common_.compiled = std::move(compiled->gateway);
  for (const std::string& text : compiled->problems) common_.log->error("wrong: {}", text);
  for (const std::string& text : compiled->warnings) common_.log->warn("{}", text);
  common_.report.add(std::move(compiled->problems), std::move(compiled->warnings));
  return {};
}

Result<void> Worker::make_gateway() {
  if (!plan_.serves(Service::kGateway)) return {};
  gateway::Gateway::Parts parts{.loop = loop_,
                                .resolver = *resolver_,
                                .health = common_.health,
                                .gatekeeper = gatekeeper_.get(),
                                .local = {},
                                .entropy = common_.entropy,
                                .authorizer_counts = &counts_->authorizer,
                                .tracing = observer_->tracing(),
                                .log = common_.log};
  if (identity_) parts.local["identity"] = identity_.get();
  if (gatekeeper_) parts.local["gatekeeper"] = gatekeeper_.get();
  Result<std::unique_ptr<gateway::Gateway>> gateway =
      gateway::Gateway::make(common_.compiled, parts);
  if (!gateway) return fail(std::move(gateway));
  gateway_ = std::move(*gateway);
  if (index_ != 0) return {};
  Result<std::vector<std::string>> services = judge_services(*gateway_);
  if (!services) return fail(std::move(services));
  tell_services(std::move(*services));
  return {};
}

void Worker::tell_services(std::vector<std::string> problems) {
  for (const std::string& text : problems) common_.log->error("answers 503: {}", text);
  common_.report.add(std::move(problems), {});
}

Task<Result<std::unique_ptr<net::Stream>>> Worker::connect_tcp(const config::TcpRoute& route) {
  Result<std::shared_ptr<gateway::upstream::Cluster>> cluster = gateway_->cluster(route.upstream);
  if (!cluster) co_return fail(std::move(cluster));
  Result<gateway::upstream::Connection> connected = co_await (*cluster)->connect({});
  if (!connected) co_return fail(std::move(connected));
  co_return std::move(connected->stream);
}

/// TCP mappings: connections that are passed on as they are.
Result<void> Worker::make_tcp() {
  const std::vector<config::TcpRoute>& routes = plan_.settings.gateway.tcp;
  if (routes.empty() || !gateway_) return {};
  Result<std::shared_ptr<const gateway::TcpRoutes>> compiled = gateway::TcpRoutes::make(routes);
  if (!compiled) return fail(std::move(compiled));
  gateway::TcpProxy::Options options;
  options.listener = limits_of(plan_.settings.gateway, common_.address_counts);
  options.listener.limit_counts = &counts_->limits;
  options.connect = [this](const config::TcpRoute& route) { return connect_tcp(route); };
  Result<std::unique_ptr<gateway::TcpProxy>> proxy =
      gateway::TcpProxy::open(loop_, std::move(*compiled), std::move(options));
  if (!proxy) return fail(std::move(proxy));
  tcp_ = std::move(*proxy);
  return {};
}

Result<void> Worker::make_observer() {
  gateway::LoopObserver::Parts parts{.loop = loop_,
                                     .resolver = *resolver_,
                                     .metrics = *counts_,
                                     .entropy = common_.entropy,
                                     .log = common_.log,
                                     .access_log_file = common_.access_log};
  Result<std::unique_ptr<gateway::LoopObserver>> observer =
      gateway::LoopObserver::make(plan_.settings.gateway, std::move(parts));
  if (!observer) return fail(std::move(observer));
  observer_ = std::move(*observer);
  return {};
}

void Worker::make_operations() {
  if (!plan_.serves(Service::kOperations)) return;
  const auto ready = [this] {
    return common_.ready && (!common_.gatekeeper || common_.gatekeeper->ready()) &&
           (!common_.identity || common_.identity->ready());
  };
  operations_ = gateway::make_operations(
      {.metrics = *common_.metrics, .ready = ready, .diagnose = [this, ready] {
         gateway::DiagnosticSnapshot snapshot = diagnose();
         snapshot.ready = ready();
         return snapshot;
       }});
}

gateway::DiagnosticSnapshot Worker::diagnose() const {
  gateway::DiagnosticSnapshot out;
  out.version = GATEHOUSE_VERSION;
  out.started = common_.started;
  out.taken = common_.clock.now();
  if (gateway_) {
    const gateway::CompiledGateway& compiled = gateway_->compiled();
    out.authorizer = authorizer_text(compiled.settings().authorizer);
    out.routes = route_views(compiled, common_.metrics->hits());
  }
  out.clusters = common_.clusters.views();
  for (const PlannedListener& listener : plan_.listeners) {
    if (listener.service == Service::kSamples) continue;
    out.listeners.push_back({.address = listener.endpoint.str(),
                             .protocol = has_certificate(listener.settings.tls) ? "https" : "http",
                             .serves = std::string(name_of(listener.service))});
  }
  for (std::string& text : common_.report.problems())
    out.problems.push_back({.what = std::move(text)});
  for (std::string& text : common_.report.warnings()) {
    out.problems.push_back({.is_error = false, .what = std::move(text)});
  }
  out.reloads = common_.metrics->reloads().entries();
  return out;
}

void Worker::publish() {
  std::size_t connections = 0;
  for (const Served& served : servers_) connections += served.server->connections();
  counts_->connections.set(connections);
  if (gateway_) common_.clusters.set(index_, gateway_->clusters());
  publishing_.set_after(kPublishInterval);
}

http::Handler* Worker::handler_of(Service service) {
  switch (service) {
    case Service::kGateway:
      return gateway_.get();
    case Service::kGatekeeper:
      return &gatekeeper_->external_authorization();
    case Service::kIdentity:
      return identity_.get();
    case Service::kSamples:
      return samples_.get();
    case Service::kOperations:
      return operations_.get();
  }
  return nullptr;
}

net::ExchangeObserver* Worker::observer_of(Service service) {
  // The samples stand for programs of other people, and scrapers would drown the log.
  const bool watched = service != Service::kSamples && service != Service::kOperations;
  return watched ? observer_.get() : nullptr;
}

Result<void> Worker::listen(Plan& plan, const Certificates& certificates, bool samples) {
  for (std::size_t i = 0; i < plan.listeners.size(); ++i) {
    PlannedListener& planned = plan.listeners[i];
    if ((planned.service == Service::kSamples) != samples) continue;
    net::Listener::Options options = limits_of(plan.settings.gateway, common_.address_counts);
    options.endpoint = planned.endpoint;
    options.tls = certificates[i];
    options.proxy_protocol = planned.settings.proxy_protocol;
    options.cleartext_too = planned.settings.cleartext_too;
    options.index = planned.index;
    options.limit_counts = &counts_->limits;
    net::ServerOptions serving = server_options(plan.settings.gateway.limits);
    serving.limit_counts = &counts_->limits;
    Result<std::unique_ptr<net::HttpServer>> server =
        net::HttpServer::open(loop_, std::move(options), std::move(serving),
                              *handler_of(planned.service), observer_of(planned.service));
    if (!server) return fail(std::move(server));
    planned.endpoint = (*server)->endpoint();
    servers_.push_back({planned.service, i, std::move(*server)});
  }
  return {};
}

Round::Round(net::Loop& loop, std::shared_ptr<spdlog::logger> log, std::chrono::milliseconds every,
             std::function<Task<void>()> work)
    : log_(std::move(log)),
      every_(every),
      work_(std::move(work)),
      timer_(loop, [&loop, this] { loop.spawn(turn()); }) {
  timer_.set_after(every_);
}

Task<void> Round::turn() {
  running_ = true;
  co_await work();
  running_ = false;
  if (ended_) {
    ended_();
  } else {
    timer_.set_after(every_);
  }
}

Task<void> Round::work() {
  try {
    co_await work_();
  } catch (const std::exception& thrown) {
    log_->error("a round of maintenance failed: {}", thrown.what());
  }
}

void Round::end(std::function<void()> ended) {
  timer_.cancel();
  ended_ = std::move(ended);
}

void Worker::make_rounds() {
  // One loop does it for all.
  if (index_ != 0) return;
  if (gatekeeper_) {
    rounds_.push_back(std::make_unique<Round>(loop_, common_.log,
                                              plan_.settings.gatekeeper.revocation_poll,
                                              [this] { return gatekeeper_->maintain(); }));
  }
  if (identity_) {
    rounds_.push_back(std::make_unique<Round>(loop_, common_.log, kIdentityRound,
                                              [this] { return identity_->maintain(); }));
  }
}

void Worker::run() {
  make_rounds();
  publish();
  loop_.run();
}

void Worker::drain(std::function<void()> drained) {
  loop_.post([this, drained = std::move(drained)]() mutable {
    when_idle_ = std::move(drained);
    for (const auto& round : rounds_) round->end([this] { go_on_when_idle(); });
    drain_servers(/*samples=*/false, plan_.settings.drain_timeout);
  });
}

void Worker::end() {
  loop_.post([this] {
    when_idle_ = [this] { loop_.stop(); };
    drain_servers(/*samples=*/true, std::chrono::milliseconds(0));
  });
}

void Worker::drain_servers(bool samples, std::chrono::milliseconds limit) {
  const auto wait_for = [this](Task<void> drained) {
    ++draining_;
    loop_.spawn([](Worker& self, Task<void> ended) -> Task<void> {
      co_await std::move(ended);
      --self.draining_;
      self.go_on_when_idle();
    }(*this, std::move(drained)));
  };
  for (const Served& served : servers_) {
    if ((served.service == Service::kSamples) == samples) wait_for(served.server->drain(limit));
  }
  if (tcp_ && !samples) wait_for(tcp_->drain(limit));
  go_on_when_idle();
}

void Worker::go_on_when_idle() {
  const bool busy = std::ranges::any_of(rounds_, [](const auto& round) { return !round->idle(); });
  if (draining_ > 0 || busy || !when_idle_) return;
  std::exchange(when_idle_, nullptr)();
}

void Worker::stop() {
  loop_.stop();
}

void Worker::reload(std::shared_ptr<const gateway::CompiledGateway> compiled,
                    Certificates certificates) {
  loop_.post([this, compiled = std::move(compiled), fresh = std::move(certificates)] {
    for (Served& served : servers_) {
      if (fresh[served.planned]) served.server->set_tls(fresh[served.planned]);
    }
    if (!compiled || !gateway_) return;
    const config::Gateway& settings = compiled->settings();
    const net::Listener::Options limits = limits_of(settings, common_.address_counts);
    net::ServerOptions serving = server_options(settings.limits);
    serving.limit_counts = &counts_->limits;
    for (Served& served : servers_) served.server->set_limits(limits, serving);
    const Result<void> used = gateway_->use(compiled);
    if (!used) common_.log->error("not reloaded: {}", used.error().message);
    if (used) observer_->set_routes(settings.routes);
    if (!used || index_ != 0) return;
    Result<std::vector<std::string>> services = judge_services(*gateway_);
    if (services) return tell_services(std::move(*services));
    tell_services({services.error().message});
  });
}

}  // namespace gatehouse::app
