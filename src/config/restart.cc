#include "config/restart.h"

#include <algorithm>
#include <type_traits>

#include "config/fields.h"
#include "config/value.h"

namespace gatehouse::config {
namespace {

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

}  // namespace

std::vector<std::string> needs_restart(const Settings& running, const Settings& fresh) {
  // The table points at members that may be set, so it is bound to copies.
  Settings before = running;
  Settings after = fresh;
  const std::vector<Field> old_fields = fields(before);
  const std::vector<Field> new_fields = fields(after);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < old_fields.size(); ++i) {
    if (!same_but_for_reload(old_fields[i], new_fields[i])) out.push_back(old_fields[i].name);
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace gatehouse::config
