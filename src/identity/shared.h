// What all loops of the identity role share.
#pragma once

#include <atomic>
#include <memory>

#include "http/trusted_proxies.h"
#include "identity/clients/clients.h"
#include "identity/identity.h"
#include "identity/keys/key_rotation.h"
#include "identity/keys/key_store.h"
#include "identity/keys/signing_keys.h"
#include "identity/login/login_throttle.h"
#include "identity/passwords/password_verifier.h"

namespace gatehouse::identity {

class SharedState final : public Shared {
 public:
  SharedState(config::Identity settings, Secret sealing_key, BlockingPool& passwords,
              Entropy& entropy, const Clock& clock, std::vector<std::string> trusted_proxies = {});

  Result<void> start(store::Database& database) override;
  bool ready() const override { return keys_.snapshot() != nullptr; }

  const config::Identity& settings() const { return settings_; }
  const Secret& sealing_key() const { return sealing_key_; }
  const Clients& clients() const { return clients_; }
  LoginThrottle& throttle() { return throttle_; }
  /// Known after start().
  const http::TrustedProxies& trusted_proxies() const { return trusted_proxies_; }
  PasswordVerifier& passwords() { return verifier_; }
  BlockingPool& pool() { return pool_; }
  KeyRing& keys() { return keys_; }
  const KeyVault& vault() const { return vault_; }
  RotationTimes rotation_times() const;

 private:
  Result<void> load_keys(store::Database& database);

  const config::Identity settings_;
  const Secret sealing_key_;
  BlockingPool& pool_;
  Entropy& entropy_;
  const Clock& clock_;
  const Clients clients_;
  const std::vector<std::string> trusted_proxy_entries_;
  http::TrustedProxies trusted_proxies_;
  LoginThrottle throttle_;
  PasswordVerifier verifier_;
  const KeyVault vault_;
  KeyRing keys_;
};

}  // namespace gatehouse::identity
