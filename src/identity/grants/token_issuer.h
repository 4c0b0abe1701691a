// Makes the tokens of an answer of the token endpoint (RFC 6749 §5.1, OpenID Connect Core
// §3.1.3.3).
//
// The access token is a JWT of the type at+jwt (RFC 9068) for this provider alone (`aud` is the
// issuer): the userinfo endpoint refuses a forged one without asking the store. It is signed by
// ES256, which is twelve times cheaper to make than RS256. The ID token is signed as its client
// wants it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/json.h"
#include "identity/clients/clients.h"
#include "identity/grants/grant_exchange.h"
#include "identity/keys/signing_keys.h"

namespace gatehouse::identity {

inline constexpr std::string_view kAccessTokenType = "at+jwt";
/// The access token's claim with the id of the grant that it comes from.
inline constexpr const char* kGrantClaim = "grant";

struct TokenLifetimes {
  std::chrono::seconds id_token{};
  std::chrono::seconds access_token{};
};

class TokenIssuer {
 public:
  TokenIssuer(std::string issuer, TokenLifetimes lifetimes, const KeyRing& keys, Entropy& entropy,
              const Clock& clock);

  /// The members of the answer. kUnavailable if there is no key that may sign.
  Result<Json> issue(const Client& client, const Granted& granted,
                     std::string_view refresh_token) const;

 private:
  Json access_token_claims(const Client& client, const Granted& granted, long long now) const;
  Json id_token_claims(const Client& client, const Granted& granted, std::string_view access_token,
                       long long now) const;

  const std::string issuer_;
  const TokenLifetimes lifetimes_;
  const KeyRing& keys_;
  Entropy& entropy_;
  const Clock& clock_;
};

/// OpenID Connect Core §3.1.3.6, for the algorithms whose hash is SHA-256.
std::string at_hash(std::string_view access_token);

}  // namespace gatehouse::identity
