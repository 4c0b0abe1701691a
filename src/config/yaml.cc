#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>

#include "config/text.h"

namespace gatehouse::config {
namespace {

using Kind = YamlNode::Kind;

/// Thrown by TreeBuilder through the library, caught in parse_checked().
struct Refused {
  YamlError error;
};

Mark to_mark(const YAML::Mark& mark, int lines) {
  return mark.is_null() ? Mark{} : Mark{.line = mark.line + 1 + lines, .column = mark.column + 1};
}

[[noreturn]] void refuse(Mark mark, std::string message) {
  throw Refused{{.mark = mark, .message = std::move(message)}};
}

/// Builds the tree from the library's events.
class TreeBuilder final : public YAML::EventHandler {
 public:
  /// `lines`: how many lines of the stream stand before the text.
  TreeBuilder(const YamlLimits& limits, int lines) : limits_(limits), lines_(lines) {}

  YamlNode::Pointer root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_) refuse(at(mark), "a second document begins here; one file holds one document");
  }
  void OnDocumentEnd() override {
    if (!root_) root_ = std::make_shared<YamlNode>();
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::shared_ptr<YamlNode> node = leaf(Kind::kNull, mark, anchor);
    // The library puts the absent value at the next token, which is lines away.
    if (!open_.empty() && open_.back().key) node->mark = open_.back().key->mark;
    add(node);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    const std::shared_ptr<YamlNode> node = leaf(Kind::kScalar, mark, anchor);
    node->text = value;
    node->style = tag == "?" ? YamlNode::Style::kPlain : YamlNode::Style::kQuoted;
    add(node);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      refuse(at(mark), "this alias stands for nothing, or for a value that holds itself");
    }
    add(found->second);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(Kind::kSequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(Kind::kMapping, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  Mark at(const YAML::Mark& mark) const { return to_mark(mark, lines_); }

  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    YamlNode::Pointer key;  // of a mapping: waits for its value
  };

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!") {
      refuse(at(mark),
             "a YAML tag (!…) has no meaning here; put text that begins with ! in "
             "quotes");
    }
  }

  std::shared_ptr<YamlNode> leaf(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->mark = at(mark);
    if (anchor != 0) anchors_[anchor] = node;
    return node;
  }

  void open(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= static_cast<std::size_t>(limits_.depth)) {
      refuse(at(mark), "nested deeper than " + std::to_string(limits_.depth) + " levels");
    }
    // Its anchor becomes known when it is complete, so that no value can hold itself.
    open_.push_back({.node = leaf(kind, mark, 0), .anchor = anchor, .key = nullptr});
  }

  void close() {
    const Open done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != 0) anchors_[done.anchor] = done.node;
    add(done.node);
  }

  void add(const YamlNode::Pointer& node) {
    if (open_.empty()) {
      root_ = node;
      return;
    }
    Open& parent = open_.back();
    parent.node->values += node->values;
    if (parent.node->values > limits_.values) {
      refuse(parent.node->mark, "more than " + std::to_string(limits_.values) + " values");
    }
    if (parent.node->kind == Kind::kSequence) {
      parent.node->items.push_back(node);
    } else if (!parent.key) {
      parent.key = node;
    } else {
      parent.node->entries.push_back({.key = std::exchange(parent.key, nullptr), .value = node});
    }
  }

  const YamlLimits& limits_;
  const int lines_;
  YamlNode::Pointer root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode::Pointer> anchors_;
};

/// The library's message without what it quotes from the text.
std::string without_quotation(const std::string& message) {
  return message.substr(0, message.find(':'));
}

YamlResult failed(Mark mark, std::string message) {
  return std::unexpected(std::vector{YamlError{.mark = mark, .message = std::move(message)}});
}

YamlResult parse_checked(std::string_view text, const YamlLimits& limits, int lines) {
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(limits, lines);
    while (parser.HandleNextDocument(builder)) {
    }
    if (!builder.root()) return std::make_shared<const YamlNode>();
    return builder.root();
  } catch (const Refused& refused) {
    return failed(refused.error.mark, refused.error.message);
  } catch (const YAML::Exception& exception) {
    return failed(to_mark(exception.mark, lines), "not YAML: " + without_quotation(exception.msg));
  } catch (const std::exception&) {
    return failed({}, "not YAML that can be read");
  }
}

/// In flow style, as all of JSON is, indentation means nothing.
bool is_flow_style(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  return start != std::string_view::npos && (text[start] == '{' || text[start] == '[');
}

std::vector<YamlError> tabs_as_indentation(std::string_view text, int line) {
  std::vector<YamlError> found;
  if (is_flow_style(text)) return found;
  while (!text.empty()) {
    const std::string_view current = text.substr(0, text.find('\n'));
    const std::size_t content = current.find_first_not_of(" \t\r");
    const std::size_t tab = current.find('\t');
    if (content != std::string_view::npos && current[content] != '#' && tab < content) {
      found.push_back({.mark = {.line = line, .column = static_cast<int>(tab) + 1},
                       .message = "a tab in the indentation; YAML indents with spaces"});
    }
    text.remove_prefix(std::min(text.size(), current.size() + 1));
    ++line;
  }
  return found;
}

Mark mark_of(std::string_view text, std::size_t offset, int lines) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  return {.line = static_cast<int>(std::ranges::count(before, '\n')) + 1 + lines,
          .column = static_cast<int>(offset - start) + 1};
}

YamlResult parse(std::string_view text, const YamlLimits& limits, int lines) {
  if (text.size() > limits.bytes) {
    return failed({.line = lines == 0 ? 0 : lines + 1, .column = lines == 0 ? 0 : 1},
                  "larger than " + std::to_string(limits.bytes) + " bytes");
  }
  if (const std::optional<std::size_t> offset = first_unreadable_byte(text)) {
    return failed(mark_of(text, *offset, lines),
                  "a byte that is not UTF-8 text, or a control character");
  }
  if (std::vector<YamlError> tabs = tabs_as_indentation(text, lines + 1); !tabs.empty()) {
    return std::unexpected(std::move(tabs));
  }
  return parse_checked(text, limits, lines);
}

bool is_marker(std::string_view line, std::string_view marker) {
  return line.starts_with(marker) && (line.size() == marker.size() || line[marker.size()] == ' ' ||
                                      line[marker.size()] == '\t' || line[marker.size()] == '\r');
}

/// Takes one document off the front of `text`, its "---" included; nothing else may begin so.
std::string_view take_document(std::string_view& text) {
  const std::string_view whole = text;
  bool first = true;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (!first && is_marker(line, "---")) break;
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    first = false;
    if (is_marker(line, "...")) break;
  }
  return whole.substr(0, whole.size() - text.size());
}

/// Only comments, directives and markers: the library would see a null document, or an error.
bool is_empty_document(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::size_t start = line.find_first_not_of(" \t\r");
    const bool bare_marker = line == "---" || line == "---\r" || is_marker(line, "...");
    if (start != std::string_view::npos && line[start] != '#' && line.front() != '%' &&
        !bare_marker) {
      return false;
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return true;
}

}  // namespace

YamlResult parse_yaml(std::string_view text, const YamlLimits& limits) {
  return parse(text, limits, 0);
}

std::vector<YamlResult> parse_yaml_stream(std::string_view text, const YamlStreamLimits& limits) {
  std::vector<YamlResult> out;
  std::size_t values = limits.values;
  int lines = 0;
  while (!text.empty()) {
    const std::string_view document = take_document(text);
    const int first_line = lines;
    lines += static_cast<int>(std::ranges::count(document, '\n'));
    if (is_empty_document(document)) continue;
    if (out.size() == limits.documents || values == 0) {
      out.push_back(failed({.line = first_line + 1, .column = 1},
                           "the rest of this file is not read: it holds more than " +
                               (values == 0 ? std::to_string(limits.values) + " values"
                                            : std::to_string(limits.documents) + " documents")));
      break;
    }
    YamlLimits document_limits = limits.document;
    document_limits.values = std::min(document_limits.values, values);
    out.push_back(parse(document, document_limits, first_line));
    // What is refused is taken for one value only: a few broken documents must not hide the rest.
    values -= out.back() ? std::min(values, (*out.back())->values) : 1;
  }
  return out;
}

bool is_text(const YamlNode& node) {
  if (node.style != YamlNode::Style::kPlain) return true;
  constexpr std::array<std::string_view, 10> kWords{"true",  "True", "TRUE", "false", "False",
                                                    "FALSE", ".inf", ".nan", "null",  "~"};
  if (std::ranges::find(kWords, node.text) != kWords.end()) return false;
  std::string_view digits = node.text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool decimal =
      end == digits.data() + digits.size() && !digits.empty() &&
      std::string_view("0123456789.-").find(digits.front()) != std::string_view::npos;
  return !decimal && !node.text.starts_with("0x") && !node.text.starts_with("0o");
}

}  // namespace gatehouse::config
