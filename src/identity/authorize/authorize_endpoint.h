// /auth and /auth/local: takes an authorization request and leads on to the login page.
//
// There is one connector, so there is nothing to choose. The request travels on sealed.
#pragma once

#include <string>

#include "http/message.h"
#include "identity/authorize/request_sealer.h"
#include "identity/clients/clients.h"
#include "identity/pages/pages.h"

namespace gatehouse::identity {

class AuthorizeEndpoint final : public http::Handler {
 public:
  /// `login_path` is the path of the login page.
  AuthorizeEndpoint(std::string issuer, std::string login_path, const Clients& clients,
                    RequestSealer& sealer, const Pages& pages);
  Task<http::Response> handle(http::Request& request) override;

 private:
  http::Response answer(const http::Parameters& parameters);
  http::Response lead_on(const AuthorizationRequest& request);
  http::Response send_back(const ErrorRedirect& error) const;

  const std::string issuer_;
  const std::string login_path_;
  const Clients& clients_;
  RequestSealer& sealer_;
  const Pages& pages_;
};

}  // namespace gatehouse::identity
