#include "http/trusted_proxies.h"

#include <utility>

namespace gatehouse::http {

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& entries) {
  Result<AddressSet> addresses = AddressSet::parse(entries, "trusted_proxies");
  if (!addresses) return fail(std::move(addresses));
  TrustedProxies out;
  out.addresses_ = *std::move(addresses);
  return out;
}

}  // namespace gatehouse::http
