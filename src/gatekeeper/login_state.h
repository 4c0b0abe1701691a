// A login in progress: what the callback needs to know again, kept by the browser in a sealed
// cookie, one for each `state`, so that tabs do not disturb one another and no store is written for
// a stranger.
//
// The state itself is bound in as what the seal is for: a cookie opens only together with the
// state that it was made for. At most kLoginsInProgress cookies are kept; the oldest go.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/result.h"
#include "gatekeeper/key_view.h"
#include "http/headers.h"

namespace gatehouse::gatekeeper {

inline constexpr std::size_t kLoginsInProgress = 6;
/// So that a cookie stays below the 4,096 bytes that browsers keep.
inline constexpr std::size_t kTargetLimit = 2'000;

struct LoginState {
  std::string nonce;
  std::string code_verifier;
  std::string target;  // where to return to, byte for byte as it was asked for
};

/// The `state` parameter: a random part, and how many logins without a cookie led to this one.
/// The number is in the open on purpose: where no cookie is kept, only the URL remembers it, and
/// whoever changes it only changes which page he himself sees.
struct StateParameter {
  std::string random;
  unsigned round = 0;

  std::string str() const;
};
/// The round that a state names; 0 for one that names none.
unsigned round_of(std::string_view state);

/// Fresh nonce, verifier and state.
struct FreshLogin {
  LoginState login;
  std::string state;
};
FreshLogin fresh_login(std::string_view target, unsigned round, Entropy& entropy);

/// Where a login may return to: `target` if it leads back to this site and is not too long, else
/// its path, else "/".
std::string safe_target(std::string_view target);

/// `prefix` and eight characters of the state's hash.
std::string login_cookie_name(std::string_view prefix, std::string_view state);

Result<std::string> seal_login(KeyView& keys, std::string_view state, const LoginState& login,
                               WallTime now);
/// kInvalid for what was not sealed for this state, or longer than `max_age` ago.
Result<LoginState> open_login(KeyView& keys, std::string_view state, std::string_view sealed,
                              WallTime now, std::chrono::seconds max_age);

/// Names of the login cookies that must go so that one more fits. Browsers send older ones first
/// (RFC 6265 §5.4).
std::vector<std::string> surplus_login_cookies(const http::Headers& headers,
                                               std::string_view prefix);

}  // namespace gatehouse::gatekeeper
