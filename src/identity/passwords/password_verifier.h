// Checks passwords on the pool for what computes long, always at the same price.
//
// Exactly one hash is computed for each try: the user's own, or, for an unknown user, a disabled
// one and one without a password, a decoy of the same cost. How long an answer takes therefore
// tells nobody who exists.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/blocking_pool.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/task.h"
#include "crypto/password.h"

namespace gatehouse::identity {

/// A hash in PHC form that no password has, for its salt and its digest are chance: it costs as
/// much to compare with as a user's, and nothing to make.
std::string make_decoy(const crypto::Argon2Cost& cost, Entropy& entropy);

struct PasswordVerdict {
  bool matches = false;
  /// A hash of today's cost to put in the place of the one that was checked.
  std::optional<std::string> rehashed;
};

/// One for all loops; thread-safe.
class PasswordVerifier {
 public:
  PasswordVerifier(BlockingPool& pool, crypto::Argon2Cost cost, Entropy& entropy)
      : pool_(pool), cost_(cost), entropy_(entropy), decoy_(make_decoy(cost, entropy)) {}

  /// `hash`: nullopt if there is none that could match. kExhausted: the pool is full.
  Task<Result<PasswordVerdict>> verify(Executor& home, Secret password,
                                       std::optional<std::string> hash);

  /// How many times a hash was computed to compare with: for metrics.
  std::uint64_t verifications() const { return verifications_.load(std::memory_order_relaxed); }

 private:
  Result<PasswordVerdict> verify_now(const Secret& password,
                                     const std::optional<std::string>& hash);

  BlockingPool& pool_;
  const crypto::Argon2Cost cost_;
  Entropy& entropy_;
  const std::string decoy_;
  std::atomic<std::uint64_t> verifications_ = 0;
};

}  // namespace gatehouse::identity
