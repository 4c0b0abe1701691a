// The question the gateway asks before a request goes on, and the three answers there are.
//
// In process the gatekeeper answers; remote authorizers answer over ext_authz. Every error denies:
// no boolean, exception or null stands for any of the three.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"

namespace gatehouse::http {

struct Allow {
  /// Set on the upstream request, after the removals. Values are field values already.
  std::vector<std::pair<std::string, std::string>> set;
  /// Removed from the upstream request.
  std::vector<std::string> remove;
  /// For the log and for ending what is open: may be empty.
  std::string user;
  std::string session;
};

/// The complete answer for the client: a redirect to log in, a 401, a 403, a 503.
struct Deny {
  Response response;
};

/// The judge could not judge. The client gets 503 or what the configuration says; never the page.
struct Failure {
  Error error;
};

using Verdict = std::variant<Failure, Deny, Allow>;

/// One a loop.
class Authorizer {
 public:
  virtual ~Authorizer() = default;

  /// Judges the request as it came from the client, before any header is changed. Does not read
  /// the body. `request` outlives the task.
  virtual Task<Verdict> judge(const Request& request) = 0;

  /// What judge() would answer, if that is an Allow and is known without waiting; null: ask judge().
  /// Valid until the next call of this object. Saves the common case a coroutine and a copy.
  virtual const Allow* allowed_at_once(const Request& request) {
    static_cast<void>(request);
    return nullptr;
  }

  /// Names of the request headers that only this authorizer may set (`kubeflow-userid`): the
  /// gateway removes the client's own copies under any spelling before it applies a verdict.
  virtual const std::vector<std::string>& managed_headers() const = 0;

  /// Names of the cookies that must not reach an upstream; "prefix*" matches by prefix.
  virtual const std::vector<std::string>& private_cookies() const = 0;
};

}  // namespace gatehouse::http
