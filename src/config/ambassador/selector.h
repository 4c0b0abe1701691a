// Kubernetes label selectors.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/ambassador/fields.h"

namespace gatehouse::config::ambassador {

struct Requirement {
  std::string key;
  std::string op;  // In, NotIn, Exists, DoesNotExist
  std::vector<std::string> values;
};

/// All requirements must hold.
struct Selector {
  std::vector<Requirement> requirements;

  bool matches(const std::vector<std::string>& labels) const;
  /// "key=value" if one label decides; else the requirements in words. The same for equal
  /// selectors.
  std::string str() const;
  bool is_one_label() const;
};

/// {matchLabels, matchExpressions}; nullopt if absent or empty, which selects all.
std::optional<Selector> read_selector(FieldReader& fields, std::string_view name);

}  // namespace gatehouse::config::ambassador
