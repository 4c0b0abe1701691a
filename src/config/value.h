// One value: from text to member, by the field's type and rule; and from member to text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "config/fields.h"
#include "config/yaml.h"

namespace gatehouse::config {

/// Stands for a secret wherever configuration is shown. Never taken for the secret itself: in a
/// file it counts as not given, from elsewhere it is refused.
inline constexpr std::string_view kHiddenSecret = "<secret>";

/// Sets a scalar member, or returns the rule that the value breaks; the member is then unchanged.
/// The rule quotes the value unless the member is a secret.
std::optional<std::string> set_scalar(const Field& field, const YamlNode& node);

/// Adds a scalar to a list of values, or returns the rule that it breaks; the list is then
/// unchanged.
std::optional<std::string> add_to_list(const Field& field, const YamlNode& node);

/// True if both members hold the same; both are of one line of the table.
bool same_value(const Field& a, const Field& b);

/// Sets a secret from `text`, wherever it came from.
std::optional<std::string> set_secret(const Field& field, std::string_view text);

/// The member as configuration would have it: text, number, true or false, list or list of objects.
/// Durations and sizes carry their units; secrets are kHiddenSecret, or "" if empty. Objects in
/// lists are without what has its default, unless it is required.
nlohmann::ordered_json to_json(const Field& field);

/// The fields as nested objects, in the table's order.
nlohmann::ordered_json to_json(const std::vector<Field>& fields);

}  // namespace gatehouse::config
