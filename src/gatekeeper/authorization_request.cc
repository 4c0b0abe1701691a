#include "gatekeeper/authorization_request.h"

#include "http/url.h"
#include "oauth/pkce.h"
#include "oauth/scope.h"

namespace gatehouse::gatekeeper {
namespace {

/// The default auth_path is that of a provider under /dex; an issuer elsewhere did not mean it. An
/// auth_path of one's own is meant.
bool lives_behind_this_door(const config::Gatekeeper& settings) {
  if (!settings.auth_path.starts_with('/')) return false;
  if (settings.auth_path != config::Gatekeeper().auth_path) return true;
  const Result<http::Url> issuer = http::parse_url(settings.issuer);
  return issuer && issuer->path + "/auth" == settings.auth_path;
}

}  // namespace

AuthorizationRequest::AuthorizationRequest(const config::Gatekeeper& settings,
                                           const RequestOrigin& origin)
    : settings_(settings), origin_(origin), behind_this_door_(lives_behind_this_door(settings)) {
  if (behind_this_door_) front_ = front(settings.auth_path, settings.redirect_uri);
}

std::string AuthorizationRequest::redirect_uri(const http::Request& request) const {
  if (behind_this_door_ || !settings_.redirect_uri.starts_with('/')) return settings_.redirect_uri;
  return origin_.str(request) + settings_.redirect_uri;
}

std::string AuthorizationRequest::url(const http::Request& request, std::string_view endpoint,
                                      const FreshLogin& login) const {
  std::string out = behind_this_door_ ? front_ : front(endpoint, redirect_uri(request));
  out += login.state;
  out += "&nonce=";
  out += login.login.nonce;
  out += "&code_challenge=";
  out += oauth::code_challenge(login.login.code_verifier);
  out += "&code_challenge_method=S256";
  return out;
}

std::string AuthorizationRequest::front(std::string_view endpoint,
                                        std::string_view redirect_uri) const {
  const http::Parameters parameters = {{"client_id", settings_.client_id},
                                       {"redirect_uri", std::string(redirect_uri)},
                                       {"response_type", "code"},
                                       {"scope", oauth::join_scope(settings_.scopes)}};
  std::string out(endpoint);
  out += endpoint.contains('?') ? '&' : '?';
  return out + http::encode_form(parameters) + "&state=";
}

}  // namespace gatehouse::gatekeeper
