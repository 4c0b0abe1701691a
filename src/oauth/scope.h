// Scopes (RFC 6749 §3.3): a list of names, each once, in the order given.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::oauth {

/// Far more than any client asks for. Bounds the work that one request can cause.
inline constexpr std::size_t kScopeLimit = 64;

/// Space-separated, each once, in order; nullopt for illegal characters or more than kScopeLimit.
/// Spaces too many are passed over. Empty for an empty text.
std::optional<std::vector<std::string>> parse_scope(std::string_view text);
std::string join_scope(const std::vector<std::string>& scopes);
bool has_scope(const std::vector<std::string>& scopes, std::string_view scope);

}  // namespace gatehouse::oauth
