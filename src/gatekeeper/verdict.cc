#include "gatekeeper/verdict.h"

#include <chrono>
#include <utility>

namespace gatehouse::gatekeeper {
namespace {

/// Writes `value` with leading zeros so that its last digit stands at `last`.
void put_digits(std::string& out, std::size_t last, unsigned value, int digits) {
  for (; digits > 0; --digits, --last, value /= 10) {
    out[last] = static_cast<char>('0' + value % 10);
  }
}

/// RFC 3339, in UTC. By hand, as it is made at every request.
std::string timestamp(long long seconds) {
  const auto time = std::chrono::sys_seconds(std::chrono::seconds(seconds));
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string out = "0000-00-00T00:00:00Z";
  put_digits(out, 3, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put_digits(out, 6, static_cast<unsigned>(date.month()), 2);
  put_digits(out, 9, static_cast<unsigned>(date.day()), 2);
  put_digits(out, 12, static_cast<unsigned>(clock.hours().count()), 2);
  put_digits(out, 15, static_cast<unsigned>(clock.minutes().count()), 2);
  put_digits(out, 18, static_cast<unsigned>(clock.seconds().count()), 2);
  return out;
}

http::Response from_allow(const http::Allow& allow, int status) {
  http::Response response;
  response.status = status;
  response.headers.add("Cache-Control", "no-store");
  for (const auto& [name, value] : allow.set) response.headers.add(name, value);
  std::string removed;
  for (const std::string& name : allow.remove) {
    if (!removed.empty()) removed += ", ";
    removed += name;
  }
  if (!removed.empty()) response.headers.add("X-Envoy-Auth-Headers-To-Remove", removed);
  // For a gateway's log, and for it to end what is open when the session ends.
  if (!allow.user.empty()) response.headers.add("X-Gatehouse-User", allow.user);
  if (!allow.session.empty()) response.headers.add("X-Gatehouse-Session", allow.session);
  return response;
}

http::Response from_failure() {
  http::Response response = http::json_error(503, "temporarily_unavailable",
                                             "the request could not be judged; try again later");
  response.headers.set("Retry-After", "5");
  return response;
}

}  // namespace

std::vector<std::string> managed_headers(const config::Gatekeeper& settings) {
  return {settings.userid_header, settings.groups_header, std::string(kExpiresHeader)};
}

http::Allow allow_session(const config::Gatekeeper& settings, const Presented& presented) {
  const SessionClaims& session = *presented.session;
  http::Allow allow;
  allow.user = session.user;
  allow.session = session.session;
  allow.set.reserve(3);
  allow.set.emplace_back(settings.userid_header, session.user);
  if (session.groups.empty()) {
    allow.remove.push_back(settings.groups_header);
  } else {
    allow.set.emplace_back(settings.groups_header, session.groups);
  }
  allow.set.emplace_back(kExpiresHeader, timestamp(session.expires));
  if (presented.bearer) allow.remove.emplace_back("authorization");
  return allow;
}

http::Allow allow_unasked(const config::Gatekeeper& settings) {
  http::Allow allow;
  allow.remove = managed_headers(settings);
  return allow;
}

http::Response unauthorized(const Presented& presented) {
  const bool refused = presented.refused.has_value();
  http::Response response = http::json_error(
      401, refused ? "invalid_token" : "login_required",
      refused ? "the session has ended or is not valid; sign in again" : "sign in first");
  // RFC 6750 §3.1: without credentials no error is named.
  response.headers.set("WWW-Authenticate",
                       refused ? "Bearer realm=\"gatehouse\", error=\"invalid_token\""
                               : "Bearer realm=\"gatehouse\"");
  return response;
}

http::Response to_response(http::Verdict verdict, int allowed) {
  if (const auto* allow = std::get_if<http::Allow>(&verdict)) return from_allow(*allow, allowed);
  if (auto* deny = std::get_if<http::Deny>(&verdict)) return std::move(deny->response);
  return from_failure();
}

}  // namespace gatehouse::gatekeeper
