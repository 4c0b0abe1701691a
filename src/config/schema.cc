// config::json_schema(): the field table as JSON Schema, for editors and checks before a roll-out.
#include <algorithm>
#include <charconv>
#include <string>
#include <type_traits>

#include "config/config.h"
#include "config/fields.h"
#include "config/value.h"

namespace gatehouse::config {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kDurationPattern =
    "^(0|(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$";
constexpr std::string_view kBytesPattern = "^[0-9]+(B|KiB|MiB|GiB)?$";

ordered_json object_schema(const std::vector<Field>& fields);

/// A choice like 1.2 may be written without quotes, and is a number to an editor then.
void add_choices(ordered_json& schema, const std::vector<std::string>& values) {
  schema["enum"] = values;
  for (const std::string& value : values) {
    double number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || end != value.data() + value.size()) continue;
    schema["type"] = {"string", "number"};
    schema["enum"].push_back(number);
  }
}

void add_text_rule(ordered_json& schema, const Rule& rule) {
  if (const OneOf* one_of = std::get_if<OneOf>(&rule)) add_choices(schema, one_of->values);
  const Form* form = std::get_if<Form>(&rule);
  if (form != nullptr && !form->may_be_empty) schema["minLength"] = 1;
}

/// The schema of a member by its type; the argument's type is what is visited.
struct TypeSchema {
  const Field& field;

  ordered_json operator()(std::string*) const {
    ordered_json schema = {{"type", "string"}};
    add_text_rule(schema, field.rule);
    return schema;
  }
  ordered_json operator()(Secret*) const { return {{"type", "string"}}; }
  ordered_json operator()(bool*) const { return {{"type", "boolean"}}; }
  template <class Element>
  ordered_json operator()(std::vector<Element>*) const {
    if constexpr (kIsListOfObjects<std::vector<Element>>) {
      Element entry;
      ordered_json list = list_of(object_schema(of_entry(fields(entry), field.rule)));
      if (!std::holds_alternative<Named>(field.rule)) return list;
      ordered_json value = {{"type", {"string", "object"}}};
      return {
          {"anyOf",
           {std::move(list), {{"type", "object"}, {"additionalProperties", std::move(value)}}}}};
    } else {
      return list_of((*this)(static_cast<Element*>(nullptr)));
    }
  }
  template <class Number>
  ordered_json operator()(Number*) const {
    if (std::holds_alternative<Period>(field.rule)) {
      // A bare 0 is an integer to YAML.
      return {{"type", {"string", "integer"}},
              {"pattern", kDurationPattern},
              {"minimum", 0},
              {"maximum", 0}};
    }
    if (const Bytes* bytes = std::get_if<Bytes>(&field.rule)) {
      return {{"type", {"string", "integer"}},
              {"pattern", kBytesPattern},
              {"minimum", bytes->min},
              {"maximum", bytes->max}};
    }
    ordered_json schema = {{"type", std::is_same_v<Number, double> ? "number" : "integer"}};
    if (const Range* range = std::get_if<Range>(&field.rule)) {
      schema["minimum"] = range->min;
      schema["maximum"] = range->max;
    } else if (const OneOfNumbers* few = std::get_if<OneOfNumbers>(&field.rule)) {
      schema["enum"] = few->values;
    }
    return schema;
  }

 private:
  ordered_json list_of(ordered_json items) const {
    ordered_json schema = {{"type", "array"}, {"items", std::move(items)}};
    const bool needs_one =
        field.presence == Presence::kRequired || std::holds_alternative<NotEmpty>(field.rule);
    if (needs_one) schema["minItems"] = 1;
    return schema;
  }
};

std::string description(const Field& field) {
  std::string text(field.doc);
  if (const Form* form = std::get_if<Form>(&field.rule)) {
    text += " Form: " + std::string(form->syntax->rule) + ".";
  }
  return text;
}

ordered_json field_schema(const Field& field) {
  ordered_json schema = std::visit(TypeSchema{field}, field.member);
  schema["description"] = description(field);
  if (field.presence == Presence::kOptional) schema["default"] = to_json(field);
  return schema;
}

/// The `properties` of the section that holds the field, made on the way.
ordered_json& properties_of(ordered_json& object, std::string_view name, std::string_view& last) {
  ordered_json* at = &object["properties"];
  last = name;
  for (std::size_t dot = last.find('.'); dot != std::string_view::npos; dot = last.find('.')) {
    ordered_json& section = (*at)[std::string(last.substr(0, dot))];
    if (section.is_null()) {
      section = {{"type", {"object", "null"}},
                 {"additionalProperties", false},
                 {"properties", ordered_json::object()}};
    }
    at = &section["properties"];
    last.remove_prefix(dot + 1);
  }
  return *at;
}

void add_secret_references(ordered_json& properties, const std::string& name) {
  properties[name + "_file"] = {
      {"type", "string"}, {"minLength", 1}, {"description", "A file that holds " + name + "."}};
  properties[name + "_env"] = {{"type", "string"},
                               {"minLength", 1},
                               {"description", "An environment variable that holds " + name + "."}};
}

/// A required secret may come in any of its three ways.
ordered_json requirement(const Field& field) {
  const std::string& name = field.name;
  if (!std::holds_alternative<Secret*>(field.member)) return {{"required", {name}}};
  ordered_json ways = ordered_json::array();
  for (const char* suffix : {"", "_file", "_env"}) {
    ways.push_back({{"required", {name + suffix}}});
  }
  return {{"oneOf", std::move(ways)}};
}

ordered_json object_schema(const std::vector<Field>& fields) {
  ordered_json object = {
      {"type", "object"}, {"additionalProperties", false}, {"properties", ordered_json::object()}};
  ordered_json requirements = ordered_json::array();
  for (const Field& field : fields) {
    std::string_view name;
    ordered_json& properties = properties_of(object, field.name, name);
    properties[std::string(name)] = field_schema(field);
    if (std::holds_alternative<Secret*>(field.member)) {
      add_secret_references(properties, std::string(name));
    }
    if (field.presence == Presence::kRequired) requirements.push_back(requirement(field));
  }
  if (!requirements.empty()) object["allOf"] = std::move(requirements);
  return object;
}

}  // namespace

std::string json_schema() {
  Settings defaults;
  ordered_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                         {"title", "Gatehouse's configuration"}};
  schema.update(object_schema(fields(defaults)));
  return schema.dump(2) + "\n";
}

}  // namespace gatehouse::config
