#include "identity/grants/token_endpoint.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "identity/clients/client_authentication.h"
#include "identity/form.h"
#include "identity/grants/successor.h"
#include "oauth/scope.h"

namespace gatehouse::identity {
namespace {

using oauth::OAuthError;

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kGrantIdBytes = 16;
/// Longer than any value that was ever given out.
constexpr std::size_t kPresentedLimit = 256;

std::string value_of(const http::Parameters& form, std::string_view name) {
  return std::string(http::single(form, name).value_or(""));
}

bool repeats_any(const http::Parameters& form) {
  return std::ranges::any_of(form, [&](const auto& member) {
    return std::ranges::count(form, member.first, &http::Parameters::value_type::first) > 1;
  });
}

http::Response refuse(OAuthError error, std::string description) {
  return to_response({error, std::move(description)});
}

http::Response internal_error(const Error& error) {
  spdlog::error("identity: no token was given: {}", error.message);
  const bool passes = error.code == ErrorCode::kExhausted ||
                      error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout;
  return refuse(passes ? OAuthError::kTemporarilyUnavailable : OAuthError::kServerError,
                passes ? "try again in a moment" : "something is out of order here");
}

}  // namespace

TokenEndpoint::TokenEndpoint(const Clients& clients, const TokenIssuer& issuer,
                             GrantLifetimes lifetimes, store::Store& store, Entropy& entropy,
                             const Clock& clock)
    : clients_(clients),
      issuer_(issuer),
      lifetimes_(lifetimes),
      store_(store),
      entropy_(entropy),
      clock_(clock) {}

Task<http::Response> TokenEndpoint::handle(http::Request& request) {
  Result<http::Parameters> form = co_await read_form(request);
  if (!form) co_return refuse(OAuthError::kInvalidRequest, form.error().message);
  if (repeats_any(*form)) co_return refuse(OAuthError::kInvalidRequest, "a parameter is repeated");
  const auto client = authenticate_client(clients_, request.headers, *form);
  if (!client) co_return to_response(client.error());

  const std::string grant_type = value_of(*form, "grant_type");
  if (grant_type == "authorization_code") {
    http::Response response = co_await redeem(**client, std::move(*form));
    co_return response;
  }
  if (grant_type == "refresh_token") {
    http::Response response = co_await refresh(**client, std::move(*form));
    co_return response;
  }
  if (grant_type.empty()) co_return refuse(OAuthError::kInvalidRequest, "grant_type is missing");
  co_return refuse(OAuthError::kUnsupportedGrantType,
                   "only authorization_code and refresh_token are supported");
}

Task<http::Response> TokenEndpoint::redeem(const Client& client, http::Parameters form) {
  const std::string fresh = entropy_.token(kTokenBytes);
  CodeRedemption redemption;
  redemption.code = value_of(form, "code");
  redemption.client_id = client.id;
  redemption.redirect_uri = value_of(form, "redirect_uri");
  redemption.code_verifier = value_of(form, "code_verifier");
  redemption.grant_id = entropy_.token(kGrantIdBytes);
  redemption.refresh_token_hash = token_hash(fresh);
  redemption.now = clock_.now();
  if (redemption.code.empty() || redemption.code.size() > kPresentedLimit) {
    co_return refuse(OAuthError::kInvalidRequest, "code is missing or too long");
  }
  auto work = [redemption, lifetimes = lifetimes_](store::Transaction& transaction) {
    return redeem_code(transaction, redemption, lifetimes);
  };
  const Result<GrantOutcome> outcome = co_await store_.transact(std::move(work));
  co_return answer(client, outcome, "", fresh);
}

Task<http::Response> TokenEndpoint::refresh(const Client& client, http::Parameters form) {
  const std::string fresh = entropy_.token(kTokenBytes);
  Refresh refresh;
  refresh.refresh_token = value_of(form, "refresh_token");
  refresh.client_id = client.id;
  refresh.successor_hash = token_hash(fresh);
  refresh.now = clock_.now();
  if (refresh.refresh_token.empty() || refresh.refresh_token.size() > kPresentedLimit) {
    co_return refuse(OAuthError::kInvalidRequest, "refresh_token is missing or too long");
  }
  const std::string scope = value_of(form, "scope");
  if (!scope.empty()) {
    refresh.scopes = oauth::parse_scope(scope);
    if (!refresh.scopes) co_return refuse(OAuthError::kInvalidScope, "scope is malformed");
  }
  refresh.sealed_successor = seal_successor(fresh, refresh.refresh_token, entropy_);
  auto work = [refresh, lifetimes = lifetimes_](store::Transaction& transaction) {
    return refresh_grant(transaction, refresh, lifetimes);
  };
  const Result<GrantOutcome> outcome = co_await store_.transact(std::move(work));
  co_return answer(client, outcome, refresh.refresh_token, fresh);
}

/// `presented` is the refresh token that was exchanged, `fresh` the one made to follow.
http::Response TokenEndpoint::answer(const Client& client, const Result<GrantOutcome>& outcome,
                                     const std::string& presented, const std::string& fresh) const {
  if (!outcome) return internal_error(outcome.error());
  if (const auto* refusal = std::get_if<TokenError>(&*outcome)) return to_response(*refusal);
  const auto& granted = std::get<Granted>(*outcome);

  std::string refresh_token = granted.gives_refresh_token ? fresh : "";
  if (!granted.earlier_successor.empty()) {
    Result<std::string> earlier = open_successor(granted.earlier_successor, presented, entropy_);
    if (!earlier) return internal_error(earlier.error());
    refresh_token = std::move(*earlier);
  }
  const Result<Json> tokens = issuer_.issue(client, granted, refresh_token);
  if (!tokens) return internal_error(tokens.error());
  http::Response response = http::make_response(200, "application/json", dump_json(*tokens));
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Pragma", "no-cache");
  return response;
}

}  // namespace gatehouse::identity
