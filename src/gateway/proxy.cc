#include "gateway/proxy.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "gateway/authz/allow_edits.h"
#include "gateway/authz/body_buffer.h"
#include "gateway/error_page.h"
#include "gateway/filters/body_limit.h"
#include "gateway/filters/grpc_web.h"
#include "gateway/kept_answer.h"

namespace gatehouse::gateway {
namespace {

/// Trailers of requests end here: a trailer could repeat an identity header behind the gateway's
/// back, and RFC 9110 §6.5.1 lets an intermediary discard them.
class WithoutTrailers final : public http::BodyReader {
 public:
  explicit WithoutTrailers(std::unique_ptr<http::BodyReader> body) : body_(std::move(body)) {}
  Task<Result<std::string_view>> read() override { return body_->read(); }
  bool ready() const override { return body_->ready(); }

 private:
  std::unique_ptr<http::BodyReader> body_;
};

/// The TLS handshake asked for another host than the request does (RFC 9110 §15.5.20): whoever
/// decided by the one would be deceived by the other. One that asked for none will do where nobody
/// is asked for a certificate.
bool is_misdirected(const http::Request& request, const HostPolicy& hosts) {
  if (!request.peer || !request.peer->tls) return false;
  if (request.peer->server_name.empty()) return hosts.asks_for_certificates(request.authority);
  return host_of(request.authority) != request.peer->server_name;
}

HttpsPort https_port(const http::Request& request, const config::Gateway& settings) {
  const bool known = request.peer && request.peer->listener < settings.listen.size();
  const bool both = known && settings.listen[request.peer->listener].cleartext_too;
  return both ? HttpsPort::kSame : HttpsPort::kDefault;
}

}  // namespace

struct Proxy::Exchange {
  Exchange(std::shared_ptr<const InForce> what, http::Request& asked)
      : in_force(std::move(what)), gateway(*in_force->gateway), request(asked) {}

  const config::Route& settings() const { return gateway.route(route); }
  const CompiledRoute& filters() const { return gateway.filters(route); }
  const Destination& destination() const { return in_force->destinations[route]; }
  bool allows_upgrade() const {
    const std::vector<std::string>& upgrades = settings().upgrades;
    return std::ranges::find(upgrades, request.upgrade) != upgrades.end();
  }

  const std::shared_ptr<const InForce> in_force;
  const CompiledGateway& gateway;
  http::Request& request;
  Client client;
  const RouteGroup* group = nullptr;  // null until it is known
  std::size_t route = 0;              // of the group: the one that answers
  http::Verdict verdict;
  const http::Allow* allow = nullptr;  // good until the next wait
  OpenExchanges::Watch watch;
  std::unique_ptr<http::Request> onward;  // what goes on to the service
  std::optional<GrpcWebCall> grpc_web;    // what the answer must be translated back to
};

Proxy::Proxy(Parts parts, std::shared_ptr<const InForce> in_force)
    : parts_(std::move(parts)),
      in_force_(std::move(in_force)),
      open_(in_force_->authorizer),
      shadows_(parts_.loop, parts_.entropy),
      random_(parts_.entropy),
      spare_(kSpareRequests) {}

void Proxy::use(std::shared_ptr<const InForce> in_force) {
  in_force_ = std::move(in_force);
  open_.use(in_force_->authorizer);
}

Task<http::Response> Proxy::handle(http::Request& request) {
  Exchange exchange(in_force_, request);
  Answer answer = begin(exchange);
  if (!answer && exchange.allow == nullptr) answer = co_await ask(exchange);
  if (!answer) answer = admit(exchange);
  if (!answer && may_be_sent_twice(exchange)) answer = co_await read_body(exchange);
  if (!answer) answer = prepare(exchange);
  if (!answer) {
    const Destination& to = exchange.destination();
    if (to.local != nullptr) {
      answer = co_await to.local->handle(*exchange.onward);
      bring_trace_back(exchange);
    } else {
      Result<http::Response> sent =
          co_await to.cluster->send(*exchange.onward, send_options(exchange));
      request.trace.upstream.swap(exchange.onward->trace.upstream);
      request.trace.service.swap(exchange.onward->trace.service);
      answer = take(exchange, std::move(sent));
    }
  }
  finish(exchange, *answer);
  co_return std::move(*answer);
}

// Before anybody is asked.

Proxy::Answer Proxy::begin(Exchange& exchange) {
  http::Request& request = exchange.request;
  const Forwarded& forwarded = exchange.gateway.forwarded();
  request.trace.request_id = forwarded.request_id(request);
  if (request.trace.request_id.empty()) request.trace.request_id = parts_.ids.next();
  exchange.client = forwarded.client(request);
  if (exchange.in_force->tracing) exchange.in_force->tracing->begin(request);
  Answer answer = check_host(exchange);
  if (!answer) answer = choose(exchange);
  if (!answer) answer = answer_by_route(exchange);
  if (!answer) answer = limit(exchange, RateLimiter::Stage::kBeforeVerdict);
  if (answer) return answer;
  if (!exchange.group->authenticate()) {
    exchange.allow = &unasked_;
  } else {
    request.auth_context = exchange.filters().auth_context;
    exchange.allow = exchange.in_force->authorizer->allowed_at_once(request);
  }
  return std::nullopt;
}

Proxy::Answer Proxy::check_host(const Exchange& exchange) const {
  http::Request& request = exchange.request;
  const AddressRules& addresses = exchange.gateway.addresses();
  if (!addresses.empty() && !addresses.permits(exchange.client.address)) {
    return refuse(request, {403, "address", "Requests from your address are not served."});
  }
  if (request.version == http::Version::kHttp10 && !exchange.gateway.settings().http10) {
    return refuse(request, {426, "http/1.0", "HTTP/1.1 is the least that is served here."});
  }
  const bool is_tunnel = request.upgrade == http::kConnect;
  if (request.method == "TRACE" || (request.method == "CONNECT" && !is_tunnel)) {
    return refuse(request, kMethodRefused);
  }
  if (request.target.merged_slashes() && !exchange.gateway.settings().merge_slashes) {
    return refuse(request, {400, "ambiguous path", "The path has empty segments."});
  }
  if (is_misdirected(request, exchange.gateway.hosts())) {
    return refuse(request, {421, "misdirected", "The request is for another host."});
  }
  switch (exchange.gateway.hosts().outcome(request, exchange.client.secure)) {
    case HostPolicy::Outcome::kRoute:
      return std::nullopt;
    case HostPolicy::Outcome::kUnknown:
      return refuse(request, {404, "unknown host", "There is no such site here."});
    case HostPolicy::Outcome::kReject:
      return refuse(request, {404, "insecure", "There is no such page here."});
    case HostPolicy::Outcome::kRedirect:
      break;
  }
  const std::optional<std::string> location =
      https_location(request, https_port(request, exchange.gateway.settings()));
  if (!location) return refuse(request, {400, "no host", "The request names no host."});
  request.trace.failure = "insecure";
  return http::redirect(301, *location);
}

Proxy::Answer Proxy::choose(Exchange& exchange) const {
  http::Request& request = exchange.request;
  const Result<const RouteGroup*, RouteTable::Miss> found = exchange.gateway.table().find(request);
  if (!found && found.error() == RouteTable::Miss::kAmbiguous) {
    return refuse(request, {400, "ambiguous path", "The path is ambiguous."});
  }
  if (!found) return refuse(request, {404, "no route", "There is no such page here."});
  exchange.group = *found;
  exchange.route = exchange.group->members().front().route;
  request.trace.route = exchange.settings().name;
  return std::nullopt;
}

Proxy::Answer Proxy::answer_by_route(Exchange& exchange) const {
  http::Request& request = exchange.request;
  if (Answer refused = refuse_connect(exchange)) return refused;
  if (Answer preflight = exchange.filters().cors.preflight(request)) return preflight;
  const RouteActions& actions = exchange.gateway.table().actions(exchange.route);
  if (actions.redirection) {
    const std::optional<std::string> location =
        actions.redirection->location(request, exchange.client.secure);
    if (location) return http::redirect(actions.redirection->status(), *location);
    return refuse(request, {400, "ambiguous path", "The path is ambiguous."});
  }
  // HTTP/1.1 may ignore what it is asked to switch to (RFC 9110 §7.8); HTTP/2 has to say no.
  const bool upgrades = !request.upgrade.empty();
  if (upgrades && request.version == http::Version::kHttp2 && !exchange.allows_upgrade()) {
    return refuse(request, {501, "upgrade", "This page does not speak that protocol."});
  }
  const Result<void> short_enough =
      limit_body(request, exchange.gateway.settings().limits.body_bytes);
  if (!short_enough) return refuse(request, {413, kBodyTooLong, "The request is too long."});
  return std::nullopt;
}

/// A way to anywhere that the upstream reaches is open only where the route says so.
Proxy::Answer Proxy::refuse_connect(const Exchange& exchange) const {
  if (exchange.request.upgrade != http::kConnect || exchange.allows_upgrade()) return std::nullopt;
  return refuse(exchange.request, kMethodRefused);
}

Proxy::Answer Proxy::limit(const Exchange& exchange, RateLimiter::Stage stage) const {
  for (const RateLimiter* const limiter :
       {&exchange.gateway.rate_limiter(), &exchange.filters().rate_limiter}) {
    if (limiter->empty()) continue;
    const std::optional<std::chrono::nanoseconds> wait =
        limiter->over(stage, exchange.request, exchange.client.address, parts_.loop.now());
    if (!wait) continue;
    exchange.request.trace.failure = "rate limit";
    return too_many_requests(exchange.request, *wait);
  }
  return std::nullopt;
}

// Who may pass.

Task<Proxy::Answer> Proxy::ask(Exchange& exchange) {
  http::Request& request = exchange.request;
  http::Authorizer& authorizer = *exchange.in_force->authorizer;
  const http::BodyWanted wanted = authorizer.body_wanted();
  if (wanted.bytes > 0) {
    const Result<void> read = co_await buffer_body(request, wanted.bytes, wanted.may_be_cut);
    if (!read && read.error().code == ErrorCode::kExhausted) {
      co_return refuse(request, {413, kBodyTooLong, "The request is too long."});
    }
    if (!read) co_return refuse(request, {400, "request body", "The request was cut short."});
  }
  exchange.verdict = co_await authorizer.judge(request);
  if (const auto* const failure = std::get_if<http::Failure>(&exchange.verdict)) {
    co_return judge_failed(exchange, failure->error);
  }
  if (auto* const deny = std::get_if<http::Deny>(&exchange.verdict)) {
    request.trace.failure = "denied";
    co_return std::move(deny->response);
  }
  exchange.allow = &std::get<http::Allow>(exchange.verdict);
  if (exchange.allow->unjudged) request.trace.failure = "authorizer let pass";
  co_return std::nullopt;
}

Proxy::Answer Proxy::admit(Exchange& exchange) {
  http::Request& request = exchange.request;
  request.trace.user = exchange.allow->user;
  request.trace.session = exchange.allow->session;
  if (Answer over = limit(exchange, RateLimiter::Stage::kAfterVerdict)) return over;
  if (exchange.group->members().size() > 1) {
    exchange.route = exchange.group->pick(share_of(request.trace.user));
    request.trace.route = exchange.settings().name;
  }
  if (exchange.group->authenticate()) exchange.watch = open_.open(request, *exchange.allow);
  return std::nullopt;
}

/// The same for all requests of a user, who so stays with one of several weighted routes; anew for
/// each request of who is not known. Not by address: behind a load balancer all have one. In [0,
/// 1).
double Proxy::share_of(const std::string& user) {
  constexpr std::uint32_t kRange = 1U << 31U;
  const std::size_t place =
      user.empty() ? random_.below(kRange) : std::hash<std::string_view>()(user) % kRange;
  return static_cast<double>(place) / kRange;
}

// On to the service.

/// A retry and a shadow want the body whole, however its bytes came in. One whose length is not
/// known may be half of a conversation, which would wait for its own answer.
bool Proxy::may_be_sent_twice(const Exchange& exchange) {
  const http::Body& body = exchange.request.body;
  const bool is_short = body.length && *body.length <= Shadow::kBodyLimit;
  return body.stream && is_short &&
         (!exchange.settings().retry.on.empty() || !exchange.group->shadows().empty());
}

Task<Proxy::Answer> Proxy::read_body(Exchange& exchange) const {
  http::Request& request = exchange.request;
  const Result<void> read = co_await buffer_body(request, Shadow::kBodyLimit, true);
  if (!read) co_return refuse(request, {400, "request body", "The request was cut short."});
  co_return std::nullopt;
}

Proxy::Answer Proxy::prepare(Exchange& exchange) {
  http::Request& request = exchange.request;
  const Destination& to = exchange.destination();
  if (to.local == nullptr && !to.cluster) {
    return refuse(request, {503, "no service", "The service is not configured."});
  }
  // Of several routes that share the requests, another may have been chosen.
  if (Answer refused = refuse_connect(exchange)) return refused;
  // Either side of a stream of gRPC may be silent for hours.
  request.may_pause = exchange.settings().grpc;
  exchange.onward = spare_.take();
  http::Request& onward = *exchange.onward;
  onward.method = request.method;
  onward.target = request.target;
  onward.version = request.version;
  onward.headers = request.headers;
  onward.peer = request.peer;
  onward.received = request.received;
  onward.cancellation = request.cancellation;
  const RouteActions& actions = exchange.gateway.table().actions(exchange.route);
  if (!actions.rewrite(onward.target)) {
    return refuse(request, {400, "ambiguous path", "The path is ambiguous."});
  }
  const std::string_view own = to.cluster ? std::string_view(to.cluster->authority()) : "";
  onward.authority = actions.authority(request.authority, own);
  onward.upgrade.clear();
  if (exchange.allows_upgrade()) onward.upgrade = request.upgrade;
  const Result<void> written = write_headers(exchange);
  if (!written) return judge_failed(exchange, written.error());
  onward.body = std::move(request.body);
  const bool may_have_trailers = onward.body.stream != nullptr && !onward.body.length;
  if (may_have_trailers) {
    onward.body.stream = std::make_unique<WithoutTrailers>(std::move(onward.body.stream));
  }
  if (exchange.gateway.settings().grpc_web) {
    Result<std::optional<GrpcWebCall>> call = GrpcWebCall::start(onward);
    if (!call) return refuse(request, {400, "request body", "The request is not gRPC-Web."});
    exchange.grpc_web = std::move(*call);
  }
  if (to.local != nullptr) {
    onward.trace = request.trace;
  } else {
    onward.trace.clear();
    onward.trace.request_id = request.trace.request_id;
  }
  send_to_shadows(exchange);
  return std::nullopt;
}

void Proxy::send_to_shadows(const Exchange& exchange) {
  for (const RouteGroup::Shadow& shadow : exchange.group->shadows()) {
    const Destination& to = exchange.in_force->destinations[shadow.route];
    const Shadow& copies = exchange.gateway.filters(shadow.route).shadow;
    if (!to.cluster || !shadows_.is_sampled(copies.percent())) continue;
    std::optional<http::Request> copy = copies.copy(*exchange.onward);
    if (!copy) continue;
    const config::Route& settings = exchange.gateway.route(shadow.route);
    shadows_.start(std::move(*copy), [in_force = exchange.in_force, cluster = to.cluster,
                                      &settings](http::Request& request) {
      return cluster->send(request, {.response_timeout = settings.timeout,
                                     .idle_timeout = settings.idle_timeout,
                                     .retry = nullptr,
                                     .client = {}});
    });
  }
}

/// What shows a session to the authorizer would show it to the service too.
void Proxy::strip_credentials(const Exchange& exchange) {
  http::Headers& headers = exchange.onward->headers;
  exchange.in_force->identity.strip_cookies(headers);
  // Elsewhere the verdict has said so.
  if (exchange.group->authenticate()) return;
  headers.remove_if([&exchange](http::Field field) {
    return http::equal_ignoring_case(field.name, "authorization") &&
           exchange.in_force->authorizer->is_own_credential(field.value);
  });
}

Result<void> Proxy::write_headers(Exchange& exchange) const {
  const http::Request& request = exchange.request;
  const IdentityHeaders& identity = exchange.in_force->identity;
  const Forwarded& forwarded = exchange.gateway.forwarded();
  http::Headers& headers = exchange.onward->headers;
  identity.strip(headers);
  if (exchange.destination().local != nullptr) {
    forwarded.strip_untrusted(request, headers);
  } else {
    if (!exchange.filters().leads_to_authorizer) strip_credentials(exchange);
    forwarded.apply(request, headers);
  }
  if (exchange.in_force->tracing) Tracing::tell(request, headers);
  Result<void> applied = identity.apply(headers, *exchange.allow);
  if (!applied) return applied;
  applied = edit_query(exchange.onward->target, *exchange.allow);
  if (applied) applied = check_changes(exchange.allow->response);
  if (!applied) return applied;
  const HeaderEdits& edits = exchange.filters().request_edits;
  if (!edits.empty()) {
    edits.apply(headers, {.request = request, .client_address = exchange.client.address});
  }
  return {};
}

upstream::SendOptions Proxy::send_options(const Exchange& exchange) const {
  const config::Route& settings = exchange.settings();
  return {.response_timeout = settings.timeout,
          .idle_timeout = settings.idle_timeout,
          .retry = &settings.retry,
          .client = {.address = exchange.client.address,
                     .user = exchange.request.trace.user,
                     .secure = exchange.client.secure}};
}

/// Makes sure that what the upstream said can be an answer.
http::Response Proxy::take(Exchange& exchange, Result<http::Response> answer) const {
  const http::Request& onward = *exchange.onward;
  if (!answer) return upstream_failed(exchange, answer.error());
  const bool upgraded = answer->status == 101;
  const bool asked = !onward.upgrade.empty();
  const bool joined = answer->upgrade != nullptr;
  // Only a 101 that was asked for opens a tunnel (CVE-2024-23326, CVE-2026-2833). And where a
  // client takes any 2xx for one (RFC 8441 §5, RFC 9110 §9.3.6), no other may reach it.
  const bool any_2xx_joins = exchange.request.version == http::Version::kHttp2 ||
                             exchange.request.upgrade == http::kConnect;
  const bool would_seem_joined = asked && !upgraded && answer->status < 300 && any_2xx_joins;
  if (upgraded != joined || (upgraded && !asked) || (answer->status < 200 && !upgraded) ||
      would_seem_joined) {
    return refuse(exchange.request,
                  {502, "upstream invalid", "The service gave an answer that is not valid."});
  }
  if (!exchange.filters().leads_to_authorizer) {
    exchange.in_force->identity.strip_set_cookies(answer->headers);
  }
  return std::move(*answer);
}

// Back to the client.

/// A page of this process says more of the request than came to it.
void Proxy::bring_trace_back(Exchange& exchange) {
  http::Trace& trace = exchange.request.trace;
  const std::string_view failure = trace.failure;
  trace = std::move(exchange.onward->trace);
  // A body that was too long says so in the client's request.
  if (!failure.empty()) trace.failure = failure;
}

void Proxy::finish(Exchange& exchange, http::Response& response) {
  http::Request& request = exchange.request;
  // Whole ones go back, for whoever counts them.
  if (exchange.onward && !exchange.onward->body.stream) {
    request.body = std::move(exchange.onward->body);
  }
  const FormatContext context{
      .request = request, .response = &response, .client_address = exchange.client.address};
  const bool may_override =
      response.status >= 400 && !(exchange.group && exchange.settings().bypass_error_overrides);
  if (may_override) {
    const bool by_route =
        exchange.group != nullptr && exchange.filters().error_overrides.apply(context, response);
    if (!by_route) exchange.gateway.error_overrides().apply(context, response);
  }
  if (exchange.grpc_web) exchange.grpc_web->finish(response);
  if (const auto* const allow = std::get_if<http::Allow>(&exchange.verdict)) {
    edit_fields(response.headers, allow->response);
  }
  if (exchange.group != nullptr) {
    const CompiledRoute& filters = exchange.filters();
    if (!filters.response_edits.empty()) filters.response_edits.apply(response.headers, context);
    if (filters.cors.on()) filters.cors.apply(request, response);
  }
  exchange.gateway.server_name().apply(response.headers);
  if (exchange.gateway.compression().on()) exchange.gateway.compression().apply(request, response);
  AnswerNeeds needs{exchange.in_force, std::move(exchange.onward)};
  const bool kept = keep_until_end(response, needs);
  if (!kept && needs.request) spare_.give(std::move(needs.request));
  keep_watch(response, std::move(exchange.watch));
}

http::Response Proxy::refuse(http::Request& request, const Refusal& refusal) const {
  request.trace.failure = refusal.failure;
  http::Response response = error_page(request, refusal.status, refusal.what);
  if (refusal.status == 405) {
    response.headers.set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  }
  return response;
}

http::Response Proxy::judge_failed(const Exchange& exchange, const Error& error) const {
  warn(exchange.request, "authorizer", error);
  return refuse(exchange.request,
                {exchange.gateway.settings().authorizer.status_on_error, "authorizer",
                 "It could not be found out whether you may see this. Try again soon."});
}

http::Response Proxy::upstream_failed(const Exchange& exchange, const Error& error) const {
  http::Request& request = exchange.request;
  if (request.trace.failure == kBodyTooLong) {
    return refuse(request, {413, kBodyTooLong, "The request is too long."});
  }
  warn(request, "upstream", error);
  switch (error.code) {
    case ErrorCode::kTimeout:
      return refuse(request, {504, "upstream timeout", "The service did not answer in time."});
    case ErrorCode::kUnavailable:
    case ErrorCode::kNotFound:
      return refuse(request, {503, "upstream unavailable", "The service cannot be reached."});
    case ErrorCode::kExhausted:
      return refuse(request, {503, "upstream exhausted", "The service is overloaded."});
    case ErrorCode::kCancelled: {
      http::Response response = refuse(request, {503, "cancelled", "The request was ended."});
      response.close = true;
      return response;
    }
    default:
      return refuse(request,
                    {502, "upstream invalid", "The service gave an answer that is not valid."});
  }
}

void Proxy::warn(const http::Request& request, std::string_view who, const Error& error) const {
  if (!parts_.log || error.code == ErrorCode::kCancelled) return;
  parts_.log->warn("{} failed: request {}, route {}: {}: {}", who, request.trace.request_id,
                   request.trace.route, to_string(error.code), error.message);
}

}  // namespace gatehouse::gateway
