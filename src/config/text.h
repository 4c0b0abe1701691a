// Small questions about text: is it readable, how does it look in a message, which known name is
// near it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::config {

/// The offset of the first byte that is not part of well-formed UTF-8 (RFC 3629) or that is a
/// control character other than tab, CR and LF.
std::optional<std::size_t> first_unreadable_byte(std::string_view text);

/// No control character at all: what a value may hold that goes into headers, logs and pages.
bool is_one_line(std::string_view text);

/// Shortened, without control characters and malformed bytes: nothing in a file may write to the
/// terminal or forge lines of the log of who reads about it.
std::string printable(std::string_view text, std::size_t longest = 200);

/// For a message: in double quotes, and printable().
std::string quote(std::string_view text);

/// "a, b or c".
std::string list_of(const std::vector<std::string>& names,
                    std::string_view last_separator = " or ");

/// The name that needs the fewest edits (insert, drop, replace, swap of neighbours), if those are
/// few for its length; nullopt if none is near. The first of equals.
std::optional<std::string> nearest(std::string_view wrong, const std::vector<std::string>& names);

}  // namespace gatehouse::config
