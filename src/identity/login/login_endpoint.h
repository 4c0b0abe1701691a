// /auth/local/login: the page with `login` and `password`, and what happens when they are posted.
//
// One try goes: throttle, look the user up, check the password (one hash, always), and then either
// the page again or an authorization code. The answers for an unknown user, a disabled one and a
// wrong password are the same bytes: the page with 401, as Dex answers, or with 429 once failures
// slow down. GET has no effect, so the Back button and a reload just show the page; a code needs a
// password each time.
#pragma once

#include <chrono>
#include <expected>
#include <string>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/executor.h"
#include "http/message.h"
#include "http/trusted_proxies.h"
#include "identity/authorize/request_sealer.h"
#include "identity/clients/clients.h"
#include "identity/login/login_throttle.h"
#include "identity/pages/pages.h"
#include "identity/passwords/password_verifier.h"
#include "store/store.h"

namespace gatehouse::identity {

struct LoginDependencies {
  const Clients& clients;
  RequestSealer& sealer;
  const Pages& pages;
  LoginThrottle& throttle;
  const http::TrustedProxies& trusted_proxies;
  PasswordVerifier& passwords;
  store::Store& store;
  Executor& home;
  Entropy& entropy;
  const Clock& clock;
};

class LoginEndpoint final : public http::Handler {
 public:
  LoginEndpoint(std::string issuer, std::chrono::seconds code_lifetime, LoginDependencies parts);
  Task<http::Response> handle(http::Request& request) override;

 private:
  struct Try;

  /// The request in progress, or the page to show instead.
  std::expected<AuthorizationRequest, http::Response> open_request(const http::Request& request);
  Task<http::Response> take_try(http::Request& request, AuthorizationRequest wanted);
  Task<http::Response> judge(Try tried, http::Request& request);
  Task<http::Response> give_code(Try tried, store::User user, std::optional<std::string> rehashed);
  LoginPage page_for(const AuthorizationRequest& wanted, std::string login) const;
  http::Response refuse(const Try& tried, http::Request& request);
  http::Response unavailable(const Error& error, http::Request& request) const;

  const std::string issuer_;
  const std::chrono::seconds code_lifetime_;
  const LoginDependencies parts_;
};

}  // namespace gatehouse::identity
