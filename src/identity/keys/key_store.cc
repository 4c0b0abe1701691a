#include "identity/keys/key_store.h"

#include <algorithm>
#include <array>

namespace gatehouse::identity {
namespace {

constexpr std::array kAlgorithms = {jose::Algorithm::kRs256, jose::Algorithm::kEs256};

/// The keys of one algorithm; adds the made one if a period has none.
Result<std::vector<store::Key>> complete(store::Transaction& transaction, const KeyVault& vault,
                                         jose::Algorithm algorithm, const MadeKeys& made,
                                         const RotationTimes& times, WallTime now) {
  Result<std::vector<store::Key>> rows = transaction.keys(key_purpose(algorithm));
  if (!rows) return rows;
  const auto fitting = std::ranges::find(made, algorithm, &jose::SigningKey::algorithm);
  const std::optional<SigningPeriod> period = missing_period(*rows, now, times);
  if (!period || fitting == made.end()) return rows;
  store::Key row = vault.seal(*fitting, *period, now);
  Result<void> added = transaction.add_key(row);
  if (!added) return fail(std::move(added));
  rows->push_back(std::move(row));
  return rows;
}

}  // namespace

Result<KeyPass> pass_over_keys(store::Transaction& transaction, const KeyVault& vault,
                               const MadeKeys& made, const RotationTimes& times, WallTime now) {
  KeyPass pass;
  std::vector<TimedKey> opened;
  for (const jose::Algorithm algorithm : kAlgorithms) {
    Result<std::vector<store::Key>> rows =
        complete(transaction, vault, algorithm, made, times, now);
    if (!rows) return fail(std::move(rows));
    for (const store::Key& row : *rows) {
      if (row.expires <= now) continue;
      Result<TimedKey> key = vault.open(row, algorithm);
      if (!key) return fail(std::move(key));
      opened.push_back(std::move(*key));
    }
    if (missing_period(*rows, now, times)) pass.missing.push_back(algorithm);
  }
  pass.keys = std::make_shared<const SigningKeys>(std::move(opened), now);
  return pass;
}

Result<MadeKeys> make_keys(const std::vector<jose::Algorithm>& algorithms) {
  MadeKeys made;
  for (const jose::Algorithm algorithm : algorithms) {
    Result<jose::SigningKey> key = jose::generate_key(algorithm);
    if (!key) return fail(std::move(key));
    made.push_back(std::move(*key));
  }
  return made;
}

}  // namespace gatehouse::identity
