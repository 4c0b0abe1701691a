#include "app/worker.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "app/sample_services.h"
#include "http/url.h"

namespace gatehouse::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kIdentityRound = 60s;

/// The sample services are reached over their socket, like any upstream.
void route_to_samples(config::Gateway& gateway, const net::Endpoint& endpoint) {
  for (config::Route& route : gateway.routes) {
    if (route.upstream.service == kSampleService)
      route.upstream.service = "http://" + endpoint.str();
  }
}

}  // namespace

Worker::Worker(std::size_t index, const Plan& plan, Common& common)
    : index_(index),
      plan_(plan),
      common_(common),
      loop_(common.clock),
      resolver_(net::Resolver::make(loop_)) {}

Worker::~Worker() = default;

Result<std::unique_ptr<Worker>> Worker::open(std::size_t index, Plan& plan, Common& common,
                                             const Certificates& certificates) {
  std::unique_ptr<Worker> worker(new Worker(index, plan, common));
  Result<void> made = worker->make_samples();
  if (made) made = worker->listen(plan, certificates, /*samples=*/true);
  if (made) made = worker->make_identity();
  if (made) made = worker->make_gatekeeper();
  if (made) made = worker->make_gateway();
  worker->make_operations();
  if (made) made = worker->listen(plan, certificates, /*samples=*/false);
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

Result<void> Worker::make_gateway() {
  if (!plan_.serves(Service::kGateway)) return {};
  const config::Gateway& settings = plan_.settings.gateway;
  http::Authorizer* authorizer = gatekeeper_.get();
  if (settings.authorizer.kind == "http") {
    Result<std::unique_ptr<http::Authorizer>> remote = gateway::make_http_authorizer(
        settings, {.loop = loop_, .resolver = *resolver_, .log = common_.log});
    if (!remote) return fail(std::move(remote));
    authorizer_ = std::move(*remote);
    authorizer = authorizer_.get();
  } else if (settings.authorizer.kind == "none") {
    authorizer_ = gateway::make_open_authorizer(settings);
    authorizer = authorizer_.get();
  }
  if (authorizer == nullptr) {
    return fail(ErrorCode::kInvalid,
                "gateway.authorizer.kind: gatekeeper is not in this process; say http, with "
                "authorizer.url, when the gateway runs alone");
  }
  gateway::Gateway::Parts parts{.loop = loop_,
                                .resolver = *resolver_,
                                .authorizer = *authorizer,
                                .local = {},
                                .entropy = common_.entropy,
                                .log = common_.log};
  if (identity_) parts.local["identity"] = identity_.get();
  if (gatekeeper_) parts.local["gatekeeper"] = gatekeeper_.get();
  Result<std::unique_ptr<gateway::Gateway>> gateway = gateway::Gateway::make(settings, parts);
  if (!gateway) return fail(std::move(gateway));
  gateway_ = std::move(*gateway);
  return {};
}

void Worker::make_operations() {
  observer_ = gateway::make_observer(plan_.settings.gateway, *common_.metrics, common_.log);
  if (!plan_.serves(Service::kOperations)) return;
  operations_ = gateway::make_operations(*common_.metrics, [this] {
    return common_.ready && (!common_.gatekeeper || common_.gatekeeper->ready()) &&
           (!common_.identity || common_.identity->ready());
  });
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
    net::Listener::Options options;
    options.endpoint = planned.endpoint;
    options.tls = certificates[i];
    options.connection_limit = plan.settings.gateway.limits.connections;
    Result<std::unique_ptr<net::HttpServer>> server = net::HttpServer::open(
        loop_, std::move(options), server_options(plan.settings.gateway.limits),
        *handler_of(planned.service), observer_of(planned.service));
    if (!server) return fail(std::move(server));
    planned.endpoint = (*server)->endpoint();
    if (samples) route_to_samples(plan.settings.gateway, planned.endpoint);
    servers_.push_back({planned.service, std::move(*server)});
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
  for (const Served& served : servers_) {
    if ((served.service == Service::kSamples) != samples) continue;
    ++draining_;
    loop_.spawn([](Worker& self, Task<void> drained) -> Task<void> {
      co_await std::move(drained);
      --self.draining_;
      self.go_on_when_idle();
    }(*this, served.server->drain(limit)));
  }
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

void Worker::set_certificates(Certificates certificates) {
  loop_.post([this, fresh = std::move(certificates)] {
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      if (fresh[i]) servers_[i].server->set_tls(fresh[i]);
    }
  });
}

}  // namespace gatehouse::app
