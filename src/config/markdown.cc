// config::markdown(): the field table as a reference for people.
#include <algorithm>
#include <string>
#include <type_traits>

#include "config/config.h"
#include "config/environment.h"
#include "config/fields.h"
#include "config/text.h"
#include "config/units.h"
#include "config/value.h"

namespace gatehouse::config {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

<!-- Written by `gatehouse config docs` from the field tables in src/config/*fields.cc. -->

`gatehouse serve -c FILE` reads one YAML file. `gatehouse config check -c FILE` names every problem
in it with line and column and warns of what is allowed and dangerous,
`gatehouse config show -c FILE` prints what is in force (entries of lists without what has its
default), and `gatehouse config schema` prints a JSON Schema for editors. A field that is not listed here is
refused, as is a value of the wrong type or out of its range; nothing is read as something near it.

- **Variables.** Each field outside lists can be set by a variable, which wins over the file:
  `gatekeeper.client_id` by `GATEHOUSE_GATEKEEPER_CLIENT_ID`. A list of text is separated by commas;
  a list of objects is YAML. An empty variable is an empty value. A variable that looks like one of
  these and names no field is refused. `AMBASSADOR_ID` and `AMBASSADOR_NAMESPACE`, as Ambassador's
  own Deployments have them, are read as `GATEHOUSE_GATEWAY_AMBASSADOR_ID` and
  `GATEHOUSE_GATEWAY_AMBASSADOR_NAMESPACE` where those are not set.
- **Secrets.** A secret `x` may stand in the file, or `x_file` names a file that holds it (one line
  end at its end is left out), or `x_env` names a variable that does. For
  `gatekeeper.client_secret` there is `GATEHOUSE_GATEKEEPER_CLIENT_SECRET_FILE` too. Secrets appear
  in no log and no message; `config show` prints `<secret>`, which a file may hold but which
  counts there as not given.
- **Durations** have a unit: `500ms`, `10s`, `5m`, `24h`, `7d`, `1h30m`. **Sizes** are bytes, or
  have one: `64KiB`, `1MiB`.
- **Paths** are taken as they are, from the working directory: `~` is not expanded.
- **Applied** by a restart, but for what says *reload*: a SIGHUP is enough there, and for all
  entries of a list that says so.
- **Limits.** The file has at most 4 MiB, 16 levels and 150,000 values.
)";

std::string code(const std::string& text) {
  return "`" + text + "`";
}

std::string choice(const std::vector<std::string>& values,
                   std::string_view last_separator = " or ") {
  std::vector<std::string> coded;
  coded.reserve(values.size());
  for (const std::string& value : values) coded.push_back(code(value));
  return list_of(coded, last_separator);
}

std::string number_type(const Rule& rule) {
  if (const Range* range = std::get_if<Range>(&rule)) {
    return (range->unit.empty() ? "integer" : std::string(range->unit)) + ", " +
           std::to_string(range->min) + " to " + std::to_string(range->max);
  }
  if (const OneOfNumbers* few = std::get_if<OneOfNumbers>(&rule)) {
    std::vector<std::string> values;
    for (const int value : few->values) values.push_back(std::to_string(value));
    return choice(values);
  }
  if (const Bytes* bytes = std::get_if<Bytes>(&rule)) {
    return "size, " + format_bytes(bytes->min) + " to " + format_bytes(bytes->max);
  }
  if (const Period* period = std::get_if<Period>(&rule)) {
    return "duration, " + format_duration(period->min) + " to " + format_duration(period->max) +
           (period->zero.empty() ? "" : "; 0: " + std::string(period->zero));
  }
  return "integer";
}

std::string type_of(const Field& field) {
  if (const OneOf* one_of = std::get_if<OneOf>(&field.rule)) {
    return (is_list(field.member) ? "list of " : "") + choice(one_of->values);
  }
  return std::visit(
      [&](auto* member) -> std::string {
        using Type = std::remove_pointer_t<decltype(member)>;
        if constexpr (std::is_same_v<Type, std::string>) return "text";
        if constexpr (std::is_same_v<Type, Secret>) return "secret";
        if constexpr (std::is_same_v<Type, bool>) return "`true` or `false`";
        if constexpr (std::is_same_v<Type, std::vector<std::string>>) return "list of text";
        if constexpr (std::is_same_v<Type, std::vector<int>>) {
          return "list of " + number_type(field.rule);
        }
        if (is_list_of_objects(field.member)) return "list, see below";
        return number_type(field.rule);
      },
      field.member);
}

std::string default_of(const Field& field) {
  if (field.presence == Presence::kRequired) return "*required*";
  const nlohmann::ordered_json value = to_json(field);
  if (value.is_array() && value.empty()) return "none";
  if (is_list_of_objects(field.member)) return "one of " + code(value[0]["address"]);
  if (value.is_array()) return choice(value, ", ");
  if (value.is_string()) return value.get<std::string>().empty() ? "empty" : code(value);
  return code(value.dump());
}

std::string meaning_of(const Field& field) {
  std::string text(field.doc);
  const Form* form = std::get_if<Form>(&field.rule);
  if (form != nullptr && form->syntax != &kOneLine && form->syntax != &kText) {
    text += " Must be " + std::string(form->syntax->rule) + ".";
  }
  if (std::holds_alternative<Named>(field.rule)) text += " A mapping of names to values will do.";
  if (field.applies == Applies::kReload) text += " *reload*";
  // A bar would end the table's cell.
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
    text.insert(at, "\\");
  }
  return text;
}

void write_table(const std::vector<Field>& fields, std::string_view section, std::string& out) {
  out += "\n| Field | Type | Default | Meaning |\n|---|---|---|---|\n";
  for (const Field& field : fields) {
    if (!field.name.starts_with(section)) continue;
    out += "| " + code(field.name) + " | " + type_of(field) + " | " + default_of(field) + " | " +
           meaning_of(field) + " |\n";
  }
}

/// The lists whose entries have the same fields.
struct EntryType {
  std::vector<std::string> lists;  // "gateway.routes[].headers"
  std::string table;               // of their fields
};

/// Each entry type once, an outer before the inner ones.
void gather_entry_types(const std::vector<Field>& fields, const std::string& object,
                        std::vector<EntryType>& types) {
  for (const Field& field : fields) {
    std::visit(
        [&](auto* member) {
          if constexpr (kIsListOfObjects<std::remove_pointer_t<decltype(member)>>) {
            typename std::remove_pointer_t<decltype(member)>::value_type entry;
            const std::vector<Field> inner = of_entry(gatehouse::config::fields(entry), field.rule);
            std::string table;
            write_table(inner, "", table);
            const std::string list = object + field.name;
            const auto known = std::ranges::find(types, table, &EntryType::table);
            if (known != types.end()) return known->lists.push_back(list);
            types.push_back({.lists = {list}, .table = std::move(table)});
            gather_entry_types(inner, list + "[].", types);
          }
        },
        field.member);
  }
}

void write_lists(const std::vector<Field>& fields, std::string& out) {
  std::vector<EntryType> types;
  gather_entry_types(fields, "", types);
  out += "\n## Entries of lists\n";
  for (const EntryType& type : types) {
    out += "\n### Each of " + choice(type.lists, " and ") + "\n" + type.table;
  }
}

std::string section_of(const Field& field) {
  const std::size_t dot = field.name.find('.');
  return dot == std::string::npos ? "" : field.name.substr(0, dot + 1);
}

}  // namespace

std::string markdown() {
  Settings defaults;
  const std::vector<Field> all = fields(defaults);
  std::vector<std::string> sections;
  std::vector<Field> top;
  for (const Field& field : all) {
    const std::string section = section_of(field);
    if (section.empty()) {
      top.push_back(field);
    } else if (std::ranges::find(sections, section) == sections.end()) {
      sections.push_back(section);
    }
  }
  std::string out(kIntroduction);
  out += "\n## The process\n";
  write_table(top, "", out);
  for (const std::string& section : sections) {
    out += "\n## " + code(section.substr(0, section.size() - 1)) + "\n";
    write_table(all, section, out);
  }
  write_lists(all, out);
  return out;
}

}  // namespace gatehouse::config
