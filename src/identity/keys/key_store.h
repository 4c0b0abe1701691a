// Loads the signing keys from the store and makes those that are missing.
//
// Making an RSA key takes a good part of a second, so it never happens inside a transaction: keys
// are made first and added only if they are still missing then, for another replica may have been
// quicker.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "identity/keys/key_rotation.h"
#include "store/contract.h"

namespace gatehouse::identity {

/// A key that was made for an algorithm that lacked one.
using MadeKeys = std::vector<jose::SigningKey>;

/// What one pass over the store found.
struct KeyPass {
  std::shared_ptr<const SigningKeys> keys;
  std::vector<jose::Algorithm> missing;  // a key has to be made of each, and the pass repeated
};

/// One pass, in one transaction: adds what of `made` is still missing, then loads. Errors of the
/// store; kCorrupt if a key does not open.
Result<KeyPass> pass_over_keys(store::Transaction& transaction, const KeyVault& vault,
                               const MadeKeys& made, const RotationTimes& times, WallTime now);

/// One key of each algorithm. Blocking and slow.
Result<MadeKeys> make_keys(const std::vector<jose::Algorithm>& algorithms);

/// A pass adds at most one key of each algorithm: the first start needs two (the current key and
/// the next one) and a last pass that finds none missing.
inline constexpr int kKeyPassLimit = 4;

}  // namespace gatehouse::identity
