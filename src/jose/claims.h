// Whether the registered claims (RFC 7519 §4.1) of a token whose signature holds make it valid here
// and now.
#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "jose/jwt.h"

namespace gatehouse::jose {

/// `claims` is an object. Every registered claim that is there must have its type.
Result<void, JwtError> judge_claims(const Json& claims, const Expected& expected, WallTime now);

}  // namespace gatehouse::jose
