// Which coding of an answer a client likes best (RFC 9110 §12.5.3).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "http/headers.h"

namespace gatehouse::gateway {

/// The index of the best of `offered` ("gzip", "br", "zstd"), the first among equals; nullopt if
/// the client wants none of them, likes it better plain, or does not say. Ill-formed members of the
/// list do not count.
std::optional<std::size_t> choose_coding(const http::Headers& headers,
                                         const std::vector<std::string_view>& offered);

}  // namespace gatehouse::gateway
