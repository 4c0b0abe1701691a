#include "gateway/authz/http_authorizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/authz/question_time.h"
#include "gateway/field_names.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kRemove = "x-envoy-auth-headers-to-remove";

// Ambassador's list, and what tells a browser that can log in from a program that cannot.
constexpr std::array<std::string_view, 13> kSent = {
    "authorization", "cookie", "from", "proxy-authorization", "user-agent", "x-forwarded-for",
    "x-forwarded-proto", "x-forwarded-host", "accept", "content-type", "x-requested-with",
    "sec-fetch-mode",
    // Tells that a WebSocket is asked for; Upgrade itself goes no further than one hop.
    "sec-websocket-key"};

// Ambassador takes these of a 200 without being told.
constexpr std::array<std::string_view, 5> kTaken = {
    "authorization", "location", "proxy-authenticate", "set-cookie", "www-authenticate"};

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

/// What clients say of themselves, and an authorizer may say instead.
bool is_clients_own(std::string_view name) {
  constexpr std::array<std::string_view, 8> kOwn = {
      "authorization", "cookie", "host", "origin", "range", "referer", "te", "user-agent"};
  constexpr std::array<std::string_view, 4> kOwnPrefixes = {"accept", "cache-", "content-", "if-"};
  return names(kOwn, name) || std::ranges::any_of(kOwnPrefixes, [name](std::string_view prefix) {
           return http::starts_with_ignoring_case(name, prefix);
         });
}

/// Those that the configuration names, and what else upstreams take for the authorizer's word.
std::vector<std::string> managed(const config::Gateway& settings) {
  std::vector<std::string> out = settings.managed_headers;
  std::ranges::copy_if(settings.authorizer.allowed_authorization_headers, std::back_inserter(out),
                       [](const std::string& name) { return !is_clients_own(name); });
  return out;
}

http::Failure failure(ErrorCode code, std::string message) {
  return {Error{code, std::move(message)}};
}

}  // namespace

HttpAuthorizer::HttpAuthorizer(const config::Gateway& settings, Parts parts)
    : managed_headers_(managed(settings)),
      private_cookies_(settings.private_cookies),
      managed_folded_(all_folded(settings.managed_headers)),
      settings_(settings.authorizer),
      loop_(parts.loop),
      client_(std::move(parts.client)),
      path_prefix_(std::move(parts.path_prefix)),
      fields_(settings, std::move(parts.forwarded)) {}

Task<http::Verdict> HttpAuthorizer::judge(const http::Request& request) {
  Result<http::Request> asked = question(request);
  if (!asked) co_return http::Failure{std::move(asked).error()};
  QuestionTime time(loop_, settings_.timeout, request.cancellation);
  asked->cancellation = time.cancellation();
  Result<http::Response> answer =
      co_await client_->send(*asked, {settings_.timeout, settings_.timeout});
  if (!answer) co_return http::Failure{time.explain(std::move(answer).error())};
  if (answer->status < 200 || answer->status >= 500) {
    co_return failure(ErrorCode::kUnavailable,
                      "the authorizer answered " + std::to_string(answer->status));
  }
  Result<std::string> body = co_await http::read_all(answer->body, kBodyLimit);
  if (!body) co_return http::Failure{time.explain(std::move(body).error())};
  if (answer->status == 200) co_return allow(answer->headers);
  co_return deny(std::move(*answer), std::move(*body), request.method == "HEAD");
}

Result<http::Request> HttpAuthorizer::question(const http::Request& request) const {
  http::Request asked;
  Result<http::Target, http::TargetError> target =
      http::parse_target(path_prefix_ + request.target.str());
  if (!target) {
    return fail(ErrorCode::kInvalid,
                "no question can be put: " + std::string(http::to_string(target.error())));
  }
  // An answer to a CONNECT would be no message, but the end of the connection's.
  const bool connects = request.method == "CONNECT";
  asked.method = connects ? "GET" : request.method;
  asked.target = std::move(*target);
  asked.authority = request.authority;
  // Every field of a name, in order: who sees only one of two decides about another request
  // (CVE-2021-32777).
  for (const http::Field field : request.headers) {
    if (names(kSent, field.name) || names(settings_.allowed_request_headers, field.name)) {
      asked.headers.add(field.name, field.value);
    }
  }
  fields_.finish(request, asked.headers);
  if (connects) asked.headers.set("X-Forwarded-Method", request.method);
  tell_body(request, asked);
  for (const config::FieldEdit& edit : settings_.add_headers) {
    if (!edit.append) asked.headers.remove(edit.name);
    asked.headers.add(edit.name, edit.value);
  }
  asked.changes_nothing = true;
  return asked;
}

void HttpAuthorizer::tell_body(const http::Request& request, http::Request& question) const {
  if (settings_.body_bytes == 0) return;
  const ToldBody told = told_body(request, settings_.body_bytes);
  question.body = http::Body(std::string(told.bytes));
  question.headers.set(kPartialBodyField, told.partial ? "true" : "false");
}

bool HttpAuthorizer::goes_upstream(std::string_view name) const {
  if (is_internal_field(name) || is_framing_field(name)) return false;
  return folds_to_one_of(name, managed_folded_) ||
         names(settings_.allowed_authorization_headers, name) || names(kTaken, name);
}

http::Allow HttpAuthorizer::allow(http::Headers& answer) const {
  // A session's cookie that the authorizer renews is nothing that an upstream may see.
  fields_.identity().strip_set_cookies(answer);
  http::Allow out;
  out.user = answer.get(kUserField).value_or("");
  out.session = answer.get(kSessionField).value_or("");
  for (const http::Field field : answer) {
    if (goes_upstream(field.name)) out.set.emplace_back(field.name, field.value);
    if (!http::equal_ignoring_case(field.name, kRemove)) continue;
    std::ranges::move(members(field.value), std::back_inserter(out.remove));
  }
  return out;
}

bool HttpAuthorizer::goes_to_client(std::string_view name) const {
  if (is_internal_field(name) || is_framing_field(name)) return false;
  return names(kDenialHeaders, name) || names(settings_.allowed_authorization_headers, name);
}

http::Deny HttpAuthorizer::deny(http::Response answer, std::string body, bool head) const {
  http::Deny out;
  out.response.status = answer.status;
  out.response.body = http::Body(std::move(body));
  for (const http::Field field : answer.headers) {
    // To HEAD this is the length of what GET would get; else the codec tells that of the body.
    const bool length = head && http::equal_ignoring_case(field.name, "content-length");
    if (length || goes_to_client(field.name)) out.response.headers.add(field.name, field.value);
  }
  // A denial kept by a cache would outlive the login that follows it.
  if (!out.response.headers.has("cache-control")) {
    out.response.headers.add("Cache-Control", "no-store");
  }
  return out;
}

}  // namespace gatehouse::gateway
