// The gatekeeper's cookies: what they are called and with which attributes they are set.
//
// Over https each has the __Host- prefix, which a browser takes only from this very host, with
// Secure and Path=/: a neighbour's subdomain cannot plant one. All begin with "gatehouse_" (or the
// configured name), so that the gateway can keep them from the upstreams.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::gatekeeper {

class CookieNames {
 public:
  explicit CookieNames(std::string session_name);

  const std::string& session(bool secure) const { return secure ? secure_session_ : session_; }
  /// One cookie for each login in progress: this and a mark of its state.
  std::string_view login_prefix(bool secure) const;
  /// Counts logins that followed one another without a session in between.
  std::string_view rounds(bool secure) const;

  /// As http::Authorizer::private_cookies() wants them.
  std::vector<std::string> all() const;

 private:
  std::string session_, secure_session_;
};

/// The value of a Set-Cookie field: HttpOnly, SameSite=Lax, Path=/.
std::string set_cookie(std::string_view name, std::string_view value, std::chrono::seconds max_age,
                       bool secure);
std::string delete_cookie(std::string_view name, bool secure);

}  // namespace gatehouse::gatekeeper
