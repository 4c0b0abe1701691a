// A JWS in compact form (RFC 7515 §7.1), taken apart and judged by its header, before any key is
// looked at.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jose/jwk.h"
#include "jose/jwt.h"

namespace gatehouse::jose {

struct CompactJws {
  std::string_view signing_input;           // within the text that was parsed
  Algorithm algorithm = Algorithm::kRs256;  // never kHs256
  std::optional<std::string> kid;
  std::optional<std::string> type;  // "typ"
  std::string payload;
  std::string signature;
};

/// The header's algorithm is judged first, so that a JWE, "none" or HS256 is kAlgorithm whatever
/// follows. Keys and addresses of keys in the header (jwk, x5c, x5u, jku) are never looked at.
Result<CompactJws, JwtError> parse_compact(std::string_view text);

}  // namespace gatehouse::jose
