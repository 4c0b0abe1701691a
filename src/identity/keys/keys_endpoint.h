// /keys: the JWK Set.
#pragma once

#include <chrono>

#include "http/message.h"
#include "identity/keys/signing_keys.h"

namespace gatehouse::identity {

class KeysEndpoint final : public http::Handler {
 public:
  /// `max_age` must be well below the time for which a key is published ahead.
  KeysEndpoint(const KeyRing& keys, std::chrono::seconds max_age)
      : keys_(keys), max_age_(max_age) {}
  Task<http::Response> handle(http::Request& request) override;

 private:
  const KeyRing& keys_;
  const std::chrono::seconds max_age_;
};

}  // namespace gatehouse::identity
