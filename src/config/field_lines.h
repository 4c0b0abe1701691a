// What the lines of the field table are written with. Only for the files that hold such lines.
#pragma once

#include <chrono>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "config/fields.h"

namespace gatehouse::config {

/// Nothing in here waits or lives longer on purpose, and it is far from overflowing.
inline constexpr milliseconds kLongest = std::chrono::days(3650);

inline Period at_least(milliseconds min, milliseconds max = kLongest) {
  return {.min = min, .max = max, .zero = {}};
}
inline Period or_zero(std::string_view zero, milliseconds max = std::chrono::hours(24)) {
  return {.min = milliseconds(1), .max = max, .zero = zero};
}

inline Form form(const Syntax& syntax) {
  return {.syntax = &syntax, .may_be_empty = false};
}
inline Form empty_or(const Syntax& syntax) {
  return {.syntax = &syntax, .may_be_empty = true};
}

inline void append(std::vector<Field>& all, std::vector<Field> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// The fields of a struct that stands in another; `section` ends with a dot.
inline std::vector<Field> below(std::string_view section, std::vector<Field> fields) {
  for (Field& field : fields) field.name.insert(0, section);
  return fields;
}

inline std::vector<Field> applied_by_reload(std::vector<Field> fields) {
  for (Field& field : fields) field.applies = Applies::kReload;
  return fields;
}

/// Without "gateway." before their names.
std::vector<Field> gateway_fields(Gateway& gateway);
std::vector<Field> tls_fields(Tls& tls);
std::vector<Field> upstream_tls_fields(UpstreamTls& tls);
std::vector<Field> circuit_breaker_fields(CircuitBreakers& breakers);

}  // namespace gatehouse::config
