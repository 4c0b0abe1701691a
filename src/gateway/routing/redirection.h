// Where a route's redirect sends the client.
//
// Immutable. A Location is made of what the configuration gives, checked when it is made, and of
// the request's checked authority, normal path and query, so that it cannot hold a line break. The
// query is kept byte for byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/routing/path_match.h"
#include "gateway/routing/path_replacement.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// False if host, path, prefix and regex are all empty.
bool is_redirect(const config::Redirect& redirect);

class Redirection {
 public:
  /// Of a route whose redirect is one; `prefix` and `mode` say what the route matches. kInvalid
  /// says what is wrong.
  static Result<Redirection> make(const config::Redirect& redirect, std::string_view prefix,
                                  PrefixMode mode);

  /// 301, 302, 303, 307 or 308.
  int status() const { return status_; }
  /// `secure`: the request counts as one over TLS. Without a host in the request and the
  /// configuration, the Location is a path. nullopt, for 400: the path would not be normal, or
  /// https is asked for without a host.
  std::optional<std::string> location(const http::Request& request, bool secure) const;

 private:
  Redirection() = default;

  std::string host_;
  PathReplacement path_;
  bool drops_query_ = false;  // the configured path has its own
  bool https_ = false;
  int status_ = 301;
};

}  // namespace gatehouse::gateway
