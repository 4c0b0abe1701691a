// What the provider sent the browser back with (RFC 6749 §4.1.2, RFC 9207): either a code or an
// error, for one state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse::gatekeeper {

inline constexpr std::size_t kStateLimit = 128;
inline constexpr std::size_t kCodeLimit = std::size_t{4} * 1024;

struct AuthorizationAnswer {
  std::string state;
  std::string code;
  std::string error;   // of RFC 6749 §4.1.2.1; empty if there is a code
  std::string issuer;  // "iss"; empty if the provider sent none
};

/// kInvalid if one of the parameters stands twice (RFC 6749 §3.1), is too long, or both or neither
/// of code and error are there. No state is not an error here: such an answer is a stale one.
Result<AuthorizationAnswer> parse_answer(std::string_view query);

}  // namespace gatehouse::gatekeeper
