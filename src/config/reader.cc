#include "config/reader.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "config/secret_source.h"
#include "config/text.h"
#include "config/value.h"

namespace gatehouse::config {
namespace {

using Kind = YamlNode::Kind;

constexpr std::string_view kFileSuffix = "_file";
constexpr std::string_view kVariableSuffix = "_env";
/// More names than these help nobody to find one.
constexpr std::size_t kMostNamesInMessage = 24;

const Field* find(const std::vector<Field>& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

bool is_section(const std::vector<Field>& fields, const std::string& name) {
  return std::ranges::any_of(
      fields, [&](const Field& field) { return field.name.starts_with(name + "."); });
}

/// What may stand in the section: the next part of each name below it.
std::vector<std::string> names_in(const std::vector<Field>& fields, std::string_view section) {
  std::vector<std::string> names;
  for (const Field& field : fields) {
    if (!field.name.starts_with(section)) continue;
    const std::string_view rest = std::string_view(field.name).substr(section.size());
    const std::string name(rest.substr(0, rest.find('.')));
    if (std::ranges::find(names, name) != names.end()) continue;
    names.push_back(name);
    if (!std::holds_alternative<Secret*>(field.member)) continue;
    names.push_back(name + std::string(kFileSuffix));
    names.push_back(name + std::string(kVariableSuffix));
  }
  return names;
}

std::string_view kind_of(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kScalar:
      return "a single value";
    case Kind::kSequence:
      return "a list";
    case Kind::kMapping:
      return "a mapping";
  }
  return "nothing";
}

std::string wrong_kind(std::string_view wanted, const YamlNode& node) {
  return "must be " + std::string(wanted) + ", and " + std::string(kind_of(node)) + " stands here";
}

/// "a mapping of fields (level, format)"; the names only if they are few.
std::string wanted_section(const std::vector<Field>& fields, std::string_view section) {
  constexpr std::size_t kFew = 8;
  const std::vector<std::string> names = names_in(fields, section);
  return "a mapping of fields" + (names.size() > kFew ? "" : " (" + list_of(names, ", ") + ")");
}

std::string element_path(const std::string& list, std::size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

}  // namespace

void Reader::read_settings(const YamlNode& root, std::string source, Settings& settings) {
  source_ = std::move(source);
  read_object(root, fields(settings), "");
}

void Reader::read_variable(const YamlNode& value, std::string source, const Field& field) {
  source_ = std::move(source);
  read_field(value, field, field.name);
}

void Reader::add(const YamlNode& node, const std::string& field, std::string message) {
  findings_.add({.source = source_, .mark = node.mark}, field, std::move(message));
}

void Reader::read_object(const YamlNode& mapping, const std::vector<Field>& fields,
                         const std::string& object) {
  std::set<std::string, std::less<>> given;
  read_section(mapping, {.fields = fields, .object = object, .section = "", .given = given});
  for (const Field& field : fields) {
    if (field.presence == Presence::kRequired && !given.contains(field.name)) {
      add(mapping, object + field.name, "is missing");
    }
  }
}

void Reader::read_section(const YamlNode& mapping, const Scope& scope) {
  // A section whose lines are all commented out is null.
  if (mapping.kind == Kind::kNull) return;
  if (mapping.kind != Kind::kMapping) {
    std::string path = scope.object + scope.section;
    if (path.ends_with('.')) path.pop_back();
    return add(mapping, path, wrong_kind(wanted_section(scope.fields, scope.section), mapping));
  }
  for_each_new_key(mapping, scope.object + scope.section, [&](const YamlNode::Entry& entry) {
    read_entry(*entry.key, *entry.value, scope);
  });
}

template <class Visit>
void Reader::for_each_new_key(const YamlNode& mapping, const std::string& path, Visit visit) {
  std::map<std::string_view, Mark> seen;
  for (const YamlNode::Entry& entry : mapping.entries) {
    const YamlNode& key = *entry.key;
    const auto [before, is_new] = seen.try_emplace(key.text, key.mark);
    if (key.kind != Kind::kScalar) {
      add(key, path, "a field's name must be text");
    } else if (!is_new) {
      add(key, path + key.text,
          "stands here a second time; the first is on line " + std::to_string(before->second.line));
    } else {
      visit(entry);
    }
  }
}

void Reader::read_entry(const YamlNode& key, const YamlNode& value, const Scope& scope) {
  const std::string name = scope.section + key.text;
  if (const Field* field = find(scope.fields, name)) {
    note_given(key, *field, scope);
    read_field(value, *field, scope.object + name);
  } else if (is_section(scope.fields, name)) {
    findings_.remember(scope.object + name, {.source = source_, .mark = key.mark});
    read_section(value, {.fields = scope.fields,
                         .object = scope.object,
                         .section = name + ".",
                         .given = scope.given});
  } else if (!read_secret_reference(key, value, scope)) {
    refuse_unknown(key, name, scope);
  }
}

void Reader::note_given(const YamlNode& key, const Field& field, const Scope& scope) {
  if (!scope.given.emplace(field.name).second) {
    add(key, scope.object + field.name,
        "is given in two ways; give the value, the file or the variable");
  }
}

void Reader::read_field(const YamlNode& value, const Field& field, const std::string& path) {
  findings_.remember(path, {.source = source_, .mark = value.mark});
  if (value.kind == Kind::kNull) {
    return add(value, path, "has no value; give one or remove the line");
  }
  if (is_list(field.member)) return read_list(value, field, path);
  if (value.kind != Kind::kScalar) {
    return add(value, path, wrong_kind("a single value", value));
  }
  if (std::optional<std::string> wrong = set_scalar(field, value)) {
    add(value, path, std::move(*wrong));
  }
}

void Reader::read_list(const YamlNode& value, const Field& field, const std::string& path) {
  const bool named = std::holds_alternative<Named>(field.rule);
  if (named && value.kind == Kind::kMapping) return read_named(value, field, path);
  if (value.kind != Kind::kSequence) {
    return add(value, path, wrong_kind(named ? "a list or a mapping of names" : "a list", value));
  }
  const bool needs_one =
      field.presence == Presence::kRequired || std::holds_alternative<NotEmpty>(field.rule);
  if (needs_one && value.items.empty()) return add(value, path, "must have at least one entry");
  read_entries(value, field, path);
}

/// As the list of objects that the mapping stands for: {a: b, c: {regex: d}} is
/// [{name: a, value: b}, {name: c, regex: d}].
void Reader::read_named(const YamlNode& mapping, const Field& field, const std::string& path) {
  const auto word = [](std::string_view text, Mark mark) {
    auto node = std::make_shared<YamlNode>();
    node->kind = Kind::kScalar;
    node->mark = mark;
    node->text = text;
    return node;
  };
  YamlNode list;
  list.kind = Kind::kSequence;
  list.mark = mapping.mark;
  for_each_new_key(mapping, path + ".", [&](const YamlNode::Entry& entry) {
    auto item = std::make_shared<YamlNode>();
    item->kind = Kind::kMapping;
    item->mark = entry.key->mark;
    item->entries.push_back({.key = word("name", entry.key->mark), .value = entry.key});
    if (entry.value->kind == Kind::kMapping) {
      std::ranges::copy(entry.value->entries, std::back_inserter(item->entries));
    } else {
      item->entries.push_back({.key = word("value", entry.key->mark), .value = entry.value});
    }
    list.items.push_back(std::move(item));
  });
  read_entries(list, field, path);
}

void Reader::read_entries(const YamlNode& list, const Field& field, const std::string& path) {
  std::visit(
      [&](auto* member) {
        if constexpr (kIsListOfObjects<std::remove_pointer_t<decltype(member)>>) {
          read_objects(list, *member, field.rule, path);
        } else if constexpr (requires { member->clear(); }) {
          member->clear();
          read_values(list, field, path);
        }
      },
      field.member);
}

template <class Object>
void Reader::read_objects(const YamlNode& list, std::vector<Object>& objects, const Rule& rule,
                          const std::string& path) {
  objects.clear();
  findings_.forget_entries(path);
  for (const YamlNode::Pointer& item : list.items) {
    const std::string element = element_path(path, objects.size());
    findings_.remember(element, {.source = source_, .mark = item->mark});
    Object& object = objects.emplace_back();
    if constexpr (requires { object.origin; }) {
      object.origin = element + " in " + source_ + ":" + std::to_string(item->mark.line);
    }
    read_object(*item, of_entry(fields(object), rule), element + ".");
  }
}

void Reader::read_values(const YamlNode& list, const Field& field, const std::string& path) {
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const YamlNode& item = *list.items[i];
    const std::string element = element_path(path, i);
    findings_.remember(element, {.source = source_, .mark = item.mark});
    if (item.kind != Kind::kScalar) {
      add(item, element, wrong_kind("a single value", item));
    } else if (std::optional<std::string> wrong = add_to_list(field, item)) {
      add(item, element, std::move(*wrong));
    }
  }
}

bool Reader::read_secret_reference(const YamlNode& key, const YamlNode& value, const Scope& scope) {
  for (const std::string_view suffix : {kFileSuffix, kVariableSuffix}) {
    std::string_view name = key.text;
    if (!name.ends_with(suffix)) continue;
    name.remove_suffix(suffix.size());
    const Field* field = find(scope.fields, scope.section + std::string(name));
    if (field == nullptr || !std::holds_alternative<Secret*>(field->member)) continue;

    note_given(key, *field, scope);
    const std::string path = scope.object + scope.section + key.text;
    findings_.remember(scope.object + field->name, {.source = source_, .mark = value.mark});
    if (value.kind != Kind::kScalar) {
      add(value, path, wrong_kind("text", value));
      return true;
    }
    const Result<Secret, std::string> secret = suffix == kFileSuffix
                                                   ? secret_from_file(value.text)
                                                   : secret_from_variable(value.text, environment_);
    std::optional<std::string> wrong =
        secret ? set_secret(*field, secret->reveal()) : std::optional(secret.error());
    if (wrong) add(value, path, std::move(*wrong));
    return true;
  }
  return false;
}

void Reader::refuse_unknown(const YamlNode& key, const std::string& name, const Scope& scope) {
  const std::vector<std::string> names = names_in(scope.fields, scope.section);
  std::string message = "no such field";
  const auto elsewhere = std::ranges::find_if(
      scope.fields, [&](const Field& field) { return field.name.ends_with("." + key.text); });
  if (const std::optional<std::string> near = nearest(key.text, names)) {
    message += "; did you mean " + *near + "?";
  } else if (elsewhere != scope.fields.end()) {
    message += "; did you mean " + elsewhere->name + "?";
  } else {
    message += names.size() > kMostNamesInMessage
                   ? "; `gatehouse config docs` lists those that there are"
                   : "; there are " + list_of(names, " and ");
  }
  add(key, scope.object + name, std::move(message));
}

}  // namespace gatehouse::config
