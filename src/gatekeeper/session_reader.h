// Who does a request say it is from? Looks at the session cookie and at a Bearer token that is one
// of our sessions, and gives at most one session.
//
// A cookie name that comes more than once was planted by somebody: the request counts only if all
// good copies are one session. A Bearer token that is not ours is left alone; it is meant for the
// upstream.
#pragma once

#include <optional>

#include "base/clock.h"
#include "gatekeeper/cookie_names.h"
#include "gatekeeper/key_view.h"
#include "gatekeeper/request_origin.h"
#include "gatekeeper/revocations.h"
#include "gatekeeper/session_token.h"
#include "http/message.h"

namespace gatehouse::gatekeeper {

struct Presented {
  std::optional<SessionClaims> session;
  /// Why something that was shown is no session, if so.
  std::optional<SessionError> refused;
  bool bad_cookie = false;  // a session cookie came and is no good: to be deleted
  bool bearer = false;      // an Authorization field holds a token of ours: not for the upstream
};

/// One a loop.
class SessionReader {
 public:
  SessionReader(const SessionTokens& tokens, const CookieNames& names, const RequestOrigin& origin,
                KeyView& keys, RevocationView& revocations, const Clock& clock);

  Presented read(const http::Request& request);
  /// True if the value of an Authorization field holds a token of ours, good or not any more.
  bool is_bearer_of_ours(std::string_view authorization);
  /// The value of the one session cookie, if no more than that has to be looked at to know who
  /// asks: it comes once, and no Authorization field does. Else "".
  std::string_view lone_cookie(const http::Request& request) const;

 private:
  Result<SessionClaims, SessionError> judge(std::string_view token);
  /// nullopt: no token of ours.
  std::optional<Result<SessionClaims, SessionError>> judge_bearer(std::string_view authorization);
  void read_cookies(const http::Request& request, Presented& out);
  void read_bearer(const http::Request& request, Presented& out);

  const SessionTokens& tokens_;
  const CookieNames& names_;
  const RequestOrigin& origin_;
  KeyView& keys_;
  RevocationView& revocations_;
  const Clock& clock_;
};

}  // namespace gatehouse::gatekeeper
