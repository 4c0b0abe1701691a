// The proxies whose X-Forwarded-* fields are believed, by address or network. Nobody by default.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse::gatekeeper {

class TrustedProxies {
 public:
  /// "10.1.2.3", "10.0.0.0/8", "::1", "fd00::/8". kInvalid names the entry that is none of these.
  static Result<TrustedProxies> parse(const std::vector<std::string>& entries);

  /// False for what is no IP address.
  bool contains(std::string_view address) const;

 private:
  /// IPv4 as IPv6 has it mapped, so that both compare alike.
  using Address = std::array<std::uint8_t, 16>;
  struct Network {
    Address address;
    unsigned bits;
  };
  static bool parse_address(std::string_view text, Address& out);

  std::vector<Network> networks_;
};

}  // namespace gatehouse::gatekeeper
