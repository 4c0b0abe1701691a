#include "config/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <type_traits>
#include <utility>

#include "config/text.h"
#include "config/units.h"

namespace gatehouse::config {
namespace {

using Failure = std::optional<std::string>;

template <class T>
constexpr bool kIsDuration = std::is_same_v<T, milliseconds> || std::is_same_v<T, seconds>;
template <class T>
constexpr bool kIsInteger = std::is_integral_v<T> && !std::is_same_v<T, bool>;

Failure needs_text(const YamlNode& node) {
  if (is_text(node)) return std::nullopt;
  return "must be text; put it in quotes";
}

Failure check_form(const Rule& rule, std::string_view text) {
  if (const Form* form = std::get_if<Form>(&rule)) {
    if (text.empty()) return form->may_be_empty ? Failure() : "must not be empty";
    if (!form->syntax->valid(text)) return "must be " + std::string(form->syntax->rule);
  }
  const OneOf* one_of = std::get_if<OneOf>(&rule);
  if (one_of != nullptr && std::ranges::find(one_of->values, text) == one_of->values.end()) {
    std::string message = quote(text) + " must be one of " + list_of(one_of->values);
    if (const std::optional<std::string> near = nearest(text, one_of->values)) {
      message += "; did you mean " + *near + "?";
    }
    return message;
  }
  return std::nullopt;
}

Failure set(std::string& member, const Field& field, const YamlNode& node) {
  // Among given words there is nothing that 1.2 could be mistaken for.
  if (!std::holds_alternative<OneOf>(field.rule)) {
    if (Failure wrong = needs_text(node)) return wrong;
  }
  if (Failure wrong = check_form(field.rule, node.text)) return wrong;
  member = node.text;
  return std::nullopt;
}

Failure set(Secret&, const Field& field, const YamlNode& node) {
  if (Failure wrong = needs_text(node)) return wrong;
  // A file as it is shown can be loaded; the mark is then no value, and never the secret.
  const bool in_file = node.style != YamlNode::Style::kRaw;
  if (in_file && node.text == kHiddenSecret && field.presence == Presence::kOptional) {
    return std::nullopt;
  }
  return set_secret(field, node.text);
}

Failure set(bool& member, const Field&, const YamlNode& node) {
  const bool quoted = node.style == YamlNode::Style::kQuoted;
  if (quoted || (node.text != "true" && node.text != "false")) {
    constexpr std::array<std::string_view, 10> kYes{"yes", "Yes", "YES", "on",   "On",
                                                    "ON",  "y",   "1",   "True", "TRUE"};
    constexpr std::array<std::string_view, 11> kNo{"no", "No", "NO",    "off",   "Off", "OFF",
                                                   "n",  "0",  "False", "FALSE", "none"};
    const bool yes = std::ranges::find(kYes, node.text) != kYes.end() || node.text == "true";
    const bool no = std::ranges::find(kNo, node.text) != kNo.end() || node.text == "false";
    return std::string("must be true or false") + (yes  ? "; write true, without quotes"
                                                   : no ? "; write false, without quotes"
                                                        : "");
  }
  member = node.text == "true";
  return std::nullopt;
}

std::string out_of_range(const std::string& number, const Range& range) {
  return number + " must be from " + std::to_string(range.min) + " to " +
         std::to_string(range.max) + (range.unit.empty() ? "" : " ") + std::string(range.unit);
}

Failure check_number(const Rule& rule, long long number) {
  if (const Range* range = std::get_if<Range>(&rule)) {
    if (number < range->min || number > range->max) {
      return out_of_range(std::to_string(number), *range);
    }
  } else if (const OneOfNumbers* few = std::get_if<OneOfNumbers>(&rule)) {
    if (std::ranges::find(few->values, number) == few->values.end()) {
      std::vector<std::string> names;
      for (const int value : few->values) names.push_back(std::to_string(value));
      return std::to_string(number) + " must be one of " + list_of(names);
    }
  }
  return std::nullopt;
}

Failure set(double& member, const Field& field, const YamlNode& node) {
  double number = 0;
  const std::string& text = node.text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
    return "must be a number in decimal digits";
  }
  if (node.style == YamlNode::Style::kQuoted) return "must be a number; write it without quotes";
  const Range& range = std::get<Range>(field.rule);
  if (number < static_cast<double>(range.min) || number > static_cast<double>(range.max)) {
    return out_of_range(text, range);
  }
  member = number;
  return std::nullopt;
}

template <class Integer>
Failure set_integer(Integer& member, const Field& field, const YamlNode& node) {
  long long number = 0;
  const std::string& text = node.text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return "must be a whole number in decimal digits";
  }
  if (node.style == YamlNode::Style::kQuoted) {
    return "must be a whole number; write it without quotes";
  }
  if (Failure wrong = check_number(field.rule, number)) return wrong;
  member = static_cast<Integer>(number);
  return std::nullopt;
}

Failure set_bytes(std::size_t& member, const Bytes& range, const YamlNode& node) {
  const Result<std::uint64_t, std::string> bytes = parse_bytes(node.text);
  if (!bytes) return bytes.error();
  if (*bytes < range.min || *bytes > range.max) {
    return format_bytes(*bytes) + " must be from " + format_bytes(range.min) + " to " +
           format_bytes(range.max);
  }
  member = *bytes;
  return std::nullopt;
}

template <class Integer>
  requires kIsInteger<Integer>
Failure set(Integer& member, const Field& field, const YamlNode& node) {
  if constexpr (std::is_same_v<Integer, std::size_t>) {
    if (const Bytes* bytes = std::get_if<Bytes>(&field.rule)) {
      return set_bytes(member, *bytes, node);
    }
  }
  return set_integer(member, field, node);
}

template <class Duration>
  requires kIsDuration<Duration>
Failure set(Duration& member, const Field& field, const YamlNode& node) {
  const Result<milliseconds, std::string> duration = parse_duration(node.text);
  if (!duration) return duration.error();
  const Period& period = std::get<Period>(field.rule);
  const bool zero = duration->count() == 0 && !period.zero.empty();
  if (!zero && (*duration < period.min || *duration > period.max)) {
    return format_duration(*duration) + " must be from " + format_duration(period.min) + " to " +
           format_duration(period.max) +
           (period.zero.empty() ? "" : ", or 0: " + std::string(period.zero));
  }
  member = std::chrono::duration_cast<Duration>(*duration);
  if (member != *duration) return "must be whole seconds";
  return std::nullopt;
}

template <class Element>
Failure set(std::vector<Element>&, const Field&, const YamlNode&) {
  return "must be a list";
}

/// What is given of an entry: of a hundred fields most have their defaults.
template <class Object>
nlohmann::ordered_json list_to_json(std::vector<Object>& objects, const Rule& rule) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (Object& object : objects) {
    Object untouched;
    // A default that depends on another field.
    if constexpr (requires { object.grpc; }) {
      if (object.grpc) untouched.idle_timeout = kGrpcIdleTimeout;
    }
    const std::vector<Field> defaults = of_entry(fields(untouched), rule);
    std::vector<Field> given;
    const std::vector<Field> all = of_entry(fields(object), rule);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool needed = all[i].presence == Presence::kRequired;
      if (needed || !same_value(all[i], defaults[i])) given.push_back(all[i]);
    }
    out.push_back(to_json(given));
  }
  return out;
}

struct ToJson {
  const Rule& rule;

  nlohmann::ordered_json operator()(Secret* secret) const {
    return secret->empty() ? "" : std::string(kHiddenSecret);
  }
  template <class T>
  nlohmann::ordered_json operator()(T* value) const {
    if constexpr (kIsDuration<T>) {
      return format_duration(*value);
    } else if constexpr (std::is_same_v<T, std::size_t>) {
      // What has no unit is a number to YAML.
      const std::string text = format_bytes(*value);
      if (std::holds_alternative<Bytes>(rule) && text.ends_with('B')) return text;
      return *value;
    } else {
      return *value;
    }
  }
  template <class Object>
    requires kIsListOfObjects<std::vector<Object>>
  nlohmann::ordered_json operator()(std::vector<Object>* objects) const {
    return list_to_json(*objects, rule);
  }
};

}  // namespace

std::optional<std::string> set_scalar(const Field& field, const YamlNode& node) {
  return std::visit([&](auto* member) { return set(*member, field, node); }, field.member);
}

std::optional<std::string> add_to_list(const Field& field, const YamlNode& node) {
  return std::visit(
      [&](auto* member) -> Failure {
        if constexpr (requires { set(member->front(), field, node); }) {
          typename std::remove_pointer_t<decltype(member)>::value_type value{};
          if (Failure wrong = set(value, field, node)) return wrong;
          member->push_back(std::move(value));
          return std::nullopt;
        } else {
          return "must be a single value";
        }
      },
      field.member);
}

bool same_value(const Field& a, const Field& b) {
  return std::visit([&](auto* value) { return *value == *std::get<decltype(value)>(b.member); },
                    a.member);
}

std::optional<std::string> set_secret(const Field& field, std::string_view text) {
  if (text == kHiddenSecret) {
    return "holds the mark that stands for a secret where configuration is shown; give the secret";
  }
  if (Failure wrong = check_form(field.rule, text)) return wrong;
  *std::get<Secret*>(field.member) = Secret(std::string(text));
  return std::nullopt;
}

nlohmann::ordered_json to_json(const Field& field) {
  return std::visit(ToJson{field.rule}, field.member);
}

nlohmann::ordered_json to_json(const std::vector<Field>& fields) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const Field& field : fields) {
    std::string pointer = "/" + std::string(field.name);
    std::ranges::replace(pointer, '.', '/');
    out[nlohmann::ordered_json::json_pointer(pointer)] = to_json(field);
  }
  return out;
}

}  // namespace gatehouse::config
