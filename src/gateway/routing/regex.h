// Regular expressions in RE2's syntax, in time linear in the text.
//
// An immutable value; copies share one program, and threads may use it at once. Bytes are matched
// as they are, of whatever encoding, so that no byte makes a text one that nothing matches. Pattern
// and program have a limit each; what is over it is refused when it is made.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace gatehouse::gateway {

class Regex {
 public:
  static constexpr std::size_t kPatternLimit = 4096;  // bytes
  /// Of the program and of the states it meets; over it, matching takes a slower way.
  static constexpr std::size_t kMemoryLimit = std::size_t{256} * 1024;
  /// How often replace() replaces in one text: each search may read all that is left.
  static constexpr std::size_t kReplacementLimit = 32;

  /// kInvalid says what is wrong with the pattern.
  static Result<Regex> make(std::string_view pattern, bool case_sensitive = true);

  /// True if the expression matches all of the text.
  bool matches(std::string_view text) const;
  /// kInvalid if the substitution names a group that the pattern does not have.
  Result<void> check_substitution(std::string_view substitution) const;
  /// The text with what matches replaced, as often as it matches; \1 in the substitution is the
  /// first group. nullopt if that is longer than `limit` bytes or over kReplacementLimit.
  std::optional<std::string> replace(std::string_view text, std::string_view substitution,
                                     std::size_t limit) const;

 private:
  explicit Regex(std::shared_ptr<const re2::RE2> program) : program_(std::move(program)) {}
  std::shared_ptr<const re2::RE2> program_;
};

}  // namespace gatehouse::gateway
