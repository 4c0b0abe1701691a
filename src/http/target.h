// The target of a request: path and query, in the one form that every later part sees.
//
// Decisions (which route, whether auth is asked) are made on these bytes and the very same bytes go
// upstream, so there is no second reading of them. parse_target() refuses what two parts could read
// differently; see its rules.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse::http {

enum class TargetError {
  kNotOriginForm,     // neither "/…" nor an http(s) URL
  kTooLong,           // over kTargetLimit bytes
  kForbiddenByte,     // raw: a control byte, space, fragment, a byte above 0x7e; a backslash in
                      // the path (browsers leave it raw in a query)
  kBadEscape,         // '%' without two hex digits
  kEncodedSeparator,  // %2F, %5C or %00 in the path
  kEncodedControl,    // %01–%1F, %7F in the path, or bytes that are not UTF-8 when decoded
  kDotSegment,        // "." or ".." as a segment, in any (also repeated) encoding, also with ";…"
};
/// A sentence for the 400's body.
std::string_view to_string(TargetError error);

inline constexpr std::size_t kTargetLimit = 16 * 1024;

class Target {
 public:
  /// "/" without a query.
  Target() = default;

  /// "/a/b": begins with a slash; no empty segment but the last; escapes of unreserved characters
  /// are decoded (RFC 3986 §6.2.2.2), others stay as they came.
  std::string_view path() const { return std::string_view(whole_).substr(0, path_length_); }
  /// Without the '?'. Byte for byte as it came. Empty also when there is a lone '?'.
  std::string_view query() const {
    return path_length_ < whole_.size() ? std::string_view(whole_).substr(path_length_ + 1)
                                        : std::string_view();
  }
  /// Path, and '?' with the query if there was one: what stands in a request line.
  const std::string& str() const { return whole_; }
  /// It came with runs of slashes, of which one each is left.
  bool merged_slashes() const { return merged_slashes_; }
  /// Replaces the path, which must be in normal form; keeps the query.
  void set_path(std::string_view path);

  friend Result<Target, TargetError> parse_target(std::string_view raw);

 private:
  std::string whole_ = "/";
  std::size_t path_length_ = 1;
  bool merged_slashes_ = false;
};

/// Reads a request target: origin-form, or absolute-form, whose authority the codec compares with
/// Host before (RFC 9112 §3.2). Runs of slashes become one. "*" is kNotOriginForm.
Result<Target, TargetError> parse_target(std::string_view raw);

/// True if `path` is `prefix` or lies below it, by whole segments: /a matches /a, /a/ and /a/b, not
/// /ab; /a/ matches /a/ and /a/b, and not /a.
bool path_has_prefix(std::string_view path, std::string_view prefix);

}  // namespace gatehouse::http
