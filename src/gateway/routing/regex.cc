#include "gateway/routing/regex.h"

#include <re2/re2.h>

#include <array>
#include <utility>

namespace gatehouse::gateway {
namespace {

constexpr int kGroups = 10;  // \0 to \9

}  // namespace

Result<Regex> Regex::make(std::string_view pattern, bool case_sensitive) {
  if (pattern.size() > kPatternLimit) {
    return fail(ErrorCode::kInvalid, "the regular expression is longer than " +
                                         std::to_string(kPatternLimit) + " bytes");
  }
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  options.set_case_sensitive(case_sensitive);
  options.set_max_mem(static_cast<std::int64_t>(kMemoryLimit));
  auto program = std::make_shared<const re2::RE2>(re2::StringPiece(pattern), options);
  if (!program->ok()) {
    return fail(ErrorCode::kInvalid, "the regular expression is wrong: " + program->error());
  }
  return Regex(std::move(program));
}

bool Regex::matches(std::string_view text) const {
  return program_->Match(text, 0, text.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

Result<void> Regex::check_substitution(std::string_view substitution) const {
  std::string error;
  if (program_->CheckRewriteString(substitution, &error)) return {};
  return fail(ErrorCode::kInvalid, "the substitution is wrong: " + error);
}

std::optional<std::string> Regex::replace(std::string_view text, std::string_view substitution,
                                          std::size_t limit) const {
  std::array<re2::StringPiece, kGroups> groups;
  const int wanted = 1 + re2::RE2::MaxSubmatch(substitution);
  std::string out;
  std::size_t at = 0;
  std::size_t last_end = std::string_view::npos;
  for (std::size_t searches = 0;; ++searches) {
    if (!program_->Match(text, at, text.size(), re2::RE2::UNANCHORED, groups.data(), wanted)) break;
    if (searches == kReplacementLimit) return std::nullopt;
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = begin + groups[0].size();
    out.append(text.substr(at, begin - at));
    at = end;
    // Nothing, directly behind a match, is no further match.
    if (begin != end || begin != last_end) {
      if (!program_->Rewrite(&out, substitution, groups.data(), wanted)) return std::nullopt;
      last_end = end;
    }
    if (begin == end) {
      if (at == text.size()) break;
      out.push_back(text[at++]);
    }
    if (out.size() > limit) return std::nullopt;
  }
  if (at < text.size()) out.append(text.substr(at));
  if (out.size() > limit) return std::nullopt;
  return out;
}

}  // namespace gatehouse::gateway
