// Who the user is, said to upstreams by the gateway alone.
//
// strip() takes what a client must not say itself: managed headers under any spelling that folds to
// theirs, and the private cookies. apply() then writes what the verdict says. A managed header that
// the verdict does not set stays absent (CVE-2026-30851). A verdict that cannot be written as
// header fields is refused, and the request with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/authorizer.h"
#include "http/headers.h"

namespace gatehouse::gateway {

/// A verdict may set this on the upstream request: a legal name that frames nothing, and a value in
/// ASCII, in which no two upstreams read two users.
bool may_be_set(std::string_view name, std::string_view value);

class IdentityHeaders {
 public:
  IdentityHeaders(const std::vector<std::string>& managed_headers,
                  std::vector<std::string> private_cookies);

  /// Removes managed headers, `x-gatehouse-*`, stray connection-level fields and `Proxy`.
  void strip(http::Headers& headers) const;
  /// Removes the cookies that upstreams must not see.
  void strip_cookies(http::Headers& headers) const;
  /// Removes, then sets, then appends. kInvalid if a name or value is not legal or would change the
  /// framing; the headers are then half done and the request must not go on.
  Result<void> apply(http::Headers& headers, const http::Allow& allow) const;
  /// Removes those Set-Cookie fields of an upstream's answer that would plant a private cookie.
  void strip_set_cookies(http::Headers& headers) const;

 private:
  std::vector<std::string> managed_;  // folded
  std::vector<std::string> private_cookies_;
};

}  // namespace gatehouse::gateway
