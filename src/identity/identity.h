// The identity role as the composition root sees it: the OpenID provider under the issuer's path.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/entropy.h"
#include "base/executor.h"
#include "base/task.h"
#include "config/settings.h"
#include "http/message.h"
#include "store/store.h"

namespace gatehouse::identity {

/// State that all loops see: clients, signing keys, failed-login counters.
class Shared {
 public:
  /// `settings.issuer` is complete here. `passwords` runs the hashes; it must be gone before the
  /// last reference to what this gives. `trusted_proxies`: whose X-Forwarded-For says where a login
  /// comes from, by which failures are counted.
  static std::shared_ptr<Shared> make(config::Identity settings, Secret sealing_key,
                                      BlockingPool& passwords, Entropy& entropy, const Clock& clock,
                                      std::vector<std::string> trusted_proxies = {});
  virtual ~Shared() = default;
  /// Loads (at first start: makes) signing keys and the users of the file. Blocking. kInvalid for
  /// settings that break a rule, kCorrupt if the sealing key does not open the signing keys.
  virtual Result<void> start(store::Database& database) = 0;
  virtual bool ready() const = 0;
};

class Provider : public http::Handler {
 public:
  /// One a loop. Answers everything below the issuer's path.
  static std::unique_ptr<Provider> make(std::shared_ptr<Shared> shared, Executor& home,
                                        store::Store store, Entropy& entropy, const Clock& clock);
  /// Rotates keys, collects expired rows. Called on one loop about every minute.
  virtual Task<void> maintain() = 0;
};

/// For `gatehouse user add|list|passwd`; blocking. kInvalid for a bad address or a password that
/// NIST SP 800-63B-4 would refuse (under 8 characters, over 1024, among the most common).
Result<store::User> add_user(store::Database& database, std::string email, const Secret& password,
                             std::vector<std::string> groups, Entropy& entropy, const Clock& clock);
Result<void> set_password(store::Database& database, std::string_view email, const Secret& password,
                          Entropy& entropy, const Clock& clock);

}  // namespace gatehouse::identity
