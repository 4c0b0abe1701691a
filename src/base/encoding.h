// Base64, base64url (RFC 4648) and hex. Decoding is strict: no white space, no foreign character,
// no bits left over, padding exactly as the form asks. Bytes are held in std::string.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

/// Without padding, as JOSE has it (RFC 7515 §2).
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);

/// With padding.
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

/// Lower-case.
std::string hex_encode(std::string_view bytes);
std::optional<std::string> hex_decode(std::string_view text);

}  // namespace gatehouse
