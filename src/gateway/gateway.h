// The gateway as the composition root sees it: a Handler that routes, asks, rewrites and forwards.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "config/settings.h"
#include "http/authorizer.h"
#include "http/message.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/tcp.h"

namespace gatehouse::gateway {

/// One a loop.
class Gateway : public http::Handler {
 public:
  struct Parts {
    net::Loop& loop;
    net::Resolver& resolver;
    http::Authorizer& authorizer;
    /// Handlers that routes name as their service instead of a URL: "identity", "gatekeeper".
    std::map<std::string, http::Handler*> local;
  };
  /// kInvalid names the route that cannot be.
  static Result<std::unique_ptr<Gateway>> make(const config::Gateway& settings, Parts parts);
};

/// ext_authz over HTTP, as Ambassador's AuthService (proto: http) speaks it.
Result<std::unique_ptr<http::Authorizer>> make_http_authorizer(const config::Gateway& settings,
                                                               net::Loop& loop,
                                                               net::Resolver& resolver);
/// Lets everyone pass. Only for a configuration that says `authorizer.kind: none`.
std::unique_ptr<http::Authorizer> make_open_authorizer(const config::Gateway& settings);

}  // namespace gatehouse::gateway
