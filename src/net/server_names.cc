#include "net/server_names.h"

#include <algorithm>

#include "http/headers.h"

namespace gatehouse::net {

namespace {

constexpr std::size_t kLongestName = 253;  // RFC 1035 §3.1, as text

bool is_host_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
         name.back() != '.' && !name.contains("..") && std::ranges::all_of(name, allowed);
}

}  // namespace

Result<void> ServerNames::add(std::string_view name, std::size_t index) {
  const auto taken = [name] {
    return fail(ErrorCode::kConflict, "\"" + std::string(name) + "\" is given twice");
  };
  if (name.empty() || name == "*") {
    if (any_.value_or(index) != index) return taken();
    any_ = index;
    return {};
  }
  std::string lower = http::lower_case(name);
  const bool pattern = lower.starts_with("*.");
  if (pattern) lower.erase(0, 2);
  if (!is_host_name(lower)) {
    return fail(ErrorCode::kInvalid, "\"" + std::string(name) +
                                         "\" is no host name; say example.org, *.example.org, or "
                                         "* for all others");
  }
  const auto [place, added] = (pattern ? below_ : exact_).emplace(std::move(lower), index);
  if (!added && place->second != index) return taken();
  return {};
}

std::optional<std::size_t> ServerNames::find(std::string_view name) const {
  if (const auto exact = exact_.find(name); exact != exact_.end()) return exact->second;
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    // Nothing before the dot is no label that a pattern could stand for.
    const bool label = dot != 0;
    name.remove_prefix(dot + 1);
    if (!label) continue;
    if (const auto below = below_.find(name); below != below_.end()) return below->second;
  }
  return any_;
}

}  // namespace gatehouse::net
