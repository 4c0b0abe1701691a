#include "gateway/routing/path_match.h"

#include <algorithm>

#include "http/headers.h"
#include "http/target.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t kEscape = 3;  // "%2f"

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

/// Splits the first segment off `path`, which begins with a slash.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

}  // namespace

std::optional<PrefixMode> parse_prefix_mode(std::string_view text) {
  if (text == "segment") return PrefixMode::kSegment;
  if (text == "string") return PrefixMode::kString;
  if (text == "exact") return PrefixMode::kExact;
  if (text == "regex") return PrefixMode::kRegex;
  return std::nullopt;
}

bool has_prefix(std::string_view path, std::string_view prefix, PrefixMode mode,
                bool case_sensitive) {
  const std::string_view head = path.substr(0, prefix.size());
  if (case_sensitive ? head != prefix : !http::equal_ignoring_case(head, prefix)) return false;
  if (path.size() == prefix.size()) return true;
  if (mode == PrefixMode::kExact) return false;
  return mode == PrefixMode::kString || prefix.ends_with('/') || path[prefix.size()] == '/';
}

bool is_normal_path(std::string_view path) {
  const Result<http::Target, http::TargetError> target = http::parse_target(path);
  return target && target->str() == path && target->path() == path;
}

bool has_letter(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return fold(c) >= 'a' && fold(c) <= 'z'; });
}

bool has_lower_escape(std::string_view path) {
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    if (std::ranges::any_of(path.substr(at, kEscape), is_lower)) return true;
  }
  return false;
}

std::string upper_escapes(std::string_view path) {
  std::string out(path);
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    const std::size_t end = std::min(at + kEscape, out.size());
    for (std::size_t i = at; i < end; ++i) {
      if (is_lower(out[i])) out[i] = static_cast<char>(out[i] - ('a' - 'A'));
    }
  }
  return out;
}

bool has_parameters(std::string_view path) {
  if (path.contains(';')) return true;
  if (!path.contains('%')) return false;
  return path.contains("%3b") || path.contains("%3B");
}

std::string without_parameters(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::string_view segment = next_segment(path);
    const std::size_t end = std::min({segment.find(';'), segment.find("%3b"), segment.find("%3B")});
    if (!out.ends_with('/')) out.push_back('/');
    out.append(segment.substr(0, end));
  }
  return out;
}

}  // namespace gatehouse::gateway
