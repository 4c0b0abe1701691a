#include "gateway/upstream/service_cluster.h"

#include <algorithm>
#include <utility>

#include "gateway/upstream/counted_answer.h"
#include "gateway/upstream/origin.h"
#include "gateway/upstream/retry.h"

namespace gatehouse::gateway::upstream {
namespace {

using std::chrono::milliseconds;

std::shared_ptr<net::ConnectionCounts> make_counts(net::Loop& loop,
                                                   const config::CircuitBreakers& limits) {
  constexpr std::size_t kNone = net::ConnectionCounts::kNoLimit;
  auto counts = std::make_shared<net::ConnectionCounts>(loop);
  counts->open_limit = limits.connections == 0 ? kNone : limits.connections;
  counts->waiting_limit = limits.pending_requests == 0 ? kNone : limits.pending_requests;
  return counts;
}

ServiceAddresses::Settings address_settings(const config::Upstream& settings,
                                            const http::Url& url) {
  return {.host = url.host,
          .respect_ttl = settings.respect_dns_ttl,
          .ipv4 = settings.ipv4,
          .ipv6 = settings.ipv6,
          .logical = settings.dns == "logical",
          .always_used = !settings.health_checks.empty()};
}

bool is_cancelled(const http::Request& request) {
  return request.cancellation != nullptr && request.cancellation->cancelled();
}

std::unexpected<Error> nobody_waits() {
  return fail(ErrorCode::kCancelled, "nobody waits for the answer any more");
}

/// It is the address's fault, and the gateway would answer 502, 503 or 504 for it.
bool counts_as_failure(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kTimeout ||
         code == ErrorCode::kCorrupt;
}

bool could_not_connect(net::HttpClient::Progress progress, ErrorCode code) {
  return progress == net::HttpClient::Progress::kUnsent &&
         (code == ErrorCode::kUnavailable || code == ErrorCode::kTimeout);
}

BreakerStatus status_of(const Breaker& breaker) {
  return {.limit = breaker.limit, .now = breaker.now, .refused = breaker.refused};
}

BreakerStatus status_of(std::size_t limit, std::size_t now, std::uint64_t refused) {
  const bool none = limit == net::ConnectionCounts::kNoLimit;
  return {.limit = none ? 0 : limit, .now = now, .refused = refused};
}

}  // namespace

ServiceCluster::ServiceCluster(config::Upstream settings, http::Url url, Parts parts)
    : settings_(std::move(settings)),
      url_(std::move(url)),
      authority_(url_.authority()),
      service_(std::make_shared<const std::string>(settings_.service)),
      parts_(std::move(parts)),
      random_(parts_.entropy),
      balancer_(settings_.load_balancer.policy, random_),
      stickiness_(settings_.load_balancer, parts_.entropy),
      outliers_(settings_.outlier_detection),
      connections_(make_counts(parts_.loop, settings_.circuit_breakers)),
      requests_(std::make_shared<Breaker>(settings_.circuit_breakers.requests)),
      retries_(std::make_shared<Breaker>(settings_.circuit_breakers.retries)),
      recovery_(parts_.loop, [this] { recover(); }),
      addresses_(parts_.loop, parts_.resolver, address_settings(settings_, url_),
                 [this](const std::vector<std::string>& found) { set_addresses(found); }) {}

ServiceCluster::~ServiceCluster() {
  // Answers under way keep their endpoints, and nothing more.
  for (const EndpointPtr& endpoint : balancer_.endpoints()) endpoint->checks.clear();
}

Task<Result<http::Response>> ServiceCluster::send(http::Request& request, SendOptions options) {
  const std::shared_ptr<ServiceCluster> self = shared_from_this();
  std::optional<BreakerPlace> place = BreakerPlace::enter(requests_);
  if (!place) co_return fail(ErrorCode::kExhausted, authority_ + ": too many requests under way");
  addresses_.use();
  if (!addresses_.known()) {
    Result<void> found = co_await wait_for_addresses();
    if (!found) co_return fail(std::move(found));
  }
  if (request.authority.empty()) request.authority = authority_;
  Attempts attempts;
  if (balancer_.hashes()) attempts.key = stickiness_.key_of(request, options.client, random_);
  if (options.response_timeout.count() > 0) {
    attempts.deadline = parts_.loop.now() + options.response_timeout;
  }
  // Behind those that wait for a connection already.
  Next next = connections_->queue.empty() ? Next::kAtOnce : Next::kWhenThereIsRoom;
  while (true) {
    if (next == Next::kWhenThereIsRoom) {
      Result<void> room = co_await wait_for_room(request, attempts);
      if (!room) co_return fail(std::move(room));
    }
    if (next == Next::kAfterWait) {
      const milliseconds wait = backoff(attempts.retries++, random_);
      co_await parts_.loop.sleep(wait);
    }
    if (is_cancelled(request)) co_return nobody_waits();
    // The answer that is not delivered gives its connection back before the next wait.
    Use use(pick(attempts));
    request.trace.upstream = use->name;
    request.trace.service = service_;
    Progress progress = Progress::kUnsent;
    Result<http::Response> answer =
        co_await use->client->send(request, timeouts(options, attempts), &progress);
    note(*use, answer, progress);
    next = judge(request, options, attempts, *use, answer, progress);
    if (next == Next::kDeliver) {
      if (!answer) co_return std::unexpected(std::move(answer).error());
      if (attempts.key.set_cookie) answer->headers.add("Set-Cookie", *attempts.key.set_cookie);
      count_until_end(*answer, std::move(use), *std::move(place));
      co_return answer;
    }
  }
}

Task<Result<void>> ServiceCluster::wait_for_addresses() {
  const auto waiting = net::WaitingRequest::enter(connections_.get());
  if (!waiting) {
    co_return fail(ErrorCode::kExhausted, authority_ + ": too many requests wait for its address");
  }
  Result<void> found = co_await addresses_.first();
  co_return found;
}

Task<Result<void>> ServiceCluster::wait_for_room(const http::Request& request, Attempts& attempts) {
  const auto waiting = net::WaitingRequest::enter(connections_.get());
  if (!waiting) {
    co_return fail(ErrorCode::kExhausted,
                   authority_ + ": too many requests wait for one of its connections");
  }
  attempts.has_waited = true;
  attempts.made_room = false;
  const bool room = co_await net::RoomWait(*connections_, attempts.deadline);
  if (!room) {
    co_return fail(ErrorCode::kTimeout, authority_ + ": no connection became free in time");
  }
  if (is_cancelled(request)) {
    connections_->room_for_one();  // the next one's
    co_return nobody_waits();
  }
  co_return Result<void>();
}

EndpointPtr ServiceCluster::pick(const Attempts& attempts) {
  see_health();
  EndpointPtr fresh = balancer_.pick(attempts.key.hash, attempts.tried);
  return fresh ? fresh : balancer_.pick(attempts.key.hash, {});
}

net::HttpClient::Timeouts ServiceCluster::timeouts(const SendOptions& options,
                                                   const Attempts& attempts) const {
  milliseconds response = options.response_timeout;
  if (attempts.deadline && (attempts.has_waited || !attempts.tried.empty())) {
    const auto left = std::chrono::ceil<milliseconds>(*attempts.deadline - parts_.loop.now());
    response = std::max(left, milliseconds(1));  // 0 would be none
  }
  const milliseconds each = options.retry ? options.retry->per_try_timeout : milliseconds(0);
  if (each.count() > 0 && (response.count() == 0 || each < response)) response = each;
  return {.response = response, .idle = options.idle_timeout};
}

/// What is to be done about the outcome of an attempt.
ServiceCluster::Next ServiceCluster::judge(const http::Request& request, const SendOptions& options,
                                           Attempts& attempts, const Endpoint& endpoint,
                                           const Result<http::Response>& answer,
                                           Progress progress) {
  attempts.retrying.reset();
  const config::RetryPolicy* const policy = options.retry;
  const bool begun = request.body.stream != nullptr && (answer || progress != Progress::kUnsent);
  if (answer) {
    if (policy == nullptr || begun || !retries_status(*policy, answer->status)) {
      return Next::kDeliver;
    }
    attempts.tried.add(endpoint);
    return may_retry(*policy, attempts) ? Next::kAfterWait : Next::kDeliver;
  }
  const ErrorCode code = answer.error().code;
  if (code == ErrorCode::kExhausted && progress == Progress::kUnsent &&
      connections_->open >= connections_->open_limit) {
    const bool made_room = !std::exchange(attempts.made_room, true) && make_room();
    return made_room ? Next::kAtOnce : Next::kWhenThereIsRoom;
  }
  if (could_not_connect(progress, code) && try_another(attempts, endpoint)) return Next::kAtOnce;
  // An upstream that has not looked at it, because it closes, has no objection to another try (RFC
  // 9113 §8.7).
  if (progress == Progress::kRefused && !begun && !std::exchange(attempts.was_refused, true)) {
    return Next::kAtOnce;
  }
  attempts.tried.add(endpoint);
  if (policy == nullptr || begun || !retries_failure(*policy, progress, code)) {
    return Next::kDeliver;
  }
  return may_retry(*policy, attempts) ? Next::kAfterWait : Next::kDeliver;
}

bool ServiceCluster::is_late(const Attempts& attempts) const {
  return attempts.deadline && parts_.loop.now() >= *attempts.deadline;
}

bool ServiceCluster::try_another(Attempts& attempts, const Endpoint& endpoint) {
  attempts.tried.add(endpoint);
  return !attempts.tried.full() && !is_late(attempts) &&
         balancer_.pick(attempts.key.hash, attempts.tried) != nullptr;
}

bool ServiceCluster::may_retry(const config::RetryPolicy& policy, Attempts& attempts) {
  if (attempts.retries >= policy.retries || is_late(attempts)) return false;
  if (!within_retry_budget(retries_->now, requests_->now)) {
    ++retries_->refused;
    return false;
  }
  std::optional<BreakerPlace> place = BreakerPlace::enter(retries_);
  if (!place) return false;
  attempts.retrying.emplace(*std::move(place));
  ++retried_;
  return true;
}

void ServiceCluster::note(Endpoint& endpoint, const Result<http::Response>& answer,
                          Progress progress) {
  const bool none_was_free = !answer && answer.error().code == ErrorCode::kExhausted;
  if (none_was_free && progress == Progress::kUnsent) return;
  ++endpoint.requests;
  ++attempts_;
  if (answer && answer->status < 500) {
    outliers_.record(endpoint.outlier, false, 0, 0, {});
    note_connection(endpoint, true);
    return;
  }
  if (answer) {
    note_connection(endpoint, true);
    note_failure(endpoint, "answered " + std::to_string(answer->status));
    return;
  }
  if (!counts_as_failure(answer.error().code)) return;
  note_connection(endpoint, !could_not_connect(progress, answer.error().code));
  note_failure(endpoint, answer.error().message);
}

void ServiceCluster::note_failure(Endpoint& endpoint, std::string error) {
  ++endpoint.failures;
  ++failed_attempts_;
  endpoint.last_error = std::move(error);
  const bool out = outliers_.record(endpoint.outlier, true, balancer_.endpoints().size(), ejected(),
                                    parts_.loop.now());
  if (out) update();
}

void ServiceCluster::note_connection(Endpoint& endpoint, bool connected) {
  if (connected) {
    endpoint.refused_for = milliseconds(0);
    if (!endpoint.refused_until) return;
    endpoint.refused_until.reset();
  } else {
    // Those that were under way together are one failure.
    if (endpoint.refused_until) return;
    endpoint.refused_for = std::clamp(2 * endpoint.refused_for, kFirstRefusal, kLongestRefusal);
    endpoint.refused_until = parts_.loop.now() + endpoint.refused_for;
  }
  update();
}

/// At the limit of connections, one that idles at another address gives way.
bool ServiceCluster::make_room() {
  if (connections_->open < connections_->open_limit) return false;
  return std::ranges::any_of(balancer_.endpoints(), [](const EndpointPtr& endpoint) {
    return endpoint->client->close_idle();
  });
}

Task<Result<Connection>> ServiceCluster::connect(Client client) {
  const std::shared_ptr<ServiceCluster> self = shared_from_this();
  std::optional<BreakerPlace> place = BreakerPlace::enter(requests_);
  if (!place) co_return fail(ErrorCode::kExhausted, authority_ + ": too many are under way");
  if (connections_->open >= connections_->open_limit && !make_room()) {
    ++connections_->open_refused;
    co_return fail(ErrorCode::kExhausted, authority_ + ": too many connections are open");
  }
  net::CountedConnection counted(connections_);
  addresses_.use();
  if (!addresses_.known()) {
    Result<void> found = co_await wait_for_addresses();
    if (!found) co_return fail(std::move(found));
  }
  Attempts attempts;
  if (balancer_.hashes()) attempts.key = stickiness_.key_of(http::Request(), client, random_);
  while (true) {
    Use use(pick(attempts));
    net::ConnectOptions options = connect_options(settings_, url_, parts_.tls);
    Result<std::unique_ptr<net::Stream>> stream =
        co_await net::connect(parts_.loop, use->address, url_.port, std::move(options));
    ++use->requests;
    ++attempts_;
    note_connection(*use, stream.has_value());
    if (stream) {
      const std::string name = use->name;
      co_return Connection{.address = name,
                           .use = std::move(use),
                           .place = *std::move(place),
                           .counted = std::move(counted),
                           .stream = *std::move(stream)};
    }
    note_failure(*use, stream.error().message);
    if (!try_another(attempts, *use)) co_return fail(std::move(stream));
  }
}

void ServiceCluster::set_addresses(const std::vector<std::string>& addresses) {
  std::vector<EndpointPtr> endpoints;
  for (const std::string& address : addresses) {
    const auto known = std::ranges::find(balancer_.endpoints(), address, &Endpoint::address);
    endpoints.push_back(known == balancer_.endpoints().end() ? make_endpoint(address) : *known);
  }
  for (const EndpointPtr& old : balancer_.endpoints()) {
    // What is under way there goes on; nothing is asked of it any more.
    if (std::ranges::find(endpoints, old) == endpoints.end()) old->checks.clear();
  }
  balancer_.set_endpoints(std::move(endpoints));
  update();
}

EndpointPtr ServiceCluster::make_endpoint(const std::string& address) {
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->address = address;
  endpoint->name = net::Endpoint{.host = address, .port = url_.port}.str();
  net::ClientOptions options = client_options(settings_, parts_.tls, connections_);
  options.address = address;
  endpoint->client = net::HttpClient::make(parts_.loop, parts_.resolver, url_, std::move(options));
  add_checks(*endpoint);
  return endpoint;
}

/// The health checks' own connections are none of the service's limits: a service at its limit is
/// not unwell.
void ServiceCluster::add_checks(Endpoint& endpoint) {
  for (const config::HealthCheck& check : settings_.health_checks) {
    config::Upstream settings = settings_;
    if (check.kind == "grpc") settings.protocol = "http2";
    if (settings.connect_timeout.count() == 0 || check.timeout < settings.connect_timeout) {
      settings.connect_timeout = check.timeout;
    }
    settings.pool_idle_timeout = 2 * check.interval;
    net::ClientOptions options = client_options(settings, parts_.tls, nullptr);
    options.address = endpoint.address;
    endpoint.checks.push_back(std::make_unique<HealthCheck>(
        parts_.loop, check,
        net::HttpClient::make(parts_.loop, parts_.resolver, url_, std::move(options)),
        parts_.board.entry(HealthCheck::key(settings_, check, endpoint.name)), random_));
  }
}

/// No lock, and no more than a look at a number that is rarely written.
void ServiceCluster::see_health() {
  if (settings_.health_checks.empty()) return;
  const std::uint64_t changes = parts_.board.changes();
  if (changes == seen_health_) return;
  seen_health_ = changes;
  balancer_.update(parts_.loop.now());
}

/// Brings back what has been out for its time.
void ServiceCluster::recover() {
  const MonotonicTime now = parts_.loop.now();
  for (const EndpointPtr& endpoint : balancer_.endpoints()) {
    outliers_.restore(endpoint->outlier, now);
    if (endpoint->refused_until && *endpoint->refused_until <= now) endpoint->refused_until.reset();
  }
  update();
}

void ServiceCluster::update() {
  balancer_.update(parts_.loop.now());
  std::optional<MonotonicTime> next;
  const auto consider = [&next](const std::optional<MonotonicTime>& at) {
    if (at && (!next || *at < *next)) next = at;
  };
  for (const EndpointPtr& endpoint : balancer_.endpoints()) {
    consider(endpoint->outlier.ejected_until);
    consider(endpoint->refused_until);
  }
  if (next) {
    recovery_.set(*next);
  } else {
    recovery_.cancel();
  }
}

std::size_t ServiceCluster::ejected() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      balancer_.endpoints(),
      [](const EndpointPtr& endpoint) { return endpoint->outlier.ejected_until.has_value(); }));
}

ClusterStatus ServiceCluster::status() const {
  ClusterStatus out{.service = settings_.service,
                    .endpoints = {},
                    .dns_error = addresses_.error(),
                    .panic = balancer_.panics()};
  for (const EndpointPtr& endpoint : balancer_.endpoints()) {
    EndpointStatus& status = out.endpoints.emplace_back();
    status.address = endpoint->name;
    status.healthy = endpoint->healthy();
    status.ejected = endpoint->outlier.ejected_until.has_value();
    status.refused = endpoint->refused_until.has_value();
    status.active_requests = endpoint->active;
    status.connections = endpoint->client->connections();
    status.requests = endpoint->requests;
    status.failures = endpoint->failures;
    status.last_error = endpoint->last_error;
    for (const auto& check : endpoint->checks) {
      const std::string error = check->entry().last_error();
      if (!error.empty()) status.last_error = error;
    }
  }
  out.connections =
      status_of(connections_->open_limit, connections_->open, connections_->open_refused);
  out.pending =
      status_of(connections_->waiting_limit, connections_->waiting, connections_->waiting_refused);
  out.requests = status_of(*requests_);
  out.retries = status_of(*retries_);
  out.attempts = attempts_;
  out.failed_attempts = failed_attempts_;
  out.retried = retried_;
  return out;
}

}  // namespace gatehouse::gateway::upstream
