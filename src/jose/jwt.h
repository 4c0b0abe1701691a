// JSON Web Tokens in the compact form (RFC 7515, 7519), judged as RFC 8725 advises: the key says
// the algorithm, never the token.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "jose/jwk.h"

namespace gatehouse::jose {

/// Why a token is refused. A message for people: to_string().
enum class JwtError {
  kMalformed,    // not three base64url parts of JSON objects, or too long
  kAlgorithm,    // "none", unknown, or not the key's
  kCritical,     // a "crit" header that is not understood
  kUnknownKey,   // no key of that kid and algorithm
  kSignature,    // does not verify
  kType,         // "typ" is not the expected one
  kExpired,      // exp passed, or missing
  kNotYetValid,  // nbf or iat lies ahead
  kIssuer,       // iss is not the expected one
  kAudience,     // aud is missing or does not hold the expected one
  kClaims,       // a registered claim has the wrong type
};
std::string_view to_string(JwtError error);

inline constexpr std::size_t kTokenLimit = std::size_t{16} * 1024;

/// {"alg", "typ", "kid"} . claims . signature.
Result<std::string> sign_jwt(const SigningKey& key, const Json& claims,
                             std::string_view type = "JWT");

struct Expected {
  std::string issuer;               // must be equal; empty is refused, not skipped
  std::string audience;             // must be in aud; empty is refused, not skipped
  std::string type;                 // of "typ", without case; empty: not looked at
  std::chrono::seconds leeway{60};  // for exp, nbf, iat
};

/// The claims of a token that one of the keys signed and that is valid now. A token with a kid is
/// tried on the keys of that kid, one without on all of its algorithm (at most 8).
Result<Json, JwtError> verify_jwt(std::string_view token, std::span<const VerificationKey> keys,
                                  const Expected& expected, WallTime now);

/// The signature only, over any payload: for RFC 7515's own cases and for callers that judge the
/// claims by rules of their own.
Result<std::string, JwtError> verify_jws(std::string_view compact,
                                         std::span<const VerificationKey> keys);

/// A symmetric key with its reusable context: for this program's own cookies. One a thread.
class Hs256Key {
 public:
  /// `key` has 32 bytes or more (RFC 7518 §3.2); the process ends otherwise.
  Hs256Key(std::string kid, const Secret& key);
  const std::string& kid() const { return kid_; }
  /// `payload` is JSON text, kept byte for byte.
  std::string sign(std::string_view payload);

 private:
  friend Result<std::string, JwtError> verify_hs256(std::string_view, std::span<Hs256Key>);
  std::string kid_;
  crypto::HmacSha256 hmac_;
  std::string header_;  // as it stands in each token, with the dot that ends it
};

/// The payload's bytes, if one of the keys (by kid) signed the token. The header must be exactly
/// the one that sign() makes for that key. Judges no claims.
Result<std::string, JwtError> verify_hs256(std::string_view token, std::span<Hs256Key> keys);

}  // namespace gatehouse::jose
