// URLs, percent-encoding and form data (RFC 3986, WHATWG URL's application/x-www-form-urlencoded).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace gatehouse::http {

/// An absolute http or https URL without user info. Configuration and discovery documents hold
/// these; a browser's relative targets are Target's.
struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case; an IPv6 address without brackets
  std::uint16_t port = 0;
  std::string path = "/";
  std::string query;  // without '?'

  /// "host" or "host:port" (with brackets for IPv6), the port left out where it is the scheme's.
  std::string authority() const;
  /// "scheme://authority": what a browser calls an origin.
  std::string origin() const;
  std::string str() const;
};

/// Refuses user info, fragments, control bytes, white space, backslashes, other schemes.
Result<Url> parse_url(std::string_view text);

/// A Host header or :authority: lower case, checked, one; with its port if it has one. nullopt for
/// what is not exactly one host (RFC 9110 §7.2): lists, user info, white space, empty.
std::optional<std::string> parse_authority(std::string_view text);

/// Of what parse_authority() gave.
bool has_port(std::string_view authority);

/// Escapes all but unreserved characters (RFC 3986 §2.3).
std::string percent_encode(std::string_view bytes);
/// nullopt for a '%' without two hex digits. Plus signs stay.
std::optional<std::string> percent_decode(std::string_view text);

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// Decodes `a=1&b=x+y`. kInvalid for bad escapes, NUL bytes, or more than `limit` members.
/// Order and repetitions are kept: the caller decides what a repetition means.
Result<Parameters> parse_form(std::string_view text, std::size_t limit = 100);
std::string encode_form(const Parameters& parameters);

/// The value if the name is there exactly once; nullopt if absent. `repeated`, if given, is set
/// when it stands twice or more, and the value is then nullopt (RFC 6749 §3.1).
std::optional<std::string_view> single(const Parameters& parameters, std::string_view name,
                                       bool* repeated = nullptr);

/// True if `location` leads back to this site: a path that starts with exactly one slash and that
/// no browser takes for another host (no "//", "/\", control bytes, tabs, encoded white space).
bool is_local_redirect(std::string_view location);

}  // namespace gatehouse::http
