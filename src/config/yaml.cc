#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
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

Mark to_mark(const YAML::Mark& mark) {
  return mark.is_null() ? Mark{} : Mark{.line = mark.line + 1, .column = mark.column + 1};
}

[[noreturn]] void refuse(Mark mark, std::string message) {
  throw Refused{{.mark = mark, .message = std::move(message)}};
}

/// Builds the tree from the library's events.
class TreeBuilder final : public YAML::EventHandler {
 public:
  YamlNode::Pointer root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_) refuse(to_mark(mark), "a second document begins here; one file holds one document");
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
      refuse(to_mark(mark), "this alias stands for nothing, or for a value that holds itself");
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
  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    YamlNode::Pointer key;  // of a mapping: waits for its value
  };

  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      refuse(to_mark(mark),
             "a YAML tag (!…) has no meaning here; put text that begins with ! in "
             "quotes");
    }
  }

  std::shared_ptr<YamlNode> leaf(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->mark = to_mark(mark);
    if (anchor != 0) anchors_[anchor] = node;
    return node;
  }

  void open(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= static_cast<std::size_t>(kMaxYamlDepth)) {
      refuse(to_mark(mark), "nested deeper than " + std::to_string(kMaxYamlDepth) + " levels");
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
    if (parent.node->values > kMaxValues) {
      refuse(parent.node->mark, "more than " + std::to_string(kMaxValues) + " values");
    }
    if (parent.node->kind == Kind::kSequence) {
      parent.node->items.push_back(node);
    } else if (!parent.key) {
      parent.key = node;
    } else {
      parent.node->entries.push_back({.key = std::exchange(parent.key, nullptr), .value = node});
    }
  }

  YamlNode::Pointer root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode::Pointer> anchors_;
};

/// The library's message without what it quotes from the text.
std::string without_quotation(const std::string& message) {
  return message.substr(0, message.find(':'));
}

Result<YamlNode::Pointer, std::vector<YamlError>> parse_checked(std::string_view text) {
  const auto failed = [](Mark mark, std::string message) {
    return std::unexpected(std::vector{YamlError{.mark = mark, .message = std::move(message)}});
  };
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    if (!builder.root()) return std::make_shared<const YamlNode>();
    return builder.root();
  } catch (const Refused& refused) {
    return failed(refused.error.mark, refused.error.message);
  } catch (const YAML::Exception& exception) {
    return failed(to_mark(exception.mark), "not YAML: " + without_quotation(exception.msg));
  } catch (const std::exception&) {
    return failed({}, "not YAML that can be read");
  }
}

std::vector<YamlError> tabs_as_indentation(std::string_view text) {
  std::vector<YamlError> found;
  int line = 1;
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

Mark mark_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  return {.line = static_cast<int>(std::ranges::count(before, '\n')) + 1,
          .column = static_cast<int>(offset - start) + 1};
}

}  // namespace

Result<YamlNode::Pointer, std::vector<YamlError>> parse_yaml(std::string_view text) {
  if (text.size() > kMaxFileBytes) {
    return std::unexpected(std::vector{YamlError{
        .mark = {}, .message = "larger than " + std::to_string(kMaxFileBytes) + " bytes"}});
  }
  if (const std::optional<std::size_t> offset = first_unreadable_byte(text)) {
    return std::unexpected(
        std::vector{YamlError{.mark = mark_of(text, *offset),
                              .message = "a byte that is not UTF-8 text, or a control character"}});
  }
  if (std::vector<YamlError> tabs = tabs_as_indentation(text); !tabs.empty()) {
    return std::unexpected(std::move(tabs));
  }
  return parse_checked(text);
}

}  // namespace gatehouse::config
