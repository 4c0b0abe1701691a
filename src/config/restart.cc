#include "config/restart.h"

#include <algorithm>
#include <map>
#include <type_traits>

#include "config/fields.h"
#include "config/value.h"

namespace gatehouse::config {
namespace {

/// By name, what only a restart applies: one value, or one for each entry of a list.
using Fixed = std::map<std::string, std::vector<Field>>;

/// `defaults` is of an entry of a list: what it has by default is no reason for a restart, whether
/// the entry comes or goes.
void gather(const std::vector<Field>& all, const std::vector<Field>* defaults,
            const std::string& prefix, Fixed& fixed) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Field& field = all[i];
    if (field.applies == Applies::kRestart) {
      const bool counts = defaults == nullptr || field.presence == Presence::kRequired ||
                          !same_value(field, (*defaults)[i]);
      if (counts) fixed[prefix + field.name].push_back(field);
      continue;
    }
    std::visit(
        [&](auto* member) {
          if constexpr (kIsListOfObjects<std::remove_pointer_t<decltype(member)>>) {
            typename std::remove_pointer_t<decltype(member)>::value_type untouched;
            const std::vector<Field> of_untouched = of_entry(fields(untouched), field.rule);
            for (auto& entry : *member) {
              gather(of_entry(fields(entry), field.rule), &of_untouched,
                     prefix + field.name + "[].", fixed);
            }
          }
        },
        field.member);
  }
}

/// True if the two, of one line, are the same but for what a reload applies.
bool same_but_for_reload(const Field& a, const Field& b) {
  if (a.applies == Applies::kReload) return true;
  return std::visit(
      [&](auto* member) {
        using Type = std::remove_pointer_t<decltype(member)>;
        if constexpr (kIsListOfObjects<Type>) {
          return std::ranges::equal(*member, *std::get<Type*>(b.member), [](auto& x, auto& y) {
            return std::ranges::equal(fields(x), fields(y), same_but_for_reload);
          });
        } else {
          return same_value(a, b);
        }
      },
      a.member);
}

Fixed fixed_in(Settings& settings) {
  Fixed fixed;
  gather(fields(settings), nullptr, "", fixed);
  return fixed;
}

}  // namespace

std::vector<std::string> needs_restart(const Settings& running, const Settings& fresh) {
  // The table points at members that may be set, so it is bound to copies.
  Settings before = running;
  Settings after = fresh;
  Fixed old_values = fixed_in(before);
  Fixed new_values = fixed_in(after);
  // A name that only one of the two has stands for no value in the other.
  for (const auto& [name, values] : old_values) new_values[name];
  std::vector<std::string> out;
  for (const auto& [name, values] : new_values) {
    if (!std::ranges::equal(old_values[name], values, same_but_for_reload)) out.push_back(name);
  }
  return out;
}

}  // namespace gatehouse::config
