// One loop's own copies of the key ring's keys, with the contexts that make them quick, which are
// not thread-safe.
//
// Rebuilt when the ring's epoch moves or one of the keys expires; else a look-up is two compares.
// A key past its time never verifies or opens anything, whoever still holds it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/result.h"
#include "crypto/sealer.h"
#include "gatekeeper/key_ring.h"
#include "jose/jwt.h"

namespace gatehouse::gatekeeper {

/// One a loop.
class KeyView {
 public:
  KeyView(const KeyRing& ring, Entropy& entropy, const Clock& clock);

  /// All keys whose sessions are accepted now.
  std::span<jose::Hs256Key> session_keys();
  /// Another number whenever session_keys() has changed.
  std::uint64_t version() {
    renew();
    return version_;
  }
  /// The key that signs now; null when there is none (the store was away for a whole rotation):
  /// nobody can then be signed in.
  jose::Hs256Key* session_signer();

  /// Seals a login in progress; kUnavailable when no key seals now.
  Result<std::string> seal_login(std::string_view plain, std::string_view context);
  /// kInvalid for what seal_login() did not make in this context.
  Result<std::string> open_login(std::string_view sealed, std::string_view context);

 private:
  struct LoginKey {
    std::string kid;
    crypto::Sealer sealer;
  };

  void renew();

  const KeyRing& ring_;
  Entropy& entropy_;
  const Clock& clock_;
  std::uint64_t epoch_ = 0;
  std::uint64_t version_ = 0;
  WallTime made_{};     // a clock that went back makes the copies anew
  WallTime changes_{};  // when the first of the keys held begins or ends something
  std::vector<jose::Hs256Key> session_;
  std::vector<LoginKey> login_;
  jose::Hs256Key* signer_ = nullptr;  // of session_
  LoginKey* login_signer_ = nullptr;  // of login_
};

}  // namespace gatehouse::gatekeeper
