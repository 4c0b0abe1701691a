// The proxies whose X-Forwarded-* fields are believed, by address or network. Nobody by default.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/address_set.h"

namespace gatehouse::http {

class TrustedProxies {
 public:
  /// "10.1.2.3", "10.0.0.0/8", "::1", "fd00::/8". kInvalid names the entry that is none of these.
  static Result<TrustedProxies> parse(const std::vector<std::string>& entries);

  /// An IPv4 address and its IPv6-mapped form are the same. False for what is no address.
  bool contains(std::string_view address) const { return addresses_.contains(address); }

 private:
  AddressSet addresses_;
};

}  // namespace gatehouse::http
