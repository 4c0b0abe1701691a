#include "config/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <new>
#include <optional>

#include "config/text.h"

namespace gatehouse::config {
namespace {

using Kind = YamlNode::Kind;

YamlResult failed(Mark mark, std::string message) {
  return std::unexpected(std::vector{YamlError{.mark = mark, .message = std::move(message)}});
}

/// The library's parser, over a text that outlives it.
class EventReader {
 public:
  /// `lines`: how many lines of the stream stand before the text.
  EventReader(std::string_view text, int lines) : lines_(lines) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    // Without this, a byte order mark could make it UTF-16.
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;
  ~EventReader() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }

  /// False after an error. The event is valid until the next call.
  bool next() {
    yaml_event_delete(&event_);
    return yaml_parser_parse(&parser_, &event_) != 0;
  }
  const yaml_event_t& event() const { return event_; }
  Mark mark() const { return to_mark(event_.start_mark); }

  /// After next() was false. The library's texts are constant and quote nothing.
  YamlError error() const {
    const bool has_problem = parser_.problem != nullptr;
    return {.mark = to_mark(parser_.problem_mark),
            .message = "not YAML: " + std::string(has_problem ? parser_.problem : "unreadable")};
  }

 private:
  Mark to_mark(const yaml_mark_t& mark) const {
    return {.line = static_cast<int>(mark.line) + 1 + lines_,
            .column = static_cast<int>(mark.column) + 1};
  }

  const int lines_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};

std::string_view text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

/// Core schema (YAML 1.2 §10.3.2).
bool is_null(std::string_view plain) {
  return plain.empty() || plain == "~" || plain == "null" || plain == "Null" || plain == "NULL";
}

/// Builds the tree of one document from the library's events.
class TreeBuilder {
 public:
  TreeBuilder(const YamlLimits& limits, const EventReader& reader)
      : limits_(limits), reader_(reader) {}

  YamlNode::Pointer root() const { return root_; }

  /// The current event; what is wrong with it.
  std::optional<YamlError> take() {
    const yaml_event_t& event = reader_.event();
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (!root_) return std::nullopt;
        return refused("a second document begins here; one file holds one document");
      case YAML_SCALAR_EVENT:
        return scalar(event);
      case YAML_ALIAS_EVENT:
        return alias(text_of(event.data.alias.anchor));
      case YAML_SEQUENCE_START_EVENT:
        return open(Kind::kSequence, event.data.sequence_start.tag,
                    event.data.sequence_start.anchor);
      case YAML_MAPPING_START_EVENT:
        return open(Kind::kMapping, event.data.mapping_start.tag, event.data.mapping_start.anchor);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return close();
      default:
        return std::nullopt;
    }
  }

 private:
  struct Open {
    std::shared_ptr<YamlNode> node;
    std::string anchor;
    YamlNode::Pointer key;  // of a mapping: waits for its value
  };

  YamlError refused(std::string message) const {
    return refused_at(reader_.mark(), std::move(message));
  }
  static YamlError refused_at(const Mark& mark, std::string message) {
    return {.mark = mark, .message = std::move(message)};
  }

  std::optional<YamlError> refused_tag(std::string_view tag) const {
    if (tag.empty() || tag == "!") return std::nullopt;
    return refused("a YAML tag (!…) has no meaning here; put text that begins with ! in quotes");
  }

  std::shared_ptr<YamlNode> make(Kind kind) const {
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->mark = reader_.mark();
    return node;
  }

  std::optional<YamlError> scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    if (auto error = refused_tag(text_of(data.tag))) return error;
    const std::string_view text(reinterpret_cast<const char*>(data.value), data.length);
    const bool plain = data.style == YAML_PLAIN_SCALAR_STYLE && data.tag == nullptr;
    const bool null = plain && is_null(text);
    const std::shared_ptr<YamlNode> node = make(null ? Kind::kNull : Kind::kScalar);
    // The library puts an absent value behind its key.
    if (null && !open_.empty() && open_.back().key) node->mark = open_.back().key->mark;
    if (!null) node->text = text;
    node->style = plain ? YamlNode::Style::kPlain : YamlNode::Style::kQuoted;
    remember(text_of(data.anchor), node);
    return add(node);
  }

  std::optional<YamlError> alias(std::string_view name) {
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      return refused("this alias stands for nothing, or for a value that holds itself");
    }
    return add(found->second);
  }

  std::optional<YamlError> open(Kind kind, const yaml_char_t* tag, const yaml_char_t* anchor) {
    if (auto error = refused_tag(text_of(tag))) return error;
    if (open_.size() >= static_cast<std::size_t>(limits_.depth)) {
      return refused("nested deeper than " + std::to_string(limits_.depth) + " levels");
    }
    // Its anchor becomes known when it is complete, so that no value can hold itself.
    open_.push_back({.node = make(kind), .anchor = std::string(text_of(anchor)), .key = nullptr});
    return std::nullopt;
  }

  std::optional<YamlError> close() {
    const Open done = std::move(open_.back());
    open_.pop_back();
    remember(done.anchor, done.node);
    return add(done.node);
  }

  void remember(std::string_view anchor, const YamlNode::Pointer& node) {
    if (!anchor.empty()) anchors_.insert_or_assign(std::string(anchor), node);
  }

  std::optional<YamlError> add(const YamlNode::Pointer& node) {
    if (open_.empty()) {
      root_ = node;
      return std::nullopt;
    }
    Open& parent = open_.back();
    parent.node->values += node->values;
    if (parent.node->values > limits_.values) {
      return refused_at(parent.node->mark,
                        "more than " + std::to_string(limits_.values) + " values");
    }
    if (parent.node->kind == Kind::kSequence) {
      parent.node->items.push_back(node);
    } else if (!parent.key) {
      parent.key = node;
    } else {
      parent.node->entries.push_back({.key = std::exchange(parent.key, nullptr), .value = node});
    }
    return std::nullopt;
  }

  const YamlLimits& limits_;
  const EventReader& reader_;
  YamlNode::Pointer root_;
  std::vector<Open> open_;
  std::map<std::string, YamlNode::Pointer, std::less<>> anchors_;
};

YamlResult parse_checked(std::string_view text, const YamlLimits& limits, int lines) {
  EventReader reader(text, lines);
  TreeBuilder builder(limits, reader);
  while (reader.next()) {
    if (reader.event().type == YAML_STREAM_END_EVENT) {
      return builder.root() ? builder.root() : std::make_shared<const YamlNode>();
    }
    if (std::optional<YamlError> error = builder.take()) {
      return std::unexpected(std::vector{std::move(*error)});
    }
  }
  return std::unexpected(std::vector{reader.error()});
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
