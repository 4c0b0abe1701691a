// IP addresses as values, and sets of them given as addresses and networks (RFC 4291, RFC 4632).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse::http {

/// In network order; IPv4 in its IPv6-mapped form.
using Address = std::array<std::uint8_t, 16>;

/// Without port, brackets, zone or white space; nullopt for what is no address.
std::optional<Address> parse_address(std::string_view text);
/// True if it is an IPv4 address, mapped ones included.
bool is_ipv4(const Address& address);

/// Found by binary search, so that lists of thousands cost no more than short ones.
class AddressSet {
 public:
  /// "10.1.2.3", "10.0.0.0/8", "::1", "fd00::/8". kInvalid names `where` and the entry that is none
  /// of these.
  static Result<AddressSet> parse(const std::vector<std::string>& entries, std::string_view where);

  bool empty() const { return ranges_.empty(); }
  /// An IPv4 address and its IPv6-mapped form are the same. False for what is no address.
  bool contains(std::string_view address) const;

 private:
  struct Range {
    Address first, last;
  };
  void sort_and_join();

  std::vector<Range> ranges_;  // in order, apart from one another
};

}  // namespace gatehouse::http
