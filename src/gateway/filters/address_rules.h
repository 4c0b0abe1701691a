// Which client addresses may send requests at all: ip_allow and ip_deny. Not a judgement of who the
// user is; asked before everything else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/address_set.h"

namespace gatehouse::gateway {

class AddressRules {
 public:
  /// kInvalid names the list and the entry that is no address or network.
  static Result<AddressRules> make(const std::vector<std::string>& allow,
                                   const std::vector<std::string>& deny);

  /// Lets everyone pass.
  AddressRules() = default;

  bool empty() const { return allow_.empty() && deny_.empty(); }
  /// What is denied is denied, even if it is allowed too; where some are allowed, the others are
  /// not. With any rule, what is no address does not pass.
  bool permits(std::string_view address) const;

 private:
  http::AddressSet allow_, deny_;
};

}  // namespace gatehouse::gateway
