// The redirect URI: the browser comes back from the provider with a code, and leaves with a session
// (OpenID Connect Core §3.1.2.5 to §3.1.3.7).
//
// The way of an answer: its parameters stand once each → its state has a login cookie → it names
// our provider → the code is exchanged → the ID token is judged → the person fits into headers →
// the session stands in the store → the cookie is set, and 303 to the page first asked for.
//
// An answer without its login (stale, replayed, another browser's) leads on if there is a live
// session, and starts afresh if not; a browser that keeps no cookies gets a page that says so
// instead of a loop. Whatever else fails ends on a page that says what to do, and signs nobody in.
#pragma once

#include <optional>
#include <string>

#include "base/task.h"
#include "gatekeeper/authorization_answer.h"
#include "gatekeeper/login_redirect.h"
#include "gatekeeper/login_state.h"
#include "gatekeeper/loop_parts.h"
#include "gatekeeper/person.h"
#include "http/message.h"

namespace gatehouse::gatekeeper {

/// Logins in a row that lead to no session before the browser is taken to keep no cookies.
inline constexpr unsigned kRounds = 3;

/// One a loop.
class Callback {
 public:
  Callback(const LoopParts& parts, LoginRedirect& login) : parts_(parts), login_(login) {}

  Task<http::Response> handle(http::Request& request);

 private:
  /// An answer that goes with a login of this browser.
  struct Arrival {
    AuthorizationAnswer answer;
    LoginState login;
    std::string login_cookie;  // its name
    bool live_session = false;
  };

  std::optional<Arrival> find_login(const http::Request& request, AuthorizationAnswer answer) const;
  Task<http::Response> stale(http::Request& request, std::string_view state, std::string target,
                             bool live_session);
  Task<http::Response> arrive(http::Request& request, Arrival& arrival);
  /// The page of an answer that carries no code, or is not our provider's; none if it is good.
  Task<std::optional<http::Response>> objection(http::Request& request, const Arrival& arrival);
  Task<Result<Person>> identify(const http::Request& request, const Arrival& arrival);
  Task<http::Response> failed(http::Request& request, const Arrival& arrival, Error error);
  Task<http::Response> sign_in(http::Request& request, const Arrival& arrival, Person person);
  http::Response welcome(http::Request& request, const Arrival& arrival, std::string_view token);

  const LoopParts& parts_;
  LoginRedirect& login_;
};

}  // namespace gatehouse::gatekeeper
