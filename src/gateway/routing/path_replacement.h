// Makes another path of a request's: the matched prefix, what a regular expression matches, or all
// of it is replaced.
//
// Immutable. The result is always in the normal form of http::Target; where it would not be
// ("/api../x" without "/api"), there is none and the request is to be refused with 400
// (CVE-2026-48020). Prefix and path are both in normal form, so that the prefix's length is that of
// what it matched (CVE-2026-40912).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/routing/path_match.h"
#include "gateway/routing/regex.h"

namespace gatehouse::gateway {

class PathReplacement {
 public:
  /// Keeps each path.
  PathReplacement() = default;
  /// Gives that path always. kInvalid unless it is normal; with a query behind it is for redirects
  /// alone.
  static Result<PathReplacement> whole(std::string_view path);
  /// Replaces what `prefix` matched: whole segments in kSegment, bytes in kString, all in kExact.
  /// kInvalid in kRegex, and unless `replacement` is a normal path.
  static Result<PathReplacement> prefix(std::string_view prefix, PrefixMode mode,
                                        std::string_view replacement);
  /// Replaces each match; \1 in the substitution is the first group.
  static Result<PathReplacement> regex(std::string_view pattern, std::string_view substitution);

  bool keeps() const { return kind_ == Kind::kKeep; }
  /// nullopt if the result is no normal path.
  std::optional<std::string> apply(std::string_view path) const;

 private:
  enum class Kind { kKeep, kWhole, kPrefix, kRegex };
  std::string apply_prefix(std::string_view path) const;

  Kind kind_ = Kind::kKeep;
  std::string text_;  // what is put there
  std::size_t length_ = 0;
  std::optional<Regex> regex_;
};

}  // namespace gatehouse::gateway
