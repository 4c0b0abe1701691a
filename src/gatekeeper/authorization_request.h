// The authorization request (OpenID Connect Core §3.1.2.1): the URL that a stranger is sent to.
//
// A provider that lives behind this front door (the identity role, or Dex under /dex) is named by
// its path alone, so that the login works under every host name of ours, and so is our redirect
// URI, as Charmed Kubeflow has it. Any other provider is named by its metadata, and gets an
// absolute redirect URI.
#pragma once

#include <string>
#include <string_view>

#include "config/settings.h"
#include "gatekeeper/login_state.h"
#include "gatekeeper/request_origin.h"
#include "http/message.h"

namespace gatehouse::gatekeeper {

class AuthorizationRequest {
 public:
  AuthorizationRequest(const config::Gatekeeper& settings, const RequestOrigin& origin);

  /// True if url() needs the provider's authorization_endpoint.
  bool needs_metadata() const { return !behind_this_door_; }

  /// As the request of the browser that logs in determines it; the same again at the exchange.
  std::string redirect_uri(const http::Request& request) const;

  /// `endpoint` is not looked at unless needs_metadata().
  std::string url(const http::Request& request, std::string_view endpoint,
                  const FreshLogin& login) const;

 private:
  std::string front(std::string_view endpoint, std::string_view redirect_uri) const;

  const config::Gatekeeper& settings_;
  const RequestOrigin& origin_;
  bool behind_this_door_;
  std::string front_;  // of the URL, up to the state; if it is the same for every request
};

}  // namespace gatehouse::gatekeeper
