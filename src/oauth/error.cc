#include "oauth/error.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse::oauth {
namespace {

constexpr std::array<std::pair<OAuthError, std::string_view>, 15> kCodes{{
    {OAuthError::kInvalidRequest, "invalid_request"},
    {OAuthError::kUnauthorizedClient, "unauthorized_client"},
    {OAuthError::kAccessDenied, "access_denied"},
    {OAuthError::kUnsupportedResponseType, "unsupported_response_type"},
    {OAuthError::kInvalidScope, "invalid_scope"},
    {OAuthError::kServerError, "server_error"},
    {OAuthError::kTemporarilyUnavailable, "temporarily_unavailable"},
    {OAuthError::kInvalidClient, "invalid_client"},
    {OAuthError::kInvalidGrant, "invalid_grant"},
    {OAuthError::kUnsupportedGrantType, "unsupported_grant_type"},
    {OAuthError::kInvalidToken, "invalid_token"},
    {OAuthError::kLoginRequired, "login_required"},
    {OAuthError::kInteractionRequired, "interaction_required"},
    {OAuthError::kRequestNotSupported, "request_not_supported"},
    {OAuthError::kRequestUriNotSupported, "request_uri_not_supported"},
}};

}  // namespace

std::string_view to_string(OAuthError error) {
  const auto* const found = std::ranges::find(kCodes, error, [](auto& code) { return code.first; });
  return found == kCodes.end() ? "server_error" : found->second;
}

std::optional<OAuthError> parse_error(std::string_view code) {
  const auto* const found =
      std::ranges::find(kCodes, code, [](auto& known) { return known.second; });
  if (found == kCodes.end()) return std::nullopt;
  return found->first;
}

}  // namespace gatehouse::oauth
