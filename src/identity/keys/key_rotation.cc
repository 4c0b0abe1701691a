#include "identity/keys/key_rotation.h"

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/sealer.h"

namespace gatehouse::identity {
namespace {

/// For clocks that differ, on top of the lifetime of the tokens.
constexpr std::chrono::seconds kClockDifference{300};
constexpr std::chrono::seconds kLongestJwksAge{3'600};

std::string seal_context(const store::Key& row) {
  return row.purpose + "/" + row.kid;
}

}  // namespace

std::optional<SigningPeriod> missing_period(const std::vector<store::Key>& keys, WallTime now,
                                            const RotationTimes& times) {
  WallTime covered_until = now;
  bool published_ahead = false;
  for (const store::Key& key : keys) {
    if (key.expires <= now) continue;
    covered_until = std::max(covered_until, key.retires);
    published_ahead = published_ahead || key.active_from > now;
  }
  if (published_ahead) return std::nullopt;
  SigningPeriod period;
  period.active_from = covered_until;
  period.retires = period.active_from + times.rotation;
  period.expires = period.retires + times.token_lifetime + kClockDifference;
  return period;
}

std::chrono::seconds jwks_max_age(std::chrono::seconds rotation) {
  return std::min(kLongestJwksAge, rotation / 4);
}

std::string key_purpose(jose::Algorithm algorithm) {
  return "sign/" + std::string(jose::to_string(algorithm));
}

KeyVault::KeyVault(const Secret& sealing_key, Entropy& entropy)
    : key_(crypto::derive_key(sealing_key, "identity/signing-keys")), entropy_(entropy) {}

store::Key KeyVault::seal(const jose::SigningKey& key, const SigningPeriod& period,
                          WallTime now) const {
  store::Key row;
  row.purpose = key_purpose(key.algorithm);
  row.kid = key.kid;
  row.sealed = crypto::Sealer(key_, entropy_).seal(key.key.der().reveal(), seal_context(row));
  row.created = now;
  row.active_from = period.active_from;
  row.retires = period.retires;
  row.expires = period.expires;
  return row;
}

Result<TimedKey> KeyVault::open(const store::Key& row, jose::Algorithm algorithm) const {
  Result<std::string> der = crypto::Sealer(key_, entropy_).open(row.sealed, seal_context(row));
  if (!der) {
    return fail(ErrorCode::kCorrupt, "the signing key " + row.kid +
                                         " does not open: store.sealing_key is not the one it was "
                                         "sealed with, or the row is damaged");
  }
  Result<crypto::PrivateKey> key = crypto::PrivateKey::from_der(Secret(std::move(*der)));
  if (!key) return fail(std::move(key).error().code, "the signing key " + row.kid + " is damaged");
  return TimedKey{{row.kid, algorithm, std::move(*key)}, row.active_from, row.expires};
}

}  // namespace gatehouse::identity
