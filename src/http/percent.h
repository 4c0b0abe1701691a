// Single percent-escapes (RFC 3986 §2.1): what target.cc and url.cc share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::http {

/// RFC 3986 §2.3.
bool is_unreserved(char c);
/// The byte that the escape at the beginning of `text` stands for; nullopt if there is none.
std::optional<char> escaped_byte(std::string_view text);
/// Decodes each escape once and leaves a '%' that begins none.
std::string decode_what_can_be(std::string_view text);

}  // namespace gatehouse::http
