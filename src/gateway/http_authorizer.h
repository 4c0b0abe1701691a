// The gatekeeper's question put to another process: ext_authz over HTTP, as Ambassador's
// AuthService (proto: http) speaks it.
//
// The check request has the client's method, `path_prefix` and its target, no body, and the headers
// that identify a client. Exactly 200 allows. An answer of 5xx, a time-out or a broken one is a
// Failure; any other status is a Deny whose answer goes to the client. Beyond that protocol an
// answer may name the user and session in x-gatehouse-user and x-gatehouse-session, by which open
// exchanges are judged again; upstreams never see these.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/settings.h"
#include "gateway/forwarded.h"
#include "gateway/identity_headers.h"
#include "http/authorizer.h"
#include "net/http_client.h"

namespace gatehouse::gateway {

class HttpAuthorizer final : public http::Authorizer {
 public:
  /// The body of a denial may be so long: a login page, not a document.
  static constexpr std::size_t kBodyLimit = 64 * 1024;

  struct Parts {
    std::unique_ptr<net::HttpClient> client;
    std::string path_prefix;  // a path in normal form, or empty
    Forwarded forwarded;
  };
  HttpAuthorizer(const config::Gateway& settings, Parts parts);

  Task<http::Verdict> judge(const http::Request& request) override;
  const std::vector<std::string>& managed_headers() const override { return managed_headers_; }
  const std::vector<std::string>& private_cookies() const override { return private_cookies_; }

 private:
  Result<http::Request> check_request(const http::Request& request) const;
  http::Allow allow(const http::Headers& answer) const;
  http::Deny deny(int status, const http::Headers& answer, std::string body) const;
  bool goes_upstream(std::string_view name) const;

  const std::vector<std::string> managed_headers_, private_cookies_;
  const std::vector<std::string> managed_folded_;
  const config::AuthorizerSettings settings_;
  const IdentityHeaders identity_;
  const Parts parts_;
};

}  // namespace gatehouse::gateway
