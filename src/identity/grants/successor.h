// The successor of a refresh token, kept so that only the holder of its predecessor can read it.
#pragma once

#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/result.h"

namespace gatehouse::identity {

/// Seals under a key that is derived from the predecessor itself, of which the store has but the
/// hash: whoever reads the store learns no token that works.
std::string seal_successor(std::string_view successor, std::string_view predecessor,
                           Entropy& entropy);
Result<std::string> open_successor(std::string_view sealed, std::string_view predecessor,
                                   Entropy& entropy);

}  // namespace gatehouse::identity
