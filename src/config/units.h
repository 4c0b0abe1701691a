// Durations and sizes as people write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse::config {

/// "500ms", "10s", "5m", "24h", "7d", or several with the larger first ("1h30m"); "0" too. The
/// error is a whole sentence about the text's form.
Result<std::chrono::milliseconds, std::string> parse_duration(std::string_view text);
/// The shortest text that parse_duration() reads as this: "24h", "1m30s", "0s".
std::string format_duration(std::chrono::milliseconds duration);

/// "65536", "64KiB", "1MiB", "1GiB".
Result<std::uint64_t, std::string> parse_bytes(std::string_view text);
std::string format_bytes(std::uint64_t bytes);

}  // namespace gatehouse::config
