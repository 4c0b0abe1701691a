#include "config/ambassador/fields.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "config/text.h"
#include "config/units.h"
#include "http/headers.h"

namespace gatehouse::config::ambassador {
namespace {

using Kind = YamlNode::Kind;

std::string_view kind_of(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kScalar:
      return is_text(node) ? "text" : "a number or boolean";
    case Kind::kSequence:
      return "a list";
    case Kind::kMapping:
      return "an object";
  }
  return "nothing";
}

std::string must_be(std::string_view wanted, const YamlNode& node) {
  return "must be " + std::string(wanted) + ", and " + std::string(kind_of(node)) + " stands here";
}

std::optional<long long> parse_integer(std::string_view text) {
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Seconds without a unit, units as everywhere, and parts of one as Go and protobuf write them:
/// 0.25s. nullopt: it is none of them.
std::optional<std::chrono::milliseconds> duration_of(std::string_view text) {
  if (parse_integer(text)) return duration_of(std::string(text) + "s");
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) {
    const Result<std::chrono::milliseconds, std::string> whole = parse_duration(text);
    return whole ? std::optional(*whole) : std::nullopt;
  }
  const std::size_t end = std::min(text.find_first_not_of("0123456789", point + 1), text.size());
  const std::string_view digits = text.substr(point + 1, end - point - 1);
  const std::string unit(text.substr(end));
  const bool one_unit = unit.find_first_of("0123456789") == std::string::npos;
  const auto whole = duration_of(std::string(text.substr(0, point)) + unit);
  const auto one = duration_of("1" + unit);
  if (digits.empty() || unit.empty() || !one_unit || !whole || !one) return std::nullopt;
  // What is below a thousandth of a millisecond is nobody's intention.
  std::int64_t part = 0, scale = 1;
  for (const char digit : digits.substr(0, 6)) {
    part = 10 * part + (digit - '0');
    scale *= 10;
  }
  return *whole + std::chrono::milliseconds(one->count() * part / scale);
}

bool is_plain(const YamlNode& node) {
  return node.kind == Kind::kScalar && node.style == YamlNode::Style::kPlain;
}

std::vector<std::string> split_by_commas(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::string_view member = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), member.size() + 1));
    if (!http::trim(member).empty()) out.emplace_back(http::trim(member));
  }
  return out;
}

}  // namespace

FieldReader::FieldReader(const YamlNode& mapping, std::string path, ObjectReport& report)
    : mapping_(&mapping), path_(std::move(path)), report_(&report) {
  if (mapping.kind == Kind::kMapping) check_names();
  if (mapping.kind == Kind::kMapping || mapping.kind == Kind::kNull) return;
  std::string field = path_;
  if (field.ends_with('.')) field.pop_back();
  report_->problem(mapping.mark, field, must_be("an object", mapping));
}

FieldReader FieldReader::reported_to(ObjectReport& report) const {
  FieldReader out = *this;
  out.report_ = &report;
  out.asked_.clear();
  return out;
}

void FieldReader::check_names() {
  std::set<std::string_view> seen;
  for (const auto& [key, value] : mapping_->entries) {
    if (key->kind != Kind::kScalar) {
      report_->problem(key->mark, path_, "a field's name must be text");
    } else if (!seen.insert(key->text).second) {
      report_->problem(key->mark, path_of(key->text), "stands here a second time");
    }
  }
}

bool FieldReader::matches(std::string_view given, std::string_view name) const {
  if (given == name) return true;
  if (!camel_case_) return false;
  std::size_t at = 0;
  for (std::size_t i = 0; i < name.size(); ++i, ++at) {
    const bool upper = name[i] == '_' && i + 1 < name.size();
    if (upper) ++i;
    const char wanted = upper ? static_cast<char>(name[i] - 'a' + 'A') : name[i];
    if (at >= given.size() || given[at] != wanted) return false;
  }
  return at == given.size();
}

const YamlNode* FieldReader::find_in(const YamlNode& mapping, std::string_view name) {
  for (const auto& [key, value] : mapping.entries) {
    if (key->kind == Kind::kScalar && matches(key->text, name)) {
      return value->kind == Kind::kNull ? nullptr : value.get();
    }
  }
  return nullptr;
}

const YamlNode* FieldReader::find(std::string_view name) {
  asked_.push_back(name);
  if (const YamlNode* value = find_in(*mapping_, name)) return value;
  for (const YamlNode* mapping : defaults_) {
    if (const YamlNode* value = find_in(*mapping, name)) return value;
  }
  return nullptr;
}

std::optional<bool> FieldReader::boolean(std::string_view name) {
  const YamlNode* node = find(name);
  if (node == nullptr) return std::nullopt;
  if (is_plain(*node) && (node->text == "true" || node->text == "True")) return true;
  if (is_plain(*node) && (node->text == "false" || node->text == "False")) return false;
  problem(*node, name, "must be true or false");
  return std::nullopt;
}

std::optional<long long> FieldReader::integer(std::string_view name, long long min, long long max) {
  const YamlNode* node = find(name);
  if (node == nullptr) return std::nullopt;
  const std::optional<long long> number =
      is_plain(*node) ? parse_integer(node->text) : std::nullopt;
  if (number && *number >= min && *number <= max) return number;
  problem(*node, name,
          "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::optional<std::string> FieldReader::text_of(const YamlNode& node, std::string_view name) {
  if (node.kind != Kind::kScalar || !is_text(node)) {
    problem(node, name,
            must_be("text", node) + (node.kind == Kind::kScalar ? "; put it in quotes" : ""));
  } else if (!is_one_line(node.text)) {
    problem(node, name, "must be one line of text without control characters");
  } else if (node.text.size() > kMaxTextBytes) {
    problem(node, name, "is longer than " + std::to_string(kMaxTextBytes) + " bytes");
  } else {
    return node.text;
  }
  return std::nullopt;
}

std::optional<std::string> FieldReader::text(std::string_view name) {
  const YamlNode* node = find(name);
  return node == nullptr ? std::nullopt : text_of(*node, name);
}

std::optional<std::string> FieldReader::one_of(std::string_view name,
                                               const std::vector<std::string>& values) {
  const std::optional<std::string> given = text(name);
  if (!given) return std::nullopt;
  for (const std::string& value : values) {
    if (http::equal_ignoring_case(value, *given)) return value;
  }
  problem(name, quote(*given) + " must be one of " + list_of(values));
  return std::nullopt;
}

std::optional<std::string> FieldReader::regex(std::string_view name) {
  std::optional<std::string> pattern = text(name);
  if (pattern && pattern->size() > kMaxRegexBytes) {
    problem(name, "a regular expression longer than " + std::to_string(kMaxRegexBytes) + " bytes");
    return std::nullopt;
  }
  return pattern;
}

std::optional<std::chrono::milliseconds> FieldReader::milliseconds(std::string_view name) {
  const std::optional<long long> number = integer(name, 0, kMaxMilliseconds);
  if (!number) return std::nullopt;
  return std::chrono::milliseconds(*number);
}

std::optional<std::chrono::milliseconds> FieldReader::duration(std::string_view name) {
  const YamlNode* node = find(name);
  if (node == nullptr) return std::nullopt;
  if (node->kind == Kind::kScalar) {
    const std::optional<std::chrono::milliseconds> read = duration_of(node->text);
    if (read && read->count() <= kMaxMilliseconds) return *read;
  }
  problem(*node, name, "must be a duration with its unit (ms, s, m or h), as 500ms, 10s or 1h30m");
  return std::nullopt;
}

std::optional<std::vector<std::string>> FieldReader::texts(std::string_view name) {
  const YamlNode* node = find(name);
  if (node == nullptr) return std::nullopt;
  if (node->kind == Kind::kScalar) {
    const std::optional<std::string> text = text_of(*node, name);
    return text ? std::optional(split_by_commas(*text)) : std::nullopt;
  }
  std::vector<std::string> out;
  for (const YamlNode* item : items(name)) {
    std::optional<std::string> text = text_of(*item, name);
    if (!text) return std::nullopt;
    out.push_back(std::move(*text));
  }
  return out;
}

std::optional<FieldReader> FieldReader::object(std::string_view name) {
  const YamlNode* node = find(name);
  if (node == nullptr) return std::nullopt;
  if (node->kind != Kind::kMapping) {
    problem(*node, name, must_be("an object", *node));
    return std::nullopt;
  }
  return at(*node, name);
}

FieldReader FieldReader::at(const YamlNode& node, std::string_view name) const {
  return FieldReader(node, path_of(name) + ".", *report_);
}

std::vector<FieldReader> FieldReader::objects(std::string_view name) {
  std::vector<FieldReader> out;
  for (const YamlNode* item : items(name)) {
    out.push_back(at(*item, std::string(name) + "[" + std::to_string(out.size()) + "]"));
  }
  return out;
}

std::vector<FieldReader::Entry> FieldReader::entries(std::string_view name) {
  std::vector<Entry> out;
  const std::optional<FieldReader> fields = object(name);
  if (!fields) return out;
  for (const auto& [key, value] : fields->mapping_->entries) {
    if (key->kind == Kind::kScalar) out.emplace_back(key->text, value.get());
  }
  return out;
}

std::vector<const YamlNode*> FieldReader::items(std::string_view name) {
  std::vector<const YamlNode*> out;
  const YamlNode* node = find(name);
  if (node == nullptr) return out;
  if (node->kind != Kind::kSequence) {
    problem(*node, name, must_be("a list", *node));
    return out;
  }
  for (const YamlNode::Pointer& item : node->items) out.push_back(item.get());
  return out;
}

void FieldReader::ignore(std::string_view name, std::string_view reason) {
  if (const YamlNode* node = find(name)) {
    report_->warning(node->mark, path_of(name), "has no effect: " + std::string(reason));
  }
}

void FieldReader::accept(std::initializer_list<std::string_view> names) {
  asked_.insert(asked_.end(), names);
}

void FieldReader::problem(const YamlNode& node, std::string_view name, std::string message) {
  report_->problem(node.mark, path_of(name), std::move(message));
}

void FieldReader::problem(std::string_view name, std::string message) {
  const YamlNode* node = find(name);
  problem(node != nullptr ? *node : *mapping_, name, std::move(message));
}

void FieldReader::warning(std::string_view name, std::string message) {
  const YamlNode* node = find(name);
  report_->warning((node != nullptr ? node : mapping_)->mark, path_of(name), std::move(message));
}

void FieldReader::finish() {
  for (const auto& [key, value] : mapping_->entries) {
    if (key->kind != Kind::kScalar) continue;
    const auto known = [&](std::string_view name) { return matches(key->text, name); };
    if (std::ranges::any_of(asked_, known)) continue;
    if (!report_->has_room_for_warnings()) return;
    const std::optional<std::string> near =
        nearest(key->text, std::vector<std::string>(asked_.begin(), asked_.end()));
    report_->warning(key->mark, path_of(printable(key->text, 80)),
                     "no such field; it has no effect" +
                         (near ? "; did you mean " + *near + "?" : std::string()));
  }
}

FieldReader fields_of(ObjectReport& report) {
  const Object& object = report.object();
  FieldReader fields(*object.fields, object.path, report);
  fields.accept({"ambassador_id"});
  if (object.path.empty()) {
    fields.accept({"apiVersion", "kind", "name", "namespace", "generation", "metadata"});
  }
  return fields;
}

}  // namespace gatehouse::config::ambassador
