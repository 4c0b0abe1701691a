// /healthz: whether a login could work now. It reads from the store, so that a wedged database
// shows, and writes nothing, so that health checks cannot fill it.
#pragma once

#include "http/message.h"
#include "identity/keys/signing_keys.h"
#include "store/store.h"

namespace gatehouse::identity {

class HealthEndpoint final : public http::Handler {
 public:
  HealthEndpoint(const KeyRing& keys, store::Store& store) : keys_(keys), store_(store) {}
  Task<http::Response> handle(http::Request& request) override;

 private:
  const KeyRing& keys_;
  store::Store& store_;
};

}  // namespace gatehouse::identity
