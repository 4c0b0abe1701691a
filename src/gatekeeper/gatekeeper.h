// The gatekeeper's parts as the composition root sees them. See the folder's other headers for how
// each works.
//
// Shared (thread-safe, one a process): Revocations, KeyRing. Per loop: Gatekeeper, which is the
// gateway's Authorizer, and the Handler of /authservice (callback, logout, verify, pages).
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/task.h"
#include "config/settings.h"
#include "http/authorizer.h"
#include "http/message.h"
#include "store/store.h"

namespace gatehouse::gatekeeper {

/// State that all loops of the process see: session keys, revoked sessions, the provider's
/// metadata and keys.
class Shared {
 public:
  /// `sealing_key`: 32 bytes, opens the keys in the store. `built_in_provider`: the identity role
  /// is in this process; client credentials are then agreed through the store.
  static std::shared_ptr<Shared> make(config::Gatekeeper settings, std::string public_url,
                                      Secret sealing_key, Entropy& entropy, const Clock& clock);
  virtual ~Shared() = default;

  /// Loads (at first start: makes) keys, client secret and revocations. Blocking; before serving.
  virtual Result<void> start(store::Database& database) = 0;
  /// The client secret in force, after start(): the identity role of the same process registers it.
  virtual Secret client_secret() const = 0;
  /// False until keys and revocations are loaded: readiness.
  virtual bool ready() const = 0;
};

class Gatekeeper : public http::Authorizer, public http::Handler {
 public:
  /// One a loop. `provider` reaches the OpenID provider: in process or over the network.
  static std::unique_ptr<Gatekeeper> make(std::shared_ptr<Shared> shared, store::Store store,
                                          http::Client& provider, Entropy& entropy,
                                          const Clock& clock);

  /// As Handler: everything below url_prefix. As the role alone: also any other path, which is
  /// judged (ext_authz over HTTP) when `judge_all` was asked for.
  virtual http::Handler& external_authorization() = 0;

  /// Work that comes round by time: polls the revocation log, rotates keys, collects expired rows.
  /// Called on one loop about every revocation_poll.
  virtual Task<void> maintain() = 0;
};

}  // namespace gatehouse::gatekeeper
