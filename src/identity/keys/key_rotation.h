// When a signing key begins and ends, and how the keys are kept: PKCS #8, sealed, in the store.
//
// At any time the key after the current one is already made and published, a whole rotation ahead:
// a relying party that keeps the JWK Set for jwks_max_age() has every key before its first
// signature. A key stays published until the last token that it signed has expired.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/secret.h"
#include "identity/keys/signing_keys.h"
#include "jose/jwk.h"
#include "store/contract.h"

namespace gatehouse::identity {

struct RotationTimes {
  std::chrono::seconds rotation{};        // how long a key signs
  std::chrono::seconds token_lifetime{};  // of the longest-lived token
};

/// From when to when the next key that has to be made will sign; nullopt if none has to be made.
/// `keys` are those of one algorithm. Called again until it gives nullopt.
struct SigningPeriod {
  WallTime active_from{};
  WallTime retires{};
  WallTime expires{};
};
std::optional<SigningPeriod> missing_period(const std::vector<store::Key>& keys, WallTime now,
                                            const RotationTimes& times);

/// For Cache-Control of the JWK Set: well below the time for which a key is published ahead.
std::chrono::seconds jwks_max_age(std::chrono::seconds rotation);

/// "sign/RS256", "sign/ES256": the purpose under which the store keeps the keys.
std::string key_purpose(jose::Algorithm algorithm);

/// Seals and opens private keys. The purpose and the kid are bound in, so that rows cannot be
/// exchanged for one another.
class KeyVault {
 public:
  KeyVault(const Secret& sealing_key, Entropy& entropy);

  store::Key seal(const jose::SigningKey& key, const SigningPeriod& period, WallTime now) const;
  /// kCorrupt says that the sealing key is not the one that sealed it, or that the row is damaged.
  Result<TimedKey> open(const store::Key& row, jose::Algorithm algorithm) const;

 private:
  const Secret key_;
  Entropy& entropy_;
};

}  // namespace gatehouse::identity
