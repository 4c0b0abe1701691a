#include "identity/login/login_endpoint.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "http/client_address.h"
#include "identity/form.h"
#include "identity/grants/grant.h"
#include "identity/login/same_origin.h"
#include "identity/users/users.h"

namespace gatehouse::identity {
namespace {

/// Long enough for any address; more is no login of anybody's.
constexpr std::size_t kLoginLimit = 512;
constexpr std::size_t kCodeBytes = 32;

constexpr std::string_view kWrong = "That name and password do not match. Try again.";
constexpr std::string_view kIncomplete = "Enter your name and your password.";
constexpr std::string_view kForgedTitle = "This sign-in link does not work";
constexpr std::string_view kForged =
    "It is incomplete or was not made here. Go back to the application and sign in again.";
constexpr std::string_view kExpiredTitle = "This sign-in has expired";
constexpr std::string_view kExpired =
    "The page was open for too long. Go back to the application and sign in again.";

/// Stores the code, and the renewed hash if there is one. kDenied if the user has been disabled,
/// deleted or given another password since the check.
Result<void> store_code(store::Transaction& transaction, const store::OneTime& code,
                        const store::User& checked, const std::optional<std::string>& rehashed,
                        WallTime now) {
  Result<std::optional<store::User>> user = transaction.user_by_id(checked.id);
  if (!user) return fail(std::move(user));
  const bool unchanged =
      *user && !(*user)->disabled && (*user)->password_hash == checked.password_hash;
  if (!unchanged) return fail(ErrorCode::kDenied, "the user was changed meanwhile");
  if (rehashed) {
    (*user)->password_hash = *rehashed;
    (*user)->updated = now;
    Result<void> updated = transaction.update_user(**user);
    if (!updated) return updated;
  }
  return transaction.put_one_time(code);
}

/// The hash that a right password would match; none for those who cannot log in by password.
std::optional<std::string> usable_hash(const std::optional<store::User>& user) {
  if (!user || user->disabled || user->password_hash.empty()) return std::nullopt;
  return user->password_hash;
}

}  // namespace

/// One attempt to log in.
struct LoginEndpoint::Try {
  AuthorizationRequest wanted;
  std::string typed;
  std::string login;  // normalised
  Secret password;
  LoginThrottle::Attempt attempt;
};

LoginEndpoint::LoginEndpoint(std::string issuer, std::chrono::seconds code_lifetime,
                             LoginDependencies parts)
    : issuer_(std::move(issuer)), code_lifetime_(code_lifetime), parts_(parts) {}

Task<http::Response> LoginEndpoint::handle(http::Request& request) {
  std::expected<AuthorizationRequest, http::Response> wanted = open_request(request);
  if (!wanted) co_return std::move(wanted).error();
  if (request.method != "POST") {
    co_return parts_.pages.login(200, page_for(*wanted, wanted->login_hint));
  }
  if (!is_same_origin(request, issuer_)) {
    co_return parts_.pages.error(403, "This form came from another site",
                                 "For your safety it was not used. Open the application and sign "
                                 "in there.");
  }
  http::Response response = co_await take_try(request, std::move(*wanted));
  co_return response;
}

std::expected<AuthorizationRequest, http::Response> LoginEndpoint::open_request(
    const http::Request& request) {
  const auto forged = [this] {
    return std::unexpected(parts_.pages.error(400, kForgedTitle, kForged));
  };
  const Result<http::Parameters> query = http::parse_form(request.target.query());
  const std::optional<std::string_view> state =
      query ? http::single(*query, "state") : std::optional<std::string_view>();
  if (!state) return forged();
  auto wanted = parts_.sealer.open(*state);
  if (!wanted && wanted.error() == SealedRequestError::kExpired) {
    return std::unexpected(parts_.pages.error(400, kExpiredTitle, kExpired));
  }
  if (!wanted) return forged();
  // The configuration may have changed since the request was sealed.
  const Client* const client = parts_.clients.find(wanted->client_id);
  if (client == nullptr || !allows_redirect(*client, wanted->redirect_uri)) return forged();
  return std::move(*wanted);
}

LoginPage LoginEndpoint::page_for(const AuthorizationRequest& wanted, std::string login) const {
  const Client* const client = parts_.clients.find(wanted.client_id);
  LoginPage page;
  page.client_name = client == nullptr ? "" : client->name;
  page.login = std::move(login);
  page.form_target = csp_source(wanted.redirect_uri);
  return page;
}

Task<http::Response> LoginEndpoint::take_try(http::Request& request, AuthorizationRequest wanted) {
  const Result<http::Parameters> form = co_await read_form(request);
  const auto login = form ? http::single(*form, "login") : std::optional<std::string_view>();
  const auto password = form ? http::single(*form, "password") : std::optional<std::string_view>();
  const bool complete = login && password && !normalize_login(*login).empty() &&
                        login->size() <= kLoginLimit && !password->empty();
  if (!complete) {
    LoginPage page =
        page_for(wanted, login && login->size() <= kLoginLimit ? std::string(*login) : "");
    page.message = kIncomplete;
    co_return parts_.pages.login(400, page);
  }
  Try tried;
  tried.wanted = std::move(wanted);
  tried.typed = std::string(*login);
  tried.login = normalize_login(*login);
  tried.password = Secret(std::string(*password));
  tried.attempt =
      LoginThrottle::attempt(tried.login, http::client_address(request, parts_.trusted_proxies));

  const std::chrono::seconds wait = parts_.throttle.begin(tried.attempt);
  if (wait > std::chrono::seconds(0)) {
    request.trace.failure = "login throttled";
    co_return parts_.pages.wait(page_for(tried.wanted, tried.typed), wait);
  }
  http::Response response = co_await judge(std::move(tried), request);
  co_return response;
}

Task<http::Response> LoginEndpoint::judge(Try tried, http::Request& request) {
  auto look_up = [login = tried.login](store::Transaction& transaction) {
    return find_by_login(transaction, login);
  };
  Result<std::optional<store::User>> user = co_await parts_.store.transact(std::move(look_up));
  if (!user) {
    parts_.throttle.forget(tried.attempt);
    co_return unavailable(user.error(), request);
  }
  Task<Result<PasswordVerdict>> check =
      parts_.passwords.verify(parts_.home, tried.password, usable_hash(*user));
  Result<PasswordVerdict> verdict = co_await std::move(check);
  if (!verdict) {
    parts_.throttle.forget(tried.attempt);
    co_return unavailable(verdict.error(), request);
  }
  if (!verdict->matches || !*user) co_return refuse(tried, request);

  parts_.throttle.succeed(tried.attempt);
  request.trace.user = (*user)->email;
  http::Response response =
      co_await give_code(std::move(tried), std::move(**user), std::move(verdict->rehashed));
  co_return response;
}

http::Response LoginEndpoint::refuse(const Try& tried, http::Request& request) {
  request.trace.failure = "wrong login";
  LoginPage page = page_for(tried.wanted, tried.typed);
  const std::chrono::seconds wait = parts_.throttle.wait(tried.attempt);
  if (wait > std::chrono::seconds(0)) return parts_.pages.wait(std::move(page), wait);
  page.message = kWrong;
  return parts_.pages.login(401, page);
}

Task<http::Response> LoginEndpoint::give_code(Try tried, store::User user,
                                              std::optional<std::string> rehashed) {
  const WallTime now = parts_.clock.now();
  const std::string value = parts_.entropy.token(kCodeBytes);
  AuthorizationCode code;
  code.grant.client_id = tried.wanted.client_id;
  code.grant.user_id = user.id;
  code.grant.scopes = tried.wanted.scopes;
  code.grant.nonce = tried.wanted.nonce;
  code.grant.auth_time = unix_seconds(now);
  code.redirect_uri = tried.wanted.redirect_uri;
  code.code_challenge = tried.wanted.code_challenge;

  store::OneTime row;
  row.kind = std::string(kCodeKind);
  row.hash = token_hash(value);
  row.payload = to_payload(code);
  row.expires = now + code_lifetime_;
  auto work = [row = std::move(row), user = std::move(user), rehashed = std::move(rehashed),
               now](store::Transaction& transaction) {
    return store_code(transaction, row, user, rehashed, now);
  };
  const Result<void> stored = co_await parts_.store.transact(std::move(work));
  if (!stored) {
    spdlog::error("identity: no authorization code was given: {}", stored.error().message);
    co_return parts_.pages.error(503, "Signing in did not work",
                                 "Your password was right, but something here is out of order. "
                                 "Try again in a moment.");
  }
  co_return http::redirect(303, answer_location(tried.wanted.redirect_uri, {{"code", value}},
                                                tried.wanted.state, issuer_));
}

http::Response LoginEndpoint::unavailable(const Error& error, http::Request& request) const {
  request.trace.failure = "login unavailable";
  spdlog::error("identity: a login could not be judged: {}", error.message);
  return parts_.pages.error(503, "Please try again in a moment",
                            "Your password could not be checked just now. Go back, and try once "
                            "more in a few seconds.");
}

}  // namespace gatehouse::identity
