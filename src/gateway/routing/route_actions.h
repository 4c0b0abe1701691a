// What a route does to a request besides where it sends it: path, Host, redirect; compiled.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/routing/path_replacement.h"
#include "gateway/routing/redirection.h"
#include "http/target.h"

namespace gatehouse::gateway {

struct RouteActions {
  PathReplacement replacement;  // of the path
  std::string host_rewrite;     // Host sent upstream; "": see auto_host_rewrite
  bool auto_host_rewrite = false;
  std::optional<Redirection> redirection;  // the client is sent there, and no upstream is asked

  /// kInvalid says what is wrong. What has no effect is appended to `warnings`.
  static Result<RouteActions> make(const config::Route& route, std::vector<std::string>& warnings);

  /// Rewrites the path and keeps the query; false, for 400, if the path would not be normal.
  bool rewrite(http::Target& target) const;
  /// The Host that the upstream gets. `own`: the upstream's.
  std::string_view authority(std::string_view client, std::string_view own) const {
    if (!host_rewrite.empty()) return host_rewrite;
    return auto_host_rewrite ? own : client;
  }
};

}  // namespace gatehouse::gateway
