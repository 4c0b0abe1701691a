// JSON Web Keys (RFC 7517) as this program uses them: public keys that verify, private ones that
// sign, symmetric ones for its own cookies. A key has exactly one algorithm.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "crypto/signature.h"

namespace gatehouse::jose {

enum class Algorithm { kHs256, kRs256, kPs256, kEs256, kEs384, kEdDsa };
/// "RS256", …
std::string_view to_string(Algorithm algorithm);
/// nullopt for "none" and whatever else is not supported.
std::optional<Algorithm> parse_algorithm(std::string_view name);

struct VerificationKey {
  std::string kid;
  Algorithm algorithm = Algorithm::kRs256;  // never kHs256
  crypto::PublicKey key;
};

struct SigningKey {
  std::string kid;
  Algorithm algorithm = Algorithm::kRs256;  // never kHs256
  crypto::PrivateKey key;
};

/// A new key; its kid is its RFC 7638 thumbprint.
Result<SigningKey> generate_key(Algorithm algorithm);

/// The public JWK with kid, alg and `"use": "sig"`.
Json to_jwk(const VerificationKey& key);
VerificationKey public_part(const SigningKey& key);
/// RFC 7638, SHA-256, base64url.
std::string thumbprint(const crypto::PublicKey& key);

/// One public key. Refuses private members, `use` other than sig, `key_ops` without verify, an
/// `alg` that does not fit the key's type; without `alg`, RS256, ES256/ES384 or EdDSA by type.
Result<VerificationKey> parse_jwk(const Json& jwk);

/// The keys of a JWK Set that can verify; others are passed over. At most `limit` are read.
Result<std::vector<VerificationKey>> parse_jwks(std::string_view text, std::size_t limit = 100);
std::string to_jwks(const std::vector<VerificationKey>& keys);

}  // namespace gatehouse::jose
