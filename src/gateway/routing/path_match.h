// How a path is compared with a prefix, and what other readers may take a path for.
//
// Paths are in the normal form of http::Target.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::gateway {

/// The most particular first.
enum class PrefixMode : std::uint8_t { kExact, kSegment, kString, kRegex };

/// Of config::Route::match: "exact", "segment", "string", "regex".
std::optional<PrefixMode> parse_prefix_mode(std::string_view text);

/// True if the path matches, of all but kRegex. kSegment: /a matches /a, /a/ and /a/b, not /ab; /a/
/// matches /a/ and /a/b, not /a.
bool has_prefix(std::string_view path, std::string_view prefix, PrefixMode mode,
                bool case_sensitive);

/// True if http::parse_target() gives the path as it is.
bool is_normal_path(std::string_view path);

constexpr char fold(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
bool has_letter(std::string_view text);

/// Whether an escape has a lower-case letter; it means the same as with an upper-case one
/// (RFC 3986 §6.2.2.1).
bool has_lower_escape(std::string_view path);
/// The path with the letters of its escapes in upper case; as long as before.
std::string upper_escapes(std::string_view path);

/// Whether a segment has path parameters (";…", RFC 3986 §3.3), also escaped.
bool has_parameters(std::string_view path);
/// The path as servers see it that drop path parameters.
std::string without_parameters(std::string_view path);

}  // namespace gatehouse::gateway
