// The session token: the JWT (HS256) in the session cookie, which says who is signed in.
//
// Made once at login, judged at every request, so reading it is a walk over bytes that we signed
// ourselves, in the one member order that we write; whatever departs from it is refused. Size and
// form are looked at before any cryptography, the signature before any claim. The token is good
// from `issued` (less a tolerance for clocks) until `expires`; whether it was revoked meanwhile is
// for revocations.h to say.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "jose/jwt.h"

namespace gatehouse::gatekeeper {

struct SessionClaims {
  std::string session;  // id; fresh at each login
  std::string user;     // the user id header's value
  std::string email;
  std::string name;
  std::string groups;  // the groups header's value: comma-joined
  long long issued = 0;
  long long expires = 0;  // Unix seconds
};

/// Why a token is no session. None of these reaches the client: each is a stranger to us.
enum class SessionError {
  kForm,       // too long, or not three non-empty parts of base64url
  kSignature,  // no key of ours signed it
  kClaims,     // signed by us, but not a session of this gatekeeper
  kExpired,
  kNotYetValid,  // issued in the future: a clock jumped
  kRevoked,      // signed out
  kAmbiguous,    // two sessions at once: somebody planted one
};
/// A short constant for the access log.
std::string_view to_string(SessionError error);

/// Browsers keep 4,096 bytes of a cookie, name and attributes included.
inline constexpr std::size_t kSessionTokenLimit = std::size_t{3} * 1024;
/// How far the clocks of two replicas may be apart.
inline constexpr std::chrono::seconds kClockTolerance{300};

/// Reads and writes the tokens of one gatekeeper.
class SessionTokens {
 public:
  /// `audience` keeps the sessions of two installations that share a store apart.
  explicit SessionTokens(std::string_view audience);

  std::string make(const SessionClaims& claims, jose::Hs256Key& key) const;
  Result<SessionClaims, SessionError> read(std::string_view token, std::span<jose::Hs256Key> keys,
                                           WallTime now) const;

 private:
  std::string head_;  // of the payload, up to the session id
};

}  // namespace gatehouse::gatekeeper
