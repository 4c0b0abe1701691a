// Cross-origin requests (the Fetch standard, §3.2): answers preflights, and says which origins may
// read an answer.
//
// It decides nothing about who may send a request: that is the authorizer's. Preflights carry no
// credentials and are therefore answered before it. With the filter on, what an upstream says of
// CORS is replaced; with it off, nothing is touched.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "http/message.h"

namespace gatehouse::gateway {

class Cors {
 public:
  /// kInvalid names the origin, method or header that cannot be, and refuses "*" together with
  /// credentials: every site could then act as the user.
  static Result<Cors> make(const config::Cors& settings);

  /// Off.
  Cors() = default;

  bool on() const { return any_ || !exact_.empty() || !wildcard_.empty(); }
  /// The answer to a preflight (OPTIONS with Origin and Access-Control-Request-Method) of an origin
  /// that is listed. nullopt: it is none, or of another origin, and goes its usual way.
  std::optional<http::Response> preflight(const http::Request& request) const;
  /// Says on the answer whether the request's origin may read it. That of preflight() says so
  /// already.
  void apply(const http::Request& request, http::Response& response) const;

 private:
  /// "https://*.example.org:8443": what stands before and behind the asterisk.
  struct Wildcard {
    std::string before, behind;
  };

  Result<void> add_origin(std::string_view origin);
  /// The origin of the request, if it is listed.
  std::optional<std::string_view> allowed_origin(const http::Request& request) const;
  /// The same of a preflight.
  std::optional<std::string_view> asking_origin(const http::Request& request) const;
  void allow_origin(http::Headers& headers, std::string_view origin) const;

  bool any_ = false;
  bool credentials_ = false;
  std::vector<std::string> exact_;
  std::vector<Wildcard> wildcard_;
  std::string methods_, headers_, exposed_, max_age_;  // as they are sent; "": not sent
};

}  // namespace gatehouse::gateway
