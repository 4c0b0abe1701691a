// What may be a password: the rules of NIST SP 800-63B-4 §3.1.1 — length and a block list, no
// rules about kinds of characters.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace gatehouse::identity {

inline constexpr std::size_t kPasswordMinimum = 8;     // characters
inline constexpr std::size_t kPasswordMaximum = 1024;  // characters: bounds the work of a hash

/// kInvalid with the rule that it breaks. `email` must not be the password, nor its local part.
Result<void> check_password(const Secret& password, std::string_view email);

/// The number of Unicode characters.
std::size_t count_characters(std::string_view utf8);

/// Whether the password, without case, is among the most common ones.
bool is_common_password(std::string_view password);

}  // namespace gatehouse::identity
