// The question the gateway asks before a request goes on, and the three answers there are.
//
// In process the gatekeeper answers; remote authorizers answer over ext_authz. Every error denies:
// no boolean, exception or null stands for any of the three.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"

namespace gatehouse::http {

/// What is done with a field of an answer, by what stands there under its name.
struct FieldChange {
  enum class Action {
    kSet,           // takes the place of all of that name
    kAppend,        // stands beside them
    kAddIfAbsent,   // only if there is none
    kSetIfPresent,  // only if there is one, in its place
  };
  std::string name;
  std::string value;
  Action action = Action::kSet;
  bool operator==(const FieldChange&) const = default;
};

struct Allow {
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  /// Set on the upstream request, after the removals. Values are field values already.
  Pairs set;
  /// Removed from the upstream request.
  std::vector<std::string> remove;
  /// For the log and for ending what is open: may be empty.
  std::string user;
  std::string session;
  /// Added to the upstream request, beside what stands there under that name.
  Pairs append;
  /// Done to the answer, whoever gives it.
  std::vector<FieldChange> response;
  /// Of the target's query: what goes, and then what takes the place of all of its name. Text that
  /// may hold escapes; what a query cannot hold is escaped when it is written.
  std::vector<std::string> query_remove;
  Pairs query_set;
  /// Nobody judged: the judge failed, and the configuration lets requests pass then.
  bool unjudged = false;
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

/// How much of a request's body an authorizer wants to know.
struct BodyWanted {
  std::size_t bytes = 0;    // 0: nothing of it
  bool may_be_cut = false;  // a longer one is told in part; false: it is refused, by 413
};

/// One a loop.
class Authorizer {
 public:
  virtual ~Authorizer() = default;

  /// Judges the request as it came from the client, before any header is changed. Does not read
  /// the body: of that it knows request.body.bytes, which hold as much as body_wanted() says, also
  /// where the body is a stream. `request` outlives the task.
  virtual Task<Verdict> judge(const Request& request) = 0;

  /// What judge() would answer, if that is an Allow and is known without waiting; null: ask
  /// judge(). Valid until the next call of this object. Saves the common case a coroutine and a
  /// copy.
  virtual const Allow* allowed_at_once(const Request& request) {
    static_cast<void>(request);
    return nullptr;
  }

  /// Names of the request headers that only this authorizer may set (`kubeflow-userid`): the
  /// gateway removes the client's own copies under any spelling before it applies a verdict.
  virtual const std::vector<std::string>& managed_headers() const = 0;

  /// Names of the cookies that must not reach an upstream; "prefix*" matches by prefix.
  virtual const std::vector<std::string>& private_cookies() const = 0;

  /// True if the value of an Authorization field is this authorizer's own credential, which no
  /// upstream may see, not even where nobody is asked.
  virtual bool is_own_credential(std::string_view authorization) {
    static_cast<void>(authorization);
    return false;
  }

  /// What must have been read into request.body.bytes before judge().
  virtual BodyWanted body_wanted() const { return {}; }
};

}  // namespace gatehouse::http
