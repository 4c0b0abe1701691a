// Ends a session: revoked in the store and in this process before the answer goes out.
//
// POST ends it: 201 with `{"afterLogoutURL": …}` for scripts (Bearer, fetch), 303 to the signed-out
// page for forms. A GET shows a page with a button, unless the browser itself says that the person
// clicked on a link of this very site. What another site's page sends is refused; the session
// cookie is SameSite=Lax besides. If the store cannot keep the revocation the session goes on, and
// the answer says so: a sign-out that a restart undoes would be a lie.
#pragma once

#include <string>

#include "base/task.h"
#include "gatekeeper/loop_parts.h"
#include "http/message.h"

namespace gatehouse::gatekeeper {

/// One a loop.
class Logout {
 public:
  explicit Logout(const LoopParts& parts);

  Task<http::Response> handle(http::Request& request);

 private:
  bool from_this_site(const http::Request& request) const;
  Task<http::Response> end(http::Request& request, const Presented& presented);
  http::Response ended(const http::Request& request, const Presented& presented) const;

  const LoopParts& parts_;
  std::string after_logout_;
};

}  // namespace gatehouse::gatekeeper
