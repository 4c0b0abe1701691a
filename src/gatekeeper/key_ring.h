// The gatekeeper's symmetric keys, as all loops and replicas share them: those that sign session
// tokens and those that seal logins in progress.
//
// They live in the store, sealed. A key is first published (accepted, not used), then signs from
// `active_from` to `retires`, then is still accepted until the last thing that it made ends. The
// next one is published a quarter of a rotation ahead, so that every replica has polled it before
// the first token that it signed comes along. Loops read an immutable snapshot and look whether
// there is a newer one by an atomic number (key_view.h).
//
// Failures: a key that does not open (another sealing key) fails the refresh, and the snapshot in
// force stays.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "store/contract.h"

namespace gatehouse::gatekeeper {

struct RingKey {
  std::string kid;
  Secret key;  // 32 bytes
  WallTime active_from{}, retires{}, expires{};

  bool signs_at(WallTime now) const { return active_from <= now && now < retires; }
};

/// Oldest first.
struct KeySnapshot {
  std::vector<RingKey> session, login;
};

/// Thread-safe.
class KeyRing {
 public:
  struct Lifetimes {
    std::chrono::seconds rotation;
    std::chrono::seconds session, login;  // how long what a key made is valid at most
  };

  KeyRing(Secret sealing_key, Lifetimes lifetimes, Entropy& entropy, const Clock& clock);

  /// Makes the keys that are due and publishes to this process what the store then holds. In a
  /// transaction, on the database's thread.
  Result<void> refresh(store::Transaction& transaction);

  /// Moves with each new snapshot; 0 before the first.
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  /// Never null.
  std::shared_ptr<const KeySnapshot> snapshot() const;

 private:
  Result<std::vector<RingKey>> refresh_purpose(store::Transaction& transaction,
                                               std::string_view purpose,
                                               std::chrono::seconds accepted_for,
                                               const std::vector<RingKey>& known);
  Result<store::Key> add_key(store::Transaction& transaction, std::string_view purpose,
                             WallTime active_from, std::chrono::seconds accepted_for);
  Result<RingKey> open(const store::Key& stored) const;
  void publish(KeySnapshot snapshot);

  const Secret key_of_keys_;
  const Lifetimes lifetimes_;
  Entropy& entropy_;
  const Clock& clock_;
  std::atomic<std::uint64_t> epoch_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<const KeySnapshot> snapshot_;  // under mutex_
};

}  // namespace gatehouse::gatekeeper
