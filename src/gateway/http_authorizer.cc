#include "gateway/http_authorizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/field_names.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kSession = "x-gatehouse-session";
constexpr std::string_view kUser = "x-gatehouse-user";
constexpr std::string_view kInternalPrefix = "x-gatehouse-";
constexpr std::string_view kRemove = "x-envoy-auth-headers-to-remove";

// Ambassador's list, and what tells a browser that can log in from a program that cannot.
constexpr std::array<std::string_view, 13> kSent = {
    "authorization", "cookie", "from", "proxy-authorization", "user-agent", "x-forwarded-for",
    "x-forwarded-proto", "x-forwarded-host", "accept", "content-type", "x-requested-with",
    "sec-fetch-mode",
    // Tells that a WebSocket is asked for; Upgrade itself goes no further than one hop.
    "sec-websocket-key"};

constexpr std::array<std::string_view, 6> kDenialHeaders = {
    "www-authenticate", "proxy-authenticate", "location",
    "set-cookie",       "cache-control",      "content-type"};

template <class Names>
bool names(const Names& list, std::string_view name) {
  return std::ranges::any_of(
      list, [name](std::string_view other) { return http::equal_ignoring_case(name, other); });
}

std::vector<std::string> all_folded(const std::vector<std::string>& list) {
  std::vector<std::string> out;
  for (const std::string& name : list) out.push_back(folded(name));
  return out;
}

/// The members of a comma-separated list that can be field names.
std::vector<std::string> members(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const std::string_view member = list.substr(0, list.find(','));
    list.remove_prefix(std::min(member.size() + 1, list.size()));
    const std::string_view name = http::trim(member);
    if (http::is_token(name)) out.emplace_back(name);
  }
  return out;
}

http::Failure failure(ErrorCode code, std::string message) {
  return {Error{code, std::move(message)}};
}

}  // namespace

HttpAuthorizer::HttpAuthorizer(const config::Gateway& settings, Parts parts)
    : managed_headers_(settings.managed_headers),
      private_cookies_(settings.private_cookies),
      managed_folded_(all_folded(settings.managed_headers)),
      settings_(settings.authorizer),
      identity_(settings.managed_headers, settings.private_cookies),
      parts_(std::move(parts)) {}

Task<http::Verdict> HttpAuthorizer::judge(const http::Request& request) {
  Result<http::Request> check = check_request(request);
  if (!check) co_return http::Failure{std::move(check).error()};
  const net::HttpClient::Timeouts timeouts{settings_.timeout, settings_.timeout};
  Result<http::Response> answer = co_await parts_.client->send(*check, timeouts);
  if (!answer) co_return http::Failure{std::move(answer).error()};
  if (answer->status < 200 || answer->status >= 500) {
    co_return failure(ErrorCode::kUnavailable,
                      "the authorizer answered " + std::to_string(answer->status));
  }
  Result<std::string> body = co_await http::read_all(answer->body, kBodyLimit);
  if (!body) co_return http::Failure{std::move(body).error()};
  if (answer->status == 200) co_return allow(answer->headers);
  co_return deny(answer->status, answer->headers, std::move(*body));
}

Result<http::Request> HttpAuthorizer::check_request(const http::Request& request) const {
  http::Request check;
  Result<http::Target, http::TargetError> target =
      http::parse_target(parts_.path_prefix + request.target.str());
  if (!target) {
    return fail(ErrorCode::kInvalid,
                "no check request: " + std::string(http::to_string(target.error())));
  }
  check.method = request.method;
  check.target = std::move(*target);
  check.authority = request.authority;
  // Every field of a name, in order: who sees only one of two decides about another request
  // (CVE-2021-32777).
  for (const http::Field field : request.headers) {
    if (names(kSent, field.name) || names(settings_.allowed_request_headers, field.name)) {
      check.headers.add(field.name, field.value);
    }
  }
  identity_.strip(check.headers);
  parts_.forwarded.apply(request, check.headers);
  check.cancellation = request.cancellation;
  return check;
}

bool HttpAuthorizer::goes_upstream(std::string_view name) const {
  if (fold_begins_with(name, kInternalPrefix) || is_framing_field(name)) return false;
  return folds_to_one_of(name, managed_folded_) ||
         names(settings_.allowed_authorization_headers, name) ||
         http::equal_ignoring_case(name, "authorization");
}

http::Allow HttpAuthorizer::allow(const http::Headers& answer) const {
  http::Allow out;
  out.user = answer.get(kUser).value_or("");
  out.session = answer.get(kSession).value_or("");
  for (const http::Field field : answer) {
    if (goes_upstream(field.name)) out.set.emplace_back(field.name, field.value);
    if (!http::equal_ignoring_case(field.name, kRemove)) continue;
    std::ranges::move(members(field.value), std::back_inserter(out.remove));
  }
  return out;
}

http::Deny HttpAuthorizer::deny(int status, const http::Headers& answer, std::string body) const {
  http::Deny out;
  out.response.status = status;
  out.response.body = http::Body(std::move(body));
  for (const http::Field field : answer) {
    const bool allowed = names(kDenialHeaders, field.name) ||
                         names(settings_.allowed_authorization_headers, field.name);
    if (allowed && !is_framing_field(field.name) &&
        !fold_begins_with(field.name, kInternalPrefix)) {
      out.response.headers.add(field.name, field.value);
    }
  }
  // A denial kept by a cache would outlive the login that follows it.
  if (!out.response.headers.has("cache-control")) {
    out.response.headers.add("Cache-Control", "no-store");
  }
  return out;
}

}  // namespace gatehouse::gateway
