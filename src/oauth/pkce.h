// Proof Key for Code Exchange (RFC 7636), S256 only: `plain` shows the verifier to whoever sees the
// authorization request.
#pragma once

#include <string>
#include <string_view>

namespace gatehouse::oauth {

/// RFC 7636 §4.1: 43 to 128 unreserved characters.
bool is_code_verifier(std::string_view text);
/// What S256 can have made (RFC 7636 §4.2): 43 characters of base64url that decode to a digest.
bool is_code_challenge(std::string_view text);
/// S256 of a verifier.
std::string code_challenge(std::string_view verifier);

}  // namespace gatehouse::oauth
