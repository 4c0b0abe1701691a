// JSON by nlohmann's library, read strictly: one value, no duplicate key, bounded depth and size,
// valid UTF-8. Two readers of one document must never see different things (RFC 8725 §2.4).
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse {

using Json = nlohmann::json;

struct JsonLimits {
  std::size_t bytes = std::size_t{64} * 1024;
  std::size_t depth = 16;
};

Result<Json> parse_json(std::string_view text, JsonLimits limits = {});

/// Compact. Bytes that are not UTF-8 become U+FFFD, so that this cannot fail.
std::string dump_json(const Json& value);

/// The member of an object if it is there and has that type.
std::optional<std::string> json_string(const Json& object, std::string_view member);
/// Whole numbers within ±2^53, also as 1e9 or 5.0; nullopt for fractions, infinities and more.
std::optional<long long> json_integer(const Json& object, std::string_view member);

}  // namespace gatehouse
