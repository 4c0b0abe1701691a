// YAML text as a tree that remembers where each value stands.
//
// The only part that knows the YAML library. What makes YAML dangerous or ambiguous is refused
// here: tabs as indentation, tags, bytes that are not UTF-8, several documents where one is
// expected, values that hold themselves, and trees that unfold into more than YamlLimits::values
// values. Messages never quote the text, because a secret may stand in it. JSON is YAML's flow
// style, and is read as such.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace gatehouse::config {

/// A file of ten thousand routes has a quarter of this.
inline constexpr std::size_t kMaxFileBytes = 4 * 1024 * 1024;
/// The deepest field, the value of a health check's header, stands at 8.
inline constexpr int kMaxYamlDepth = 16;
/// Aliases counted as often as they are used, so that a few of them cannot unfold into millions.
inline constexpr std::size_t kMaxValues = 150'000;

/// Of one document.
struct YamlLimits {
  std::size_t bytes = kMaxFileBytes;
  std::size_t values = kMaxValues;
  int depth = kMaxYamlDepth;
};

/// 1-based; 0: unknown.
struct Mark {
  int line = 0;
  int column = 0;
};

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMapping };
  /// How a scalar was written: `plain`, "quoted" or |block, or the raw text of a variable, to which
  /// no rule about quotes applies.
  enum class Style { kPlain, kQuoted, kRaw };
  using Pointer = std::shared_ptr<const YamlNode>;
  struct Entry {
    Pointer key, value;
  };

  Kind kind = Kind::kNull;
  Style style = Style::kPlain;
  Mark mark;
  std::string text;            // of a scalar
  std::vector<Pointer> items;  // of a sequence
  std::vector<Entry> entries;  // of a mapping, in order, repetitions included
  std::size_t values = 1;      // nodes below and including this one, aliases unfolded
};

struct YamlError {
  Mark mark;
  std::string message;
};

using YamlResult = Result<YamlNode::Pointer, std::vector<YamlError>>;

/// The one document in `text`; a null node if there is none.
YamlResult parse_yaml(std::string_view text, const YamlLimits& limits = {});

/// Of a whole stream of documents.
struct YamlStreamLimits {
  YamlLimits document;
  std::size_t documents = 1'000;
  std::size_t values = kMaxValues;  // in all documents together
};

/// Each document of a stream (YAML 1.2 §9.2), in order; empty ones are left out. A document that is
/// refused takes no other with it: "---" and "..." at the start of a line end it in any case. Past
/// the limits one last error says that the rest is not read. Marks count lines from the start of
/// `text`.
std::vector<YamlResult> parse_yaml_stream(std::string_view text, const YamlStreamLimits& limits);

/// True if YAML 1.2's core schema (§10.3.2) reads the scalar as text: it is quoted, or does not
/// look like a number, a boolean or null.
bool is_text(const YamlNode& node);

}  // namespace gatehouse::config
