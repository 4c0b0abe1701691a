// What all loops of the process share: settings, keys, revocations, the client secret.
#pragma once

#include <atomic>
#include <string>

#include "base/clock.h"
#include "base/entropy.h"
#include "config/settings.h"
#include "gatekeeper/gatekeeper.h"
#include "gatekeeper/key_ring.h"
#include "gatekeeper/revocations.h"
#include "http/trusted_proxies.h"

namespace gatehouse::gatekeeper {

/// What start() fills is not changed afterwards, so that loops read it without a lock; keys and
/// revocations are thread-safe.
class SharedState final : public Shared {
 public:
  SharedState(config::Gatekeeper settings, std::string public_url, Secret sealing_key,
              Entropy& entropy, const Clock& clock);

  /// kInvalid for a trusted proxy that is none; kCorrupt if the sealing key does not open what is
  /// in the store; and the store's errors.
  Result<void> start(store::Database& database) override;
  Secret client_secret() const override { return client_secret_; }
  bool ready() const override { return ready_.load(std::memory_order_acquire); }

  const config::Gatekeeper& settings() const { return settings_; }
  const std::string& public_url() const { return public_url_; }
  const http::TrustedProxies& trusted_proxies() const { return trusted_proxies_; }
  KeyRing& keys() { return keys_; }
  Revocations& revocations() { return revocations_; }

  /// Keys and revocations as the store has them now; on the database's thread.
  Result<void> refresh(store::Transaction& transaction);

 private:
  Result<Secret> load_client_secret(store::Transaction& transaction);

  const config::Gatekeeper settings_;
  const std::string public_url_;
  const Secret secrets_key_;
  Entropy& entropy_;
  KeyRing keys_;
  Revocations revocations_;
  http::TrustedProxies trusted_proxies_;
  Secret client_secret_;
  std::atomic<bool> ready_{false};
};

}  // namespace gatehouse::gatekeeper
