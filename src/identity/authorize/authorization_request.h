// The authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1) and its judgement:
// pure.
//
// Three outcomes: a request to log in for; an error that goes back to the client by redirect; an
// error that must be shown, because who asks, or where the answer should go, is not certain
// (RFC 6749 §4.1.2.1). There is no way from the third to a redirect.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/url.h"
#include "identity/clients/clients.h"
#include "oauth/error.h"

namespace gatehouse::identity {

/// Who asks for what. Every member has been checked.
struct AuthorizationRequest {
  std::string client_id;
  std::string redirect_uri;
  std::string state;
  std::string nonce;
  std::string code_challenge;  // S256; empty if a confidential client sent none
  std::vector<std::string> scopes;
  std::string login_hint;
};

/// For the client, at its registered redirect_uri.
struct ErrorRedirect {
  std::string redirect_uri;
  std::string state;
  oauth::OAuthError error = oauth::OAuthError::kServerError;
  std::string description;
};

/// For the person; never redirected.
struct ErrorShown {
  std::string message;
};

using AuthorizationJudgement = std::variant<AuthorizationRequest, ErrorRedirect, ErrorShown>;

/// `parameters` are those of query and body together, decoded once.
AuthorizationJudgement judge_authorization_request(const http::Parameters& parameters,
                                                   const Clients& clients);

/// Longer ones are refused: all of the request travels in the URL of the login page.
inline constexpr std::size_t kStateLimit = 2048;
inline constexpr std::size_t kNonceLimit = 512;
inline constexpr std::size_t kLoginHintLimit = 256;

/// `redirect_uri` with the answer in its query (RFC 6749 §4.1.2), `iss` included (RFC 9207):
/// without it a client of two providers can be made to send one's code to the other.
std::string answer_location(std::string_view redirect_uri, http::Parameters answer,
                            std::string_view state, std::string_view issuer);
std::string error_location(const ErrorRedirect& error, std::string_view issuer);

}  // namespace gatehouse::identity
