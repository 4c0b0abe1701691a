// Text in UTF-8 (RFC 3629), and what is done with bytes that are none. For logs, pages and messages
// whose form demands it; what passes through from one end to the other stays as it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse {

/// How many bytes at the beginning of `text` are one character: no overlong form, no surrogate,
/// nothing above U+10FFFF. 0 if they are none, or there are none.
std::size_t utf8_character(std::string_view text);
/// True if `text` is characters alone.
bool is_utf8(std::string_view text);
/// The text with U+FFFD for each byte that belongs to no character.
std::string replace_invalid_utf8(std::string_view text);

}  // namespace gatehouse
