#include "gatekeeper/callback.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "base/utf8.h"
#include "http/cookies.h"

namespace gatehouse::gatekeeper {
namespace {

constexpr std::size_t kSessionIdBytes = 16;
constexpr std::size_t kDeviceLimit = 200;
constexpr std::chrono::seconds kRoundsRemembered{60};

/// Logins just done whose session cookie did not come along since.
unsigned rounds_so_far(const http::Request& request, std::string_view cookie_name) {
  const auto values = http::cookie_values(request.headers, cookie_name);
  if (values.empty()) return 0;
  const std::string_view text = values.front();
  unsigned rounds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rounds);
  if (error != std::errc() || end != text.data() + text.size()) return 0;
  return std::min(rounds, kRounds);
}

std::string device_of(const http::Request& request) {
  const std::string_view agent = request.headers.get("user-agent").value_or("");
  return replace_invalid_utf8(agent.substr(0, kDeviceLimit));
}

http::Response only_get() {
  http::Response response = http::json_error(405, "invalid_request", "only GET is served here");
  response.headers.set("Allow", "GET");
  return response;
}

}  // namespace

Task<http::Response> Callback::handle(http::Request& request) {
  // HEAD would use up the code without showing the answer to anybody.
  if (request.method != "GET") co_return only_get();
  const bool live_session = parts_.sessions.read(request).session.has_value();
  Result<AuthorizationAnswer> answer = parse_answer(request.target.query());
  if (!answer) {
    request.trace.failure = "authorization answer damaged";
    co_return live_session ? http::redirect(303, "/") : parts_.pages.damaged_answer();
  }
  const std::string state = answer->state;
  std::optional<Arrival> arrival = find_login(request, std::move(*answer));
  if (!arrival) {
    http::Response response = co_await stale(request, state, "/", live_session);
    co_return response;
  }
  arrival->live_session = live_session;
  http::Response response = co_await arrive(request, *arrival);
  const bool secure = parts_.origin.secure_cookies(request);
  response.headers.add("Set-Cookie", delete_cookie(arrival->login_cookie, secure));
  co_return response;
}

std::optional<Callback::Arrival> Callback::find_login(const http::Request& request,
                                                      AuthorizationAnswer answer) const {
  const bool secure = parts_.origin.secure_cookies(request);
  const std::string name = login_cookie_name(parts_.names.login_prefix(secure), answer.state);
  const WallTime now = parts_.clock.now();
  for (const std::string_view value : http::cookie_values(request.headers, name)) {
    Result<LoginState> login =
        open_login(parts_.keys, answer.state, value, now, parts_.settings.login_max_age);
    if (login) return Arrival{std::move(answer), std::move(*login), name};
  }
  return std::nullopt;
}

Task<http::Response> Callback::stale(http::Request& request, std::string_view state,
                                     std::string target, bool live_session) {
  if (live_session) co_return http::redirect(303, target);
  request.trace.failure = "login unknown or stale";
  const unsigned round = round_of(state) + 1;
  if (round >= kRounds) co_return parts_.pages.no_cookie(request.authority, target);
  http::Response response = co_await login_.start(request, std::move(target), round);
  co_return response;
}

Task<http::Response> Callback::arrive(http::Request& request, Arrival& arrival) {
  std::optional<http::Response> objected = co_await objection(request, arrival);
  if (objected) co_return std::move(*objected);
  Result<Person> person = co_await identify(request, arrival);
  if (!person) {
    http::Response response = co_await failed(request, arrival, std::move(person).error());
    co_return response;
  }
  http::Response response = co_await sign_in(request, arrival, std::move(*person));
  co_return response;
}

Task<std::optional<http::Response>> Callback::objection(http::Request& request,
                                                        const Arrival& arrival) {
  const AuthorizationAnswer& answer = arrival.answer;
  const std::string& retry = arrival.login.target;
  const auto provider = co_await parts_.provider.provider();
  if (!provider) {
    request.trace.failure = "provider unreachable";
    co_return parts_.pages.try_later(retry);
  }
  // RFC 9207: an answer of another provider must not bring its code to ours.
  const bool named = !answer.issuer.empty() || (*provider)->answers_with_issuer;
  if (named && answer.issuer != parts_.settings.issuer) {
    request.trace.failure = "answer of another provider";
    co_return parts_.pages.provider_at_fault(retry);
  }
  if (answer.error.empty()) co_return std::nullopt;
  if (arrival.live_session) co_return http::redirect(303, retry);
  request.trace.failure = "provider answered with an error";
  if (answer.error == "access_denied") co_return parts_.pages.login_denied(retry);
  if (answer.error == "temporarily_unavailable") co_return parts_.pages.try_later(retry);
  co_return parts_.pages.provider_at_fault(retry);
}

Task<Result<Person>> Callback::identify(const http::Request& request, const Arrival& arrival) {
  const CodeGrant grant{arrival.answer.code, arrival.login.code_verifier,
                        parts_.authorization.redirect_uri(request)};
  const Result<std::string> id_token = co_await parts_.provider.exchange(grant);
  if (!id_token) co_return std::unexpected(id_token.error());
  const Result<Json> claims = co_await parts_.provider.verify(*id_token, arrival.login.nonce);
  if (!claims) co_return std::unexpected(claims.error());
  co_return read_person(*claims, parts_.settings);
}

Task<http::Response> Callback::failed(http::Request& request, const Arrival& arrival, Error error) {
  const std::string& target = arrival.login.target;
  switch (error.code) {
    case ErrorCode::kNotFound: {
      http::Response response =
          co_await stale(request, arrival.answer.state, target, arrival.live_session);
      co_return response;
    }
    case ErrorCode::kDenied:
      request.trace.failure = "account refused";
      co_return parts_.pages.account_refused(error.message);
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
    case ErrorCode::kExhausted:
    case ErrorCode::kCancelled:
      request.trace.failure = "provider unreachable";
      co_return parts_.pages.try_later(target);
    default:
      request.trace.failure = "provider's answer refused";
      co_return parts_.pages.provider_at_fault(target);
  }
}

Task<http::Response> Callback::sign_in(http::Request& request, const Arrival& arrival,
                                       Person person) {
  const bool secure = parts_.origin.secure_cookies(request);
  const std::string_view rounds_cookie = parts_.names.rounds(secure);
  if (!arrival.live_session && rounds_so_far(request, rounds_cookie) >= kRounds) {
    request.trace.failure = "browser keeps no session cookie";
    http::Response response = parts_.pages.no_cookie(request.authority, arrival.login.target);
    response.headers.add("Set-Cookie", delete_cookie(rounds_cookie, secure));
    co_return response;
  }

  const WallTime now = parts_.clock.now();
  const WallTime expires = now + parts_.settings.session_max_age;
  const SessionClaims claims{.session = parts_.entropy.token(kSessionIdBytes),
                             .user = person.user,
                             .email = person.email,
                             .name = std::move(person.name),
                             .groups = std::move(person.groups),
                             .issued = unix_seconds(now),
                             .expires = unix_seconds(expires)};
  jose::Hs256Key* const signer = parts_.keys.session_signer();
  if (signer == nullptr) {
    request.trace.failure = "no session key";
    co_return parts_.pages.try_later(arrival.login.target);
  }
  const std::string token = parts_.tokens.make(claims, *signer);
  if (token.size() > kSessionTokenLimit) {
    request.trace.failure = "session token too large";
    co_return parts_.pages.account_refused(
        "Your account is in so many groups that no browser would keep them all in a cookie.");
  }

  store::Session row;
  row.id = claims.session;
  row.user = person.user;
  row.email = person.email;
  row.device = device_of(request);
  row.address = parts_.origin.client_address(request);
  row.created = row.last_seen = now;
  row.expires = expires;
  const Result<void> stored = co_await parts_.store.transact(
      [row](store::Transaction& transaction) { return transaction.add_session(row); });
  if (!stored) {
    request.trace.failure = "session not stored";
    co_return parts_.pages.try_later(arrival.login.target);
  }
  request.trace.user = claims.user;
  request.trace.session = claims.session;
  co_return welcome(request, arrival, token);
}

http::Response Callback::welcome(http::Request& request, const Arrival& arrival,
                                 std::string_view token) {
  const bool secure = parts_.origin.secure_cookies(request);
  const std::string_view rounds_cookie = parts_.names.rounds(secure);
  http::Response response = http::redirect(303, arrival.login.target);
  response.headers.add("Set-Cookie", set_cookie(parts_.names.session(secure), token,
                                                parts_.settings.session_max_age, secure));
  // Several tabs that sign in at once are no loop: their session cookie comes along.
  const unsigned rounds = arrival.live_session ? 0 : rounds_so_far(request, rounds_cookie) + 1;
  response.headers.add(
      "Set-Cookie", set_cookie(rounds_cookie, std::to_string(rounds), kRoundsRemembered, secure));
  return response;
}

}  // namespace gatehouse::gatekeeper
