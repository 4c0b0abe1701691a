#include "http/target.h"

#include <cassert>
#include <optional>

#include "base/utf8.h"
#include "http/headers.h"
#include "http/percent.h"

namespace gatehouse::http {
namespace {

// How often an escape may be escaped again; each round reads the whole segment.
constexpr int kDecodings = 4;

std::unexpected<TargetError> refuse(TargetError error) {
  return std::unexpected(error);
}

bool is_raw(char c) {
  return c > ' ' && c <= '~' && c != '#';
}

/// What follows the authority of an absolute-form, or the text itself. nullopt if it is neither.
std::optional<std::string_view> without_origin(std::string_view raw) {
  if (raw.starts_with('/')) return raw;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(raw.substr(0, scheme.size()), scheme)) continue;
    raw.remove_prefix(scheme.size());
    const std::size_t authority = std::min(raw.find_first_of("/?\\#"), raw.size());
    if (authority == 0) return std::nullopt;
    return raw.substr(authority);
  }
  return std::nullopt;
}

/// "." or "..", or what some servers take for it: with a path parameter, a query or a fragment that
/// was escaped behind, or with white space around.
bool is_dot_segment(std::string_view segment) {
  const std::string_view name = trim(segment.substr(0, segment.find_first_of(";?#")));
  return name == "." || name == "..";
}

/// True if a dot segment stands in the text, between separators of any kind.
bool holds_dot_segment(std::string_view text) {
  for (;;) {
    const std::size_t end = text.find_first_of("/\\");
    if (is_dot_segment(text.substr(0, end))) return true;
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
}

/// True if the segment is a dot segment, or comes to hold one when an upstream decodes it again.
bool hides_dot_segment(std::string_view segment) {
  if (segment.find('%') == std::string_view::npos) return is_dot_segment(segment);
  std::string decoded(segment);
  for (int round = 0; round < kDecodings; ++round) {
    std::string again = decode_what_can_be(decoded);
    if (again == decoded) return holds_dot_segment(decoded);
    decoded = std::move(again);
  }
  return true;  // escaped more often than anything honest is
}

/// Appends the segment with the escapes of unreserved characters decoded.
Result<void, TargetError> append_segment(std::string_view segment, std::string& out) {
  const std::size_t start = out.size();
  bool beyond_ascii = false;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] == '\\') return refuse(TargetError::kForbiddenByte);
    if (segment[i] != '%') {
      out.push_back(segment[i]);
      continue;
    }
    const std::optional<char> byte = escaped_byte(segment.substr(i));
    if (!byte) return refuse(TargetError::kBadEscape);
    if (*byte == '/' || *byte == '\\' || *byte == '\0') {
      return refuse(TargetError::kEncodedSeparator);
    }
    const auto value = static_cast<unsigned char>(*byte);
    if (value < 0x20 || value == 0x7f) return refuse(TargetError::kEncodedControl);
    beyond_ascii |= value >= 0x80;
    if (is_unreserved(*byte)) {
      out.push_back(*byte);
    } else {
      out.append(segment.substr(i, 3));
    }
    i += 2;
  }
  const std::string_view normal = std::string_view(out).substr(start);
  if (beyond_ascii && !is_utf8(decode_what_can_be(normal))) {
    return refuse(TargetError::kEncodedControl);
  }
  if (hides_dot_segment(normal)) return refuse(TargetError::kDotSegment);
  return {};
}

/// Appends the path in normal form.
Result<void, TargetError> append_path(std::string_view path, std::string& out) {
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash before the segment
    if (!out.ends_with('/')) out.push_back('/');
    const std::size_t length = std::min(path.find('/'), path.size());
    const Result<void, TargetError> done = append_segment(path.substr(0, length), out);
    if (!done) return done;
    path.remove_prefix(length);
  }
  return {};
}

}  // namespace

std::string_view to_string(TargetError error) {
  switch (error) {
    case TargetError::kNotOriginForm:
      return "the request target is neither a path nor an http URL";
    case TargetError::kTooLong:
      return "the request target is too long";
    case TargetError::kForbiddenByte:
      return "the request target holds a byte that must be escaped";
    case TargetError::kBadEscape:
      return "the path holds a '%' without two hexadecimal digits";
    case TargetError::kEncodedSeparator:
      return "the path holds an escaped slash, backslash or NUL";
    case TargetError::kEncodedControl:
      return "the path holds an escaped control character or is not UTF-8";
    case TargetError::kDotSegment:
      return "the path holds a '.' or '..' segment";
  }
  return "the request target is not valid";
}

void Target::set_path(std::string_view path) {
  assert(parse_target(path) && parse_target(path)->path() == path);
  whole_.replace(0, path_length_, path);
  path_length_ = path.size();
}

Result<Target, TargetError> parse_target(std::string_view raw) {
  if (raw.size() > kTargetLimit) return refuse(TargetError::kTooLong);
  const std::optional<std::string_view> rest = without_origin(raw);
  if (!rest) return refuse(TargetError::kNotOriginForm);
  for (const char c : raw) {
    if (!is_raw(c)) return refuse(TargetError::kForbiddenByte);
  }
  const std::size_t path_end = std::min(rest->find('?'), rest->size());
  Target target;
  target.merged_slashes_ = rest->substr(0, path_end).contains("//");
  target.whole_.clear();
  target.whole_.reserve(rest->size() + 1);
  const Result<void, TargetError> path = append_path(rest->substr(0, path_end), target.whole_);
  if (!path) return refuse(path.error());
  if (target.whole_.empty()) target.whole_ = "/";
  target.path_length_ = target.whole_.size();
  target.whole_.append(rest->substr(path_end));
  return target;
}

bool path_has_prefix(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/';
}

}  // namespace gatehouse::http
