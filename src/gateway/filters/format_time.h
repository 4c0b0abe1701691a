// The time formats of %START_TIME(…)%: strftime's conversions, in UTC, and fractions of a second.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::gateway {

/// As Envoy writes it without an argument: 2026-01-02T03:04:05.678Z.
inline constexpr std::string_view kDefaultTimeFormat = "%Y-%m-%dT%H:%M:%S.%3fZ";

/// kInvalid names a conversion that is not strftime's, %s (seconds since 1970) or %1f to %9f, or
/// says that the format is longer than 256 bytes.
Result<void> check_time_format(std::string_view format);

/// `format` has been checked.
void append_time(std::string& out, std::string_view format, WallTime time);

}  // namespace gatehouse::gateway
