// The page of routes, services and problems, for people who look for a fault. Works without script,
// on wide and narrow screens, in light and dark.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "gateway/observe/diagnostics.h"

namespace gatehouse::gateway {

/// Rows of one table; what is beyond is in the JSON.
inline constexpr std::size_t kDiagnosticRows = 1000;

/// `style_path` is where diagnostics_style() is served; `json_path` where the same is as JSON.
std::string diagnostics_page(const DiagnosticSnapshot& snapshot, std::string_view style_path,
                             std::string_view json_path);
/// CSS.
std::string diagnostics_style();

}  // namespace gatehouse::gateway
