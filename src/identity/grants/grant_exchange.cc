#include "identity/grants/grant_exchange.h"

#include <algorithm>

#include "base/secret.h"
#include "oauth/pkce.h"
#include "oauth/scope.h"

namespace gatehouse::identity {
namespace {

using oauth::OAuthError;

TokenError invalid_grant(std::string description) {
  return {OAuthError::kInvalidGrant, std::move(description)};
}

/// The one text for a code or a refresh token that is not there, whatever the reason.
TokenError unknown_value() {
  return invalid_grant("it is unknown, used, expired, revoked, or another client's");
}

/// A verifier without a challenge is refused too: it shows that somebody took the challenge out of
/// the request (RFC 9700 §4.8.2).
bool proves_possession(const std::string& challenge, const std::string& verifier) {
  if (challenge.empty()) return verifier.empty();
  return oauth::is_code_verifier(verifier) &&
         equal_in_constant_time(oauth::code_challenge(verifier), challenge);
}

std::optional<TokenError> judge_redemption(const AuthorizationCode& code,
                                           const CodeRedemption& redemption) {
  if (code.grant.client_id != redemption.client_id) return unknown_value();
  if (code.redirect_uri != redemption.redirect_uri) {
    return invalid_grant("redirect_uri is not the one of the authorization request");
  }
  if (!proves_possession(code.code_challenge, redemption.code_verifier)) {
    return invalid_grant("code_verifier does not fit the code_challenge");
  }
  return std::nullopt;
}

/// kNotFound if the user may not have tokens.
Result<store::User> active_user(store::Transaction& transaction, const std::string& id) {
  Result<std::optional<store::User>> user = transaction.user_by_id(id);
  if (!user) return fail(std::move(user));
  if (!*user || (*user)->disabled) return fail(ErrorCode::kNotFound, "no such user");
  return std::move(**user);
}

/// Keeps the row that says that the grant is in force for as long as its newest access token.
Result<void> mark_in_force(store::Transaction& transaction, const Grant& grant, WallTime now,
                           const GrantLifetimes& lifetimes) {
  store::RefreshToken mark;
  mark.hash = grant_key(grant.id);
  mark.family = grant.id;
  mark.client_id = grant.client_id;
  mark.user_id = grant.user_id;
  mark.payload = to_payload(grant);
  mark.created = now;
  mark.expires = now + lifetimes.access_token;
  const Result<std::optional<store::RefreshToken>> existing = transaction.refresh_token(mark.hash);
  if (!existing) return std::unexpected(existing.error());
  if (*existing) mark.created = (*existing)->created;
  return *existing ? transaction.update_refresh_token(mark) : transaction.add_refresh_token(mark);
}

Result<void> add_refresh_token(store::Transaction& transaction, const Grant& grant,
                               const std::string& hash, WallTime now,
                               const GrantLifetimes& lifetimes) {
  store::RefreshToken token;
  token.hash = hash;
  token.family = grant.id;
  token.client_id = grant.client_id;
  token.user_id = grant.user_id;
  token.payload = to_payload(grant);
  token.created = now;
  token.expires = std::min(now + lifetimes.refresh_idle, from_unix_seconds(grant.ends));
  return transaction.add_refresh_token(token);
}

/// Somebody presents a code for the second time: one of the two stole it.
Result<GrantOutcome> refuse_used_code(store::Transaction& transaction, const std::string& hash) {
  const Result<std::optional<store::OneTime>> used = transaction.take_one_time(kUsedCodeKind, hash);
  if (!used) return std::unexpected(used.error());
  if (*used) {
    const Result<std::size_t> revoked = transaction.revoke_family((*used)->payload);
    if (!revoked) return std::unexpected(revoked.error());
  }
  return unknown_value();
}

Result<void> store_new_grant(store::Transaction& transaction, const Granted& granted,
                             const CodeRedemption& redemption, const GrantLifetimes& lifetimes) {
  Result<void> done = mark_in_force(transaction, granted.grant, redemption.now, lifetimes);
  if (done && granted.gives_refresh_token) {
    done = add_refresh_token(transaction, granted.grant, redemption.refresh_token_hash,
                             redemption.now, lifetimes);
  }
  if (!done) return done;
  store::OneTime used;
  used.kind = kUsedCodeKind;
  used.hash = token_hash(redemption.code);
  used.payload = granted.grant.id;
  used.expires = redemption.now + lifetimes.access_token;
  return transaction.put_one_time(used);
}

/// The rotated token's second showing.
Result<GrantOutcome> judge_reuse(store::Transaction& transaction, const store::RefreshToken& token,
                                 const Refresh& refresh, const GrantLifetimes& lifetimes,
                                 Granted granted) {
  const bool repeat = refresh.now - token.rotated_at <= lifetimes.refresh_reuse_interval &&
                      !token.successor.empty();
  if (repeat) {
    granted.earlier_successor = token.successor;
    const Result<void> marked = mark_in_force(transaction, granted.grant, refresh.now, lifetimes);
    if (!marked) return std::unexpected(marked.error());
    return granted;
  }
  const Result<std::size_t> revoked = transaction.revoke_family(token.family);
  if (!revoked) return std::unexpected(revoked.error());
  return unknown_value();
}

Result<GrantOutcome> rotate(store::Transaction& transaction, store::RefreshToken token,
                            const Refresh& refresh, const GrantLifetimes& lifetimes,
                            Granted granted) {
  token.rotated = true;
  token.rotated_at = refresh.now;
  token.successor = refresh.sealed_successor;
  Result<void> done = transaction.update_refresh_token(token);
  if (done) {
    done = add_refresh_token(transaction, granted.grant, refresh.successor_hash, refresh.now,
                             lifetimes);
  }
  if (done) done = mark_in_force(transaction, granted.grant, refresh.now, lifetimes);
  if (!done) return fail(std::move(done));
  return granted;
}

bool is_among(const std::vector<std::string>& asked, const std::vector<std::string>& granted) {
  return oauth::has_scope(asked, "openid") &&
         std::ranges::all_of(
             asked, [&](const std::string& scope) { return oauth::has_scope(granted, scope); });
}

}  // namespace

Result<GrantOutcome> redeem_code(store::Transaction& transaction, const CodeRedemption& redemption,
                                 const GrantLifetimes& lifetimes) {
  const std::string hash = token_hash(redemption.code);
  const Result<std::optional<store::OneTime>> taken = transaction.take_one_time(kCodeKind, hash);
  if (!taken) return std::unexpected(taken.error());
  if (!*taken) return refuse_used_code(transaction, hash);
  Result<AuthorizationCode> code = parse_authorization_code((*taken)->payload);
  if (!code) return fail(std::move(code));
  if ((*taken)->expires <= redemption.now) return unknown_value();
  if (std::optional<TokenError> refusal = judge_redemption(*code, redemption)) return *refusal;

  Result<store::User> user = active_user(transaction, code->grant.user_id);
  if (!user && user.error().code == ErrorCode::kNotFound) return unknown_value();
  if (!user) return fail(std::move(user));

  Granted granted;
  granted.grant = std::move(code->grant);
  granted.grant.id = redemption.grant_id;
  granted.grant.ends = unix_seconds(redemption.now + lifetimes.refresh_absolute);
  granted.user = std::move(*user);
  granted.scopes = granted.grant.scopes;
  granted.gives_refresh_token = oauth::has_scope(granted.scopes, "offline_access");
  const Result<void> stored = store_new_grant(transaction, granted, redemption, lifetimes);
  if (!stored) return std::unexpected(stored.error());
  return granted;
}

Result<GrantOutcome> refresh_grant(store::Transaction& transaction, const Refresh& refresh,
                                   const GrantLifetimes& lifetimes) {
  Result<std::optional<store::RefreshToken>> found =
      transaction.refresh_token(token_hash(refresh.refresh_token));
  if (!found) return fail(std::move(found));
  if (!*found || (*found)->client_id != refresh.client_id || (*found)->expires <= refresh.now) {
    return unknown_value();
  }
  store::RefreshToken& token = **found;
  Result<Grant> grant = parse_grant(token.payload);
  if (!grant) return fail(std::move(grant));
  if (refresh.scopes && !is_among(*refresh.scopes, grant->scopes)) {
    return TokenError{OAuthError::kInvalidScope, "scope must be among those granted, with openid"};
  }

  Result<store::User> user = active_user(transaction, token.user_id);
  if (!user && user.error().code == ErrorCode::kNotFound) {
    const Result<std::size_t> revoked = transaction.revoke_family(token.family);
    if (!revoked) return std::unexpected(revoked.error());
    return unknown_value();
  }
  if (!user) return fail(std::move(user));

  Granted granted;
  granted.scopes = refresh.scopes ? *refresh.scopes : grant->scopes;
  granted.grant = std::move(*grant);
  granted.user = std::move(*user);
  granted.gives_refresh_token = true;
  if (token.rotated) {
    return judge_reuse(transaction, token, refresh, lifetimes, std::move(granted));
  }
  return rotate(transaction, std::move(token), refresh, lifetimes, std::move(granted));
}

}  // namespace gatehouse::identity
