#include "app/worker.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "app/sample_services.h"
#include "base/thread_memory.h"
#include "http/trusted_proxies.h"
#include "http/url.h"
#include "net/http_client.h"

namespace gatehouse::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kIdentityRound = 60s;
constexpr auto kPublishInterval = 1s;

/// The samples stand for programs of other people, and operators are told of the drain itself.
bool is_drained_last(Service service) {
  return service == Service::kSamples || service == Service::kOperations;
}

/// Some route lets CONNECT pass.
bool may_connect(const config::Gateway& settings) {
  return std::ranges::any_of(settings.routes, [](const config::Route& route) {
    return std::ranges::find(route.upgrades, http::kConnect) != route.upgrades.end();
  });
}

}  // namespace

Worker::Worker(std::size_t index, Plan& plan, Common& common, std::shared_ptr<Serving> serving)
    : index_(index),
      plan_(plan),
      common_(common),
      serving_(std::move(serving)),
      loop_(common.clock),
      entropy_(common.entropy),
      resolver_(net::Resolver::make(loop_)),
      counts_(&common.metrics->add_loop()),
      publishing_(loop_, [this] {
        publish();
        ThreadMemory::trim();
      }) {}

Worker::~Worker() = default;

Result<std::unique_ptr<Worker>> Worker::open(std::size_t index, Plan& plan, Common& common,
                                             std::shared_ptr<Serving> serving) {
  std::unique_ptr<Worker> worker(new Worker(index, plan, common, std::move(serving)));
  Result<void> made = worker->make_samples();
  if (made) made = worker->listen(/*samples=*/true);
  if (made) made = worker->make_identity();
  if (made) made = worker->make_gatekeeper();
  if (made) made = worker->compile_gateway();
  if (made) made = worker->make_observer();
  if (made) made = worker->make_gateway();
  worker->make_operations();
  if (made) made = worker->listen(/*samples=*/false);
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
    options.tls = common_.provider_tls;
    provider_client_ = net::HttpClient::make(loop_, *resolver_, std::move(*origin), options);
  }
  gatekeeper_ = gatekeeper::Gatekeeper::make(common_.gatekeeper, store(), *provider_client_,
                                             entropy_, common_.clock);
  return {};
}

/// The samples' port is known now.
Result<void> Worker::compile_gateway() {
  if (serving_->gateway || !plan_.serves(Service::kGateway)) return {};
  route_to_samples(plan_, plan_.settings.gateway);
  Result<CompiledSources> compiled =
      compile_sources(std::move(plan_.settings.gateway), common_.rate_limits, common_.good.get());
  if (!compiled) return fail(std::move(compiled));
  serving_->gateway = std::move(compiled->gateway);
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
                                .entropy = entropy_,
                                .authorizer_counts = &counts_->authorizer,
                                .tracing = [this] { return observer_->tracing(); },
                                .log = common_.log};
  if (identity_) parts.local["identity"] = identity_.get();
  if (gatekeeper_) parts.local["gatekeeper"] = gatekeeper_.get();
  health_ = gateway::make_health([this] { return is_ready(); });
  parts.local["health"] = health_.get();
  Result<std::unique_ptr<gateway::Gateway>> gateway =
      gateway::Gateway::make(serving_->gateway, parts);
  if (!gateway) return fail(std::move(gateway));
  gateway_ = std::move(*gateway);
  if (index_ != 0) return {};
  Result<std::vector<std::string>> services = judge_services(*gateway_);
  if (!services) return fail(std::move(services));
  common_.report.add(std::move(*services), {});
  return {};
}

/// What a connection of any listener is held to, by the configuration.
net::Listener::Options Worker::listener_limits(const config::Gateway& settings,
                                               Service service) const {
  net::Listener::Options options;
  options.connection_limit = settings.limits.connections;
  // A probe gets through, however many clients come by its address.
  const bool counted = service != Service::kOperations;
  options.connections_per_address = counted ? settings.limits.connections_per_address : 0;
  options.address_counts = common_.address_counts;
  options.limit_counts = &counts_->limits;
  const Result<http::TrustedProxies> trusted =
      http::TrustedProxies::parse(settings.trusted_proxies);
  if (trusted) options.uncounted = std::make_shared<const http::TrustedProxies>(*trusted);
  return options;
}

net::ServerOptions Worker::server_limits(const config::Gateway& settings, Service service) const {
  net::ServerOptions options = server_options(settings.limits);
  options.limit_counts = &counts_->limits;
  options.limits.connect = service == Service::kGateway && may_connect(settings);
  return options;
}

Task<Result<gateway::TcpProxy::Upstream>> Worker::connect_tcp(const config::TcpRoute& route) {
  Result<std::shared_ptr<gateway::upstream::Cluster>> cluster = gateway_->cluster(route.upstream);
  if (!cluster) co_return fail(std::move(cluster));
  Result<gateway::upstream::Connection> connected = co_await (*cluster)->connect({});
  if (!connected) {
    common_.log->warn("upstream failed: TCP route {}: {}", route.name, connected.error().message);
    co_return fail(std::move(connected));
  }
  auto counted = std::make_shared<gateway::upstream::Connection>(std::move(*connected));
  std::unique_ptr<net::Stream> stream = std::move(counted->stream);
  std::string address = counted->address;
  co_return gateway::TcpProxy::Upstream{
      .counted = std::move(counted), .stream = std::move(stream), .address = std::move(address)};
}

/// TCP mappings: connections that are passed on as they are.
Result<void> Worker::make_tcp() {
  if (!gateway_) return {};
  gateway::TcpProxy::Options options;
  options.listener = listener_limits(serving_->gateway->settings(), Service::kGateway);
  options.connect = [this](const config::TcpRoute& route) { return connect_tcp(route); };
  options.observe = [this](const gateway::TcpOutcome& outcome) { observer_->ended(outcome); };
  Result<std::unique_ptr<gateway::TcpProxy>> proxy =
      gateway::TcpProxy::open(loop_, serving_->tcp, std::move(options));
  if (!proxy) return fail(std::move(proxy));
  tcp_ = std::move(*proxy);
  return {};
}

Result<void> Worker::make_observer() {
  gateway::LoopObserver::Parts parts{.loop = loop_,
                                     .resolver = *resolver_,
                                     .metrics = *counts_,
                                     .entropy = entropy_,
                                     .log = common_.log,
                                     .access_log_file = serving_->access_log.get()};
  Result<std::unique_ptr<gateway::LoopObserver>> observer =
      gateway::LoopObserver::make(gateway_settings(), std::move(parts));
  if (!observer) return fail(std::move(observer));
  observer_ = std::move(*observer);
  return {};
}

void Worker::make_operations() {
  if (!plan_.serves(Service::kOperations)) return;
  operations_ = gateway::make_operations({.metrics = *common_.metrics,
                                          .ready = [this] { return is_ready(); },
                                          .diagnose = [this] { return diagnose(); }});
}

/// Requests may come.
bool Worker::is_ready() const {
  return common_.ready && (!common_.gatekeeper || common_.gatekeeper->ready()) &&
         (!common_.identity || common_.identity->ready());
}

gateway::DiagnosticSnapshot Worker::diagnose() const {
  gateway::DiagnosticSnapshot out;
  out.version = GATEHOUSE_VERSION;
  out.ready = is_ready();
  out.started = common_.started;
  out.taken = common_.clock.now();
  if (gateway_) {
    const gateway::CompiledGateway& compiled = gateway_->compiled();
    out.authorizer = authorizer_text(compiled.settings().authorizer);
    out.routes = route_views(compiled, common_.metrics->hits());
  }
  out.clusters = common_.clusters.views();
  for (const PlannedListener& listener : serving_->listeners) {
    if (listener.service == Service::kSamples) continue;
    out.listeners.push_back({.address = listener.endpoint.str(),
                             .protocol = listener.tls ? "https" : "http",
                             .serves = std::string(name_of(listener.service))});
  }
  if (tcp_) {
    for (const net::Endpoint& endpoint : tcp_->endpoints()) {
      out.listeners.push_back({.address = endpoint.str(), .protocol = "tcp", .serves = "gateway"});
    }
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
  for (const auto& server : leaving_) connections += server->connections();
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

const config::Gateway& Worker::gateway_settings() const {
  return serving_->gateway ? serving_->gateway->settings() : plan_.settings.gateway;
}

Result<void> Worker::listen(bool samples) {
  for (std::size_t i = 0; i < serving_->listeners.size(); ++i) {
    PlannedListener& planned = serving_->listeners[i];
    if ((planned.service == Service::kSamples) != samples) continue;
    Result<Served> served = open_server(planned, gateway_settings());
    if (!served) return fail(std::move(served));
    if (plan_.listeners[i].endpoint.port == 0) plan_.listeners[i].endpoint = planned.endpoint;
    servers_.push_back(std::move(*served));
  }
  return {};
}

Result<Worker::Served> Worker::open_server(PlannedListener& planned,
                                           const config::Gateway& settings) {
  net::Listener::Options options = listener_limits(settings, planned.service);
  options.endpoint = planned.endpoint;
  options.tls = planned.tls;
  options.proxy_protocol = planned.settings.proxy_protocol;
  options.cleartext_too = planned.settings.cleartext_too;
  options.index = planned.index;
  Result<std::unique_ptr<net::HttpServer>> server =
      net::HttpServer::open(loop_, std::move(options), server_limits(settings, planned.service),
                            *handler_of(planned.service), observer_of(planned.service));
  if (!server) return fail(std::move(server));
  // Known from then on: the other loops only read it.
  if (planned.endpoint.port == 0) planned.endpoint = (*server)->endpoint();
  return Served{.planned = planned, .server = std::move(*server)};
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

void Worker::dismiss() {
  loop_.post([this] {
    for (const Served& served : servers_) {
      if (!is_drained_last(served.planned.service)) served.server->dismiss();
    }
  });
}

void Worker::drain(std::function<void()> drained) {
  loop_.post([this, drained = std::move(drained)]() mutable {
    when_idle_ = std::move(drained);
    for (const auto& round : rounds_) round->end([this] { go_on_when_idle(); });
    drain_servers(/*last=*/false, plan_.settings.drain_timeout);
  });
}

void Worker::end() {
  loop_.post([this] {
    when_idle_ = [this] { loop_.stop(); };
    drain_servers(/*last=*/true, std::chrono::milliseconds(0));
  });
}

void Worker::drain_servers(bool last, std::chrono::milliseconds limit) {
  ++draining_;  // one that is empty ends at once, before the others have begun
  for (const Served& served : servers_) {
    if (is_drained_last(served.planned.service) == last) {
      wait_for_end_of(served.server->drain(limit));
    }
  }
  if (tcp_ && !last) wait_for_end_of(tcp_->drain(limit));
  --draining_;
  go_on_when_idle();
}

void Worker::wait_for_end_of(Task<void> drain) {
  ++draining_;
  loop_.spawn([](Worker& self, Task<void> ended) -> Task<void> {
    co_await std::move(ended);
    --self.draining_;
    self.go_on_when_idle();
  }(*this, std::move(drain)));
}

void Worker::go_on_when_idle() {
  const bool busy = std::ranges::any_of(rounds_, [](const auto& round) { return !round->idle(); });
  if (draining_ > 0 || busy || !when_idle_) return;
  std::exchange(when_idle_, nullptr)();
}

void Worker::stop() {
  loop_.stop();
}

std::future<Result<Worker::Told>> Worker::reload(std::shared_ptr<Serving> fresh) {
  std::promise<Result<Told>> done;
  std::future<Result<Told>> result = done.get_future();
  loop_.post([this, fresh = std::move(fresh), done = std::move(done)]() mutable {
    done.set_value(change_to(fresh));
  });
  return result;
}

Result<Worker::Told> Worker::change_to(const std::shared_ptr<Serving>& fresh) {
  Result<std::vector<Served>> opened = open_new(*fresh);
  if (!opened) return fail(std::move(opened));
  Result<Told> changed = change_parts(*fresh);
  if (!changed) {
    // What was in force can be so again.
    static_cast<void>(change_parts(*serving_));
    return changed;
  }
  change_servers(*fresh, std::move(*opened));
  serving_ = fresh;
  return changed;
}

Result<std::vector<Worker::Served>> Worker::open_new(Serving& fresh) {
  std::vector<Served> out;
  for (PlannedListener& planned : fresh.listeners) {
    const bool is_served = std::ranges::any_of(
        servers_, [&](const Served& served) { return are_one(served.planned, planned); });
    if (is_served) continue;
    Result<Served> served = open_server(planned, fresh.gateway->settings());
    if (!served) return fail(std::move(served));
    out.push_back(std::move(*served));
  }
  return out;
}

Result<Worker::Told> Worker::change_parts(const Serving& fresh) {
  if (!gateway_) return Told();
  const config::Gateway& settings = fresh.gateway->settings();
  // The gateway takes over how the observer follows requests.
  Result<void> changed = observer_->use(settings, fresh.access_log.get());
  if (changed) changed = gateway_->use(fresh.gateway);
  Result<Told> services = Told();
  if (changed && index_ == 0) services = judge_services(*gateway_);
  if (changed && services) {
    changed = tcp_->set_routes(fresh.tcp, plan_.settings.drain_timeout);
  }
  if (!changed) return fail(std::move(changed));
  if (!services) return services;
  tcp_->set_limits(listener_limits(settings, Service::kGateway));
  observer_->set_routes(settings);
  return services;
}

void Worker::change_servers(const Serving& fresh, std::vector<Served> opened) {
  std::vector<Served> before = std::exchange(servers_, std::move(opened));
  for (Served& served : before) {
    const auto planned = std::ranges::find_if(
        fresh.listeners,
        [&](const PlannedListener& listener) { return are_one(served.planned, listener); });
    if (planned == fresh.listeners.end()) {
      let_go(std::move(served.server));
      continue;
    }
    served.planned = *planned;
    if (planned->tls) served.server->set_tls(planned->tls);
    servers_.push_back(std::move(served));
  }
  if (!fresh.gateway) return;
  const config::Gateway& settings = fresh.gateway->settings();
  for (const Served& served : servers_) {
    served.server->set_limits(listener_limits(settings, served.planned.service),
                              server_limits(settings, served.planned.service));
  }
}

/// As at the end of the process.
void Worker::let_go(std::unique_ptr<net::HttpServer> server) {
  net::HttpServer& leaving = *leaving_.emplace_back(std::move(server));
  wait_for_end_of([](Worker& self, net::HttpServer& drained) -> Task<void> {
    co_await drained.drain(self.plan_.settings.drain_timeout);
    std::erase_if(self.leaving_, [&](const auto& each) { return each.get() == &drained; });
  }(*this, leaving));
}

}  // namespace gatehouse::app
