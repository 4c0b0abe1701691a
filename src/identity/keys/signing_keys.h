// The provider's signing keys as all loops see them: an immutable snapshot.
//
// Of each algorithm there is a key that signs, one published ahead that will sign next, and those
// that sign no more but whose tokens still live. Which one signs is a matter of the time alone, so
// that all loops and replicas change over at the same moment without a word.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "jose/jwk.h"

namespace gatehouse::identity {

struct TimedKey {
  jose::SigningKey key;
  WallTime active_from{};
  WallTime expires{};
};

class SigningKeys {
 public:
  /// `keys` of all algorithms, in any order; those expired at `now` are left out.
  SigningKeys(std::vector<TimedKey> keys, WallTime now);

  /// The youngest key of that algorithm that is active; nullptr if there is none.
  const jose::SigningKey* current(jose::Algorithm algorithm, WallTime now) const;
  /// Whatever a token that is still good may be signed by.
  const std::vector<jose::VerificationKey>& accepted() const { return accepted_; }
  /// The JWK Set: keys that sign first, then those published ahead, then the old ones.
  const std::string& jwks() const { return jwks_; }

 private:
  std::vector<TimedKey> keys_;  // the youngest first
  std::vector<jose::VerificationKey> accepted_;
  std::string jwks_;
};

/// Where the loops find the snapshot that is in force. Thread-safe.
class KeyRing {
 public:
  /// nullptr before the first publish().
  std::shared_ptr<const SigningKeys> snapshot() const {
    const std::scoped_lock lock(mutex_);
    return keys_;
  }
  void publish(std::shared_ptr<const SigningKeys> keys) {
    const std::scoped_lock lock(mutex_);
    keys_ = std::move(keys);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const SigningKeys> keys_;
};

}  // namespace gatehouse::identity
