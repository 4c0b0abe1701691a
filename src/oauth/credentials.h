// Credentials in the Authorization header: a client's ("Basic") and a token ("Bearer").
//
// The parsers are strict: what two readers could read differently is no credential at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gatehouse::oauth {

/// "Basic …" of RFC 6749 §2.3.1: both parts form-encoded before.
std::string basic_credentials(std::string_view client_id, std::string_view client_secret);
/// The id and the secret; nullopt for another scheme or for what is malformed.
std::optional<std::pair<std::string, std::string>> parse_basic_credentials(
    std::string_view authorization);
/// The token of "Bearer …" (RFC 6750 §2.1).
std::optional<std::string_view> parse_bearer(std::string_view authorization);

}  // namespace gatehouse::oauth
