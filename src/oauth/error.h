// The error codes of OAuth 2.0 and OpenID Connect, spelled once for those who send and those who
// read them.
#pragma once

#include <optional>
#include <string_view>

namespace gatehouse::oauth {

/// RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6, RFC 9207.
enum class OAuthError {
  kInvalidRequest,
  kUnauthorizedClient,
  kAccessDenied,
  kUnsupportedResponseType,
  kInvalidScope,
  kServerError,
  kTemporarilyUnavailable,
  kInvalidClient,
  kInvalidGrant,
  kUnsupportedGrantType,
  kInvalidToken,  // RFC 6750 §3.1
  kLoginRequired,
  kInteractionRequired,
  kRequestNotSupported,
  kRequestUriNotSupported,
};

/// The value of the parameter `error`.
std::string_view to_string(OAuthError error);
/// nullopt for a code that is none of these: another's text, not to be shown or logged raw.
std::optional<OAuthError> parse_error(std::string_view code);

}  // namespace gatehouse::oauth
