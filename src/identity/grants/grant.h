// What a user has granted a client by logging in, and the two forms in which the store keeps it:
// behind an authorization code, and behind refresh tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse::identity {

struct Grant {
  /// Of the family of tokens that come from one login; empty before the code is redeemed.
  std::string id;
  std::string client_id;
  std::string user_id;
  std::vector<std::string> scopes;
  std::string nonce;
  long long auth_time = 0;  // seconds since 1970
  long long ends = 0;       // the absolute end of its refresh tokens; 0: none are given
};

std::string to_payload(const Grant& grant);
/// kCorrupt.
Result<Grant> parse_grant(std::string_view payload);

/// What an authorization code stands for (RFC 6749 §4.1.3): everything that its redemption is
/// compared with.
struct AuthorizationCode {
  Grant grant;
  std::string redirect_uri;
  std::string code_challenge;
};

std::string to_payload(const AuthorizationCode& code);
/// kCorrupt.
Result<AuthorizationCode> parse_authorization_code(std::string_view payload);

/// By which the store knows a code or a refresh token: SHA-256, hex. The values have 256 random
/// bits, so that a plain digest can be no weaker.
std::string token_hash(std::string_view value);

/// The store's kinds of OneTime: codes that may be redeemed; and codes that have been, with the id
/// of the grant they gave, so that a second redemption can undo it.
inline constexpr std::string_view kCodeKind = "code";
inline constexpr std::string_view kUsedCodeKind = "used-code";

/// The key of the row that says that a grant is in force; revoking the family deletes it. No digest
/// has this form, so no refresh token can name it.
std::string grant_key(std::string_view grant_id);

}  // namespace gatehouse::identity
