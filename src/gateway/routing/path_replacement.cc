#include "gateway/routing/path_replacement.h"

#include <algorithm>
#include <utility>

#include "http/target.h"

namespace gatehouse::gateway {

Result<PathReplacement> PathReplacement::whole(std::string_view path) {
  const Result<http::Target, http::TargetError> target = http::parse_target(path);
  if (!target || target->str() != path) {
    return fail(ErrorCode::kInvalid, "must be a path in normal form");
  }
  PathReplacement out;
  out.kind_ = Kind::kWhole;
  out.text_ = path;
  return out;
}

Result<PathReplacement> PathReplacement::prefix(std::string_view prefix, PrefixMode mode,
                                                std::string_view replacement) {
  if (!is_normal_path(replacement)) {
    return fail(ErrorCode::kInvalid, "must be a path of the same form as a prefix");
  }
  if (mode == PrefixMode::kRegex) {
    return fail(ErrorCode::kInvalid, "a regular expression has no prefix that can be replaced");
  }
  PathReplacement out;
  out.kind_ = mode == PrefixMode::kExact ? Kind::kWhole : Kind::kPrefix;
  out.text_ = replacement;
  out.length_ = prefix.size();
  if (mode == PrefixMode::kSegment && prefix.ends_with('/')) --out.length_;
  return out;
}

Result<PathReplacement> PathReplacement::regex(std::string_view pattern,
                                               std::string_view substitution) {
  Result<Regex> regex = Regex::make(pattern);
  if (!regex) return fail(std::move(regex));
  const Result<void> good = regex->check_substitution(substitution);
  if (!good) return std::unexpected(good.error());
  PathReplacement out;
  out.kind_ = Kind::kRegex;
  out.text_ = substitution;
  out.regex_ = std::move(*regex);
  return out;
}

std::string PathReplacement::apply_prefix(std::string_view path) const {
  const std::string_view rest = path.substr(std::min(length_, path.size()));
  std::string_view head = text_;
  if (head.ends_with('/') && rest.starts_with('/')) head.remove_suffix(1);
  std::string out;
  out.reserve(head.size() + rest.size());
  out.append(head).append(rest);
  return out;
}

std::optional<std::string> PathReplacement::apply(std::string_view path) const {
  std::optional<std::string> out;
  switch (kind_) {
    case Kind::kKeep:
      return std::string(path);
    case Kind::kWhole:
      return text_;
    case Kind::kPrefix:
      out = apply_prefix(path);
      break;
    case Kind::kRegex:
      out = regex_->replace(path, text_, http::kTargetLimit);
      break;
  }
  if (!out || !is_normal_path(*out)) return std::nullopt;
  return out;
}

}  // namespace gatehouse::gateway
