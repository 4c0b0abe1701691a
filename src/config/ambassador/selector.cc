#include "config/ambassador/selector.h"

#include <algorithm>

#include "config/text.h"

namespace gatehouse::config::ambassador {
namespace {

bool holds(const Requirement& requirement, const std::vector<std::string>& labels) {
  const std::string start = requirement.key + "=";
  const auto label = std::ranges::find_if(
      labels, [&](const std::string& text) { return text.starts_with(start); });
  const bool exists = label != labels.end();
  if (requirement.op == "Exists") return exists;
  if (requirement.op == "DoesNotExist") return !exists;
  const bool is_in = exists && std::ranges::find(requirement.values, label->substr(start.size())) !=
                                   requirement.values.end();
  return requirement.op == "In" ? is_in : !is_in;
}

std::string to_string(const Requirement& requirement) {
  if (requirement.op == "In" && requirement.values.size() == 1) {
    return requirement.key + "=" + requirement.values.front();
  }
  std::string out = requirement.op + " " + requirement.key;
  for (const std::string& value : requirement.values) out += " " + value;
  return out;
}

Requirement read_expression(FieldReader& expression) {
  Requirement out{.key = expression.text("key").value_or("")};
  if (out.key.empty()) expression.problem("key", "is missing");
  const auto op = expression.one_of("operator", {"In", "NotIn", "Exists", "DoesNotExist"});
  if (!op && !expression.has("operator")) expression.problem("operator", "is missing");
  out.op = op.value_or("In");
  out.values = expression.texts("values").value_or(std::vector<std::string>{});
  expression.finish();
  return out;
}

}  // namespace

bool Selector::matches(const std::vector<std::string>& labels) const {
  return std::ranges::all_of(
      requirements, [&](const Requirement& requirement) { return holds(requirement, labels); });
}

bool Selector::is_one_label() const {
  return requirements.size() == 1 && requirements.front().op == "In" &&
         requirements.front().values.size() == 1;
}

std::string Selector::str() const {
  std::vector<std::string> parts;
  parts.reserve(requirements.size());
  for (const Requirement& requirement : requirements) parts.push_back(to_string(requirement));
  std::ranges::sort(parts);
  return list_of(parts, ", ");
}

std::optional<Selector> read_selector(FieldReader& fields, std::string_view name) {
  std::optional<FieldReader> selector = fields.object(name);
  if (!selector) return std::nullopt;
  Selector out;
  for (const auto& [key, node] : selector->entries("matchLabels")) {
    const std::optional<std::string> value = selector->text_of(*node, "matchLabels");
    if (value) out.requirements.push_back({.key = key, .op = "In", .values = {*value}});
  }
  for (FieldReader& expression : selector->objects("matchExpressions")) {
    out.requirements.push_back(read_expression(expression));
  }
  selector->finish();
  if (out.requirements.empty()) return std::nullopt;
  return out;
}

}  // namespace gatehouse::config::ambassador
