// What provider and relying party both must spell the same: errors, scopes, PKCE, discovery.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

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
std::string_view to_string(OAuthError error);

/// Space-separated, each once, in order (RFC 6749 §3.3); nullopt for illegal characters.
std::optional<std::vector<std::string>> parse_scope(std::string_view text);
std::string join_scope(const std::vector<std::string>& scopes);
bool has_scope(const std::vector<std::string>& scopes, std::string_view scope);

/// RFC 7636 §4.1: 43 to 128 unreserved characters.
bool is_code_verifier(std::string_view text);
bool is_code_challenge(std::string_view text);
/// S256 of a verifier.
std::string code_challenge(std::string_view verifier);

/// OpenID Connect Discovery §3, as far as it is used here.
struct ProviderMetadata {
  std::string issuer, authorization_endpoint, token_endpoint, userinfo_endpoint, jwks_uri,
      end_session_endpoint;
};
/// Refuses a document whose issuer is not exactly `issuer` (Discovery §4.3).
Result<ProviderMetadata> parse_metadata(std::string_view json, std::string_view issuer);

/// "Basic" of RFC 6749 §2.3.1: both parts form-encoded before.
std::string basic_credentials(std::string_view client_id, std::string_view client_secret);
std::optional<std::pair<std::string, std::string>> parse_basic_credentials(
    std::string_view authorization);
/// The token of "Bearer …" (RFC 6750 §2.1).
std::optional<std::string_view> parse_bearer(std::string_view authorization);

}  // namespace gatehouse::oauth
