// Sends a stranger to log in: a fresh state in a sealed cookie, and the redirect to the provider.
//
// Cheap on purpose, as strangers come uninvited: no store, and no word with the provider once its
// metadata is known (none at all if it lives behind this front door).
#pragma once

#include <string>

#include "base/task.h"
#include "gatekeeper/loop_parts.h"
#include "http/message.h"

namespace gatehouse::gatekeeper {

/// One a loop.
class LoginRedirect {
 public:
  explicit LoginRedirect(const LoopParts& parts) : parts_(parts) {}

  /// The redirect, never cached; 503 with Retry-After if the provider's metadata or a key is
  /// missing. `target`: where the login returns to. `round`: see StateParameter.
  Task<http::Response> start(const http::Request& request, std::string target, unsigned round);

 private:
  http::Response redirect(const http::Request& request, std::string_view endpoint,
                          std::string_view target, unsigned round);

  const LoopParts& parts_;
};

}  // namespace gatehouse::gatekeeper
