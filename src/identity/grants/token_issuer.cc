#include "identity/grants/token_issuer.h"

#include "base/encoding.h"
#include "crypto/digest.h"
#include "identity/grants/claims.h"
#include "jose/jwt.h"
#include "oauth/scope.h"

namespace gatehouse::identity {

std::string at_hash(std::string_view access_token) {
  const std::string digest = crypto::sha256(access_token);
  return base64url_encode(std::string_view(digest).substr(0, digest.size() / 2));
}

TokenIssuer::TokenIssuer(std::string issuer, TokenLifetimes lifetimes, const KeyRing& keys,
                         Entropy& entropy, const Clock& clock)
    : issuer_(std::move(issuer)),
      lifetimes_(lifetimes),
      keys_(keys),
      entropy_(entropy),
      clock_(clock) {}

Result<Json> TokenIssuer::issue(const Client& client, const Granted& granted,
                                std::string_view refresh_token) const {
  const WallTime now = clock_.now();
  const std::shared_ptr<const SigningKeys> keys = keys_.snapshot();
  const jose::SigningKey* const access_key =
      keys ? keys->current(jose::Algorithm::kEs256, now) : nullptr;
  const jose::SigningKey* const id_key =
      keys ? keys->current(id_token_algorithm(client), now) : nullptr;
  if (access_key == nullptr || id_key == nullptr) {
    return fail(ErrorCode::kUnavailable, "there is no signing key that is in force");
  }

  const long long seconds = unix_seconds(now);
  const Result<std::string> access_token =
      jose::sign_jwt(*access_key, access_token_claims(client, granted, seconds), kAccessTokenType);
  if (!access_token) return std::unexpected(access_token.error());
  const Result<std::string> id_token =
      jose::sign_jwt(*id_key, id_token_claims(client, granted, *access_token, seconds));
  if (!id_token) return std::unexpected(id_token.error());

  Json answer = {{"access_token", *access_token},
                 {"token_type", "bearer"},
                 {"expires_in", lifetimes_.access_token.count()},
                 {"id_token", *id_token},
                 {"scope", oauth::join_scope(granted.scopes)}};
  if (!refresh_token.empty()) answer["refresh_token"] = refresh_token;
  return answer;
}

Json TokenIssuer::access_token_claims(const Client& client, const Granted& granted,
                                      long long now) const {
  return {{"iss", issuer_},
          {"sub", subject(granted.user.id, kLocalConnector)},
          {"aud", issuer_},
          {"client_id", client.id},
          {"scope", oauth::join_scope(granted.scopes)},
          {"iat", now},
          {"exp", now + lifetimes_.access_token.count()},
          {"auth_time", granted.grant.auth_time},
          {"jti", entropy_.token(16)},
          {kGrantClaim, granted.grant.id}};
}

Json TokenIssuer::id_token_claims(const Client& client, const Granted& granted,
                                  std::string_view access_token, long long now) const {
  Json claims = user_claims(granted.user, granted.scopes);
  claims["iss"] = issuer_;
  claims["sub"] = subject(granted.user.id, kLocalConnector);
  claims["aud"] = client.id;
  claims["iat"] = now;
  claims["exp"] = now + lifetimes_.id_token.count();
  claims["auth_time"] = granted.grant.auth_time;
  claims["at_hash"] = at_hash(access_token);
  if (!granted.grant.nonce.empty()) claims["nonce"] = granted.grant.nonce;
  return claims;
}

}  // namespace gatehouse::identity
