#include "gateway/proxy.h"

#include <algorithm>
#include <utility>

#include "gateway/error_page.h"

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

/// The client's own target and authority, which the log shows and a rewrite replaces.
class Original {
 public:
  Original(const config::Route& route, http::Request& request) : request_(request) {
    if (!route.rewrite.empty()) target_ = request.target;
    if (!route.host_rewrite.empty()) authority_ = request.authority;
  }
  ~Original() {
    if (target_) request_.target = std::move(*target_);
    if (authority_) request_.authority = std::move(*authority_);
  }
  Original(const Original&) = delete;
  Original& operator=(const Original&) = delete;

 private:
  http::Request& request_;
  std::optional<http::Target> target_;
  std::optional<std::string> authority_;
};

/// The TLS handshake asked for another host than the request does (RFC 9110 §15.5.20): whoever
/// decided by the one would be deceived by the other.
bool is_misdirected(const http::Request& request) {
  if (!request.peer || request.peer->server_name.empty()) return false;
  return host_of(request.authority) != request.peer->server_name;
}

upstream::Client client_of(const http::Request& request) {
  upstream::Client client{.user = request.trace.user};
  if (request.peer) client.address = request.peer->address;
  client.secure = request.peer && request.peer->tls;
  return client;
}

}  // namespace

Task<http::Response> Proxy::handle(http::Request& request) {
  request.trace.request_id = parts_.forwarded.request_id(request);
  if (request.trace.request_id.empty()) request.trace.request_id = parts_.ids.next();
  const Result<std::size_t, Refusal> chosen = choose(request);
  if (!chosen) co_return refuse(request, chosen.error());
  const config::Route& route = parts_.routes[*chosen];
  request.trace.route = route.name;
  // An upgrade that is not allowed is not asked for: the server may ignore it (RFC 9110 §7.8).
  if (std::ranges::find(route.upgrades, request.upgrade) == route.upgrades.end()) {
    request.upgrade.clear();
  }

  http::Verdict verdict = http::Allow{};
  if (route.authenticate) verdict = co_await parts_.authorizer.judge(request);
  if (const auto* const failure = std::get_if<http::Failure>(&verdict)) {
    co_return judge_failed(request, failure->error);
  }
  if (auto* const deny = std::get_if<http::Deny>(&verdict)) {
    request.trace.failure = "denied";
    co_return std::move(deny->response);
  }
  const http::Allow& allow = std::get<http::Allow>(verdict);
  request.trace.user = allow.user;
  request.trace.session = allow.session;
  OpenExchanges::Watch watch;
  if (route.authenticate) watch = open_.open(request, allow);
  http::Response response = co_await forward(request, *chosen, allow);
  keep_watch(response, std::move(watch));
  co_return response;
}

Result<std::size_t, Proxy::Refusal> Proxy::choose(const http::Request& request) const {
  if (request.method == "TRACE" || request.method == "CONNECT") {
    return std::unexpected(Refusal{405, "method", "This method is not allowed here."});
  }
  if (is_misdirected(request)) {
    return std::unexpected(Refusal{421, "misdirected", "The request is for another host."});
  }
  const Result<std::size_t, RouteTable::Miss> found =
      parts_.table.find(request.authority, request.target.path());
  if (found) return *found;
  if (found.error() == RouteTable::Miss::kAmbiguous) {
    return std::unexpected(Refusal{400, "ambiguous path", "The path is ambiguous."});
  }
  return std::unexpected(Refusal{404, "no route", "There is no such page here."});
}

Task<http::Response> Proxy::forward(http::Request& request, std::size_t route,
                                    const http::Allow& allow) {
  const config::Route& settings = parts_.routes[route];
  const Destination& to = parts_.destinations[route];
  const Original original(settings, request);
  const Result<void> ready = prepare(request, route, allow);
  if (!ready) co_return judge_failed(request, ready.error());
  if (to.local != nullptr) {
    http::Response response = co_await to.local->handle(request);
    co_return response;
  }
  const upstream::SendOptions options{.response_timeout = settings.timeout,
                                      .idle_timeout = settings.idle_timeout,
                                      .retry = &settings.retry,
                                      .client = client_of(request)};
  Result<http::Response> answer = co_await to.cluster->send(request, options);
  if (!answer) co_return upstream_failed(request, answer.error());
  Result<http::Response, Refusal> checked = check(std::move(*answer), to, request);
  if (!checked) co_return refuse(request, checked.error());
  co_return std::move(*checked);
}

Result<void> Proxy::prepare(http::Request& request, std::size_t route,
                            const http::Allow& allow) const {
  const config::Route& settings = parts_.routes[route];
  http::Headers& headers = request.headers;
  parts_.identity.strip(headers);
  const Destination& to = parts_.destinations[route];
  if (to.local != nullptr) {
    parts_.forwarded.strip_untrusted(request, headers);
  } else {
    if (!to.authorizer) parts_.identity.strip_cookies(headers);
    parts_.forwarded.apply(request, headers);
  }
  Result<void> applied = parts_.identity.apply(headers, allow);
  if (!applied) return applied;
  rewrite(settings, request.target);
  if (!settings.host_rewrite.empty()) request.authority = settings.host_rewrite;
  http::Body& body = request.body;
  const bool may_have_trailers = body.stream != nullptr && !body.length;
  if (may_have_trailers) body.stream = std::make_unique<WithoutTrailers>(std::move(body.stream));
  return {};
}

Result<http::Response, Proxy::Refusal> Proxy::check(http::Response response,
                                                    const Destination& from,
                                                    const http::Request& request) const {
  const bool upgraded = response.status == 101;
  const bool asked = !request.upgrade.empty();
  const bool joined = response.upgrade != nullptr;
  // Only a 101 that was asked for opens a tunnel (CVE-2024-23326, CVE-2026-2833).
  if (upgraded != joined || (upgraded && !asked) || (response.status < 200 && !upgraded)) {
    return std::unexpected(
        Refusal{502, "upstream invalid", "The service gave an answer that is not valid."});
  }
  if (!from.authorizer) parts_.identity.strip_set_cookies(response.headers);
  return response;
}

http::Response Proxy::refuse(http::Request& request, const Refusal& refusal) const {
  request.trace.failure = refusal.failure;
  http::Response response = error_page(request, refusal.status, refusal.what);
  if (refusal.status == 405) {
    response.headers.set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  }
  return response;
}

http::Response Proxy::judge_failed(http::Request& request, const Error& error) const {
  warn(request, "authorizer", error);
  return refuse(request, {parts_.status_on_error, "authorizer",
                          "It could not be found out whether you may see this. Try again soon."});
}

http::Response Proxy::upstream_failed(http::Request& request, const Error& error) const {
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
