#include "gateway/filters/address_rules.h"

#include <utility>

namespace gatehouse::gateway {

Result<AddressRules> AddressRules::make(const std::vector<std::string>& allow,
                                        const std::vector<std::string>& deny) {
  Result<http::AddressSet> allowed = http::AddressSet::parse(allow, "ip_allow");
  if (!allowed) return fail(std::move(allowed));
  Result<http::AddressSet> denied = http::AddressSet::parse(deny, "ip_deny");
  if (!denied) return fail(std::move(denied));
  AddressRules out;
  out.allow_ = *std::move(allowed);
  out.deny_ = *std::move(denied);
  return out;
}

bool AddressRules::permits(std::string_view address) const {
  if (empty()) return true;
  if (!http::parse_address(address) || deny_.contains(address)) return false;
  return allow_.empty() || allow_.contains(address);
}

}  // namespace gatehouse::gateway
