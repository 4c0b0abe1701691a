#include "identity/authorize/authorization_request.h"

#include <algorithm>
#include <array>
#include <optional>

#include "oauth/pkce.h"
#include "oauth/scope.h"

namespace gatehouse::identity {
namespace {

using oauth::OAuthError;

constexpr std::array<std::string_view, 6> kKnownScopes = {
    "openid", "email", "groups", "profile", "offline_access", "federated:id"};

struct Fault {
  OAuthError error;
  std::string description;
};

std::string value_of(const http::Parameters& parameters, std::string_view name) {
  return std::string(http::single(parameters, name).value_or(""));
}

bool repeats_any(const http::Parameters& parameters) {
  return std::ranges::any_of(parameters, [&](const auto& parameter) {
    return std::ranges::count(parameters, parameter.first, &http::Parameters::value_type::first) >
           1;
  });
}

std::optional<Fault> response_fault(const http::Parameters& parameters) {
  if (!value_of(parameters, "request").empty()) {
    return Fault{OAuthError::kRequestNotSupported, "request objects are not supported"};
  }
  if (!value_of(parameters, "request_uri").empty()) {
    return Fault{OAuthError::kRequestUriNotSupported, "request_uri is not supported"};
  }
  const std::string response_type = value_of(parameters, "response_type");
  if (response_type.empty()) return Fault{OAuthError::kInvalidRequest, "response_type is missing"};
  if (response_type != "code") {
    return Fault{OAuthError::kUnsupportedResponseType, "only response_type=code is supported"};
  }
  const std::string response_mode = value_of(parameters, "response_mode");
  if (!response_mode.empty() && response_mode != "query") {
    return Fault{OAuthError::kInvalidRequest, "only response_mode=query is supported"};
  }
  return std::nullopt;
}

std::optional<Fault> scope_fault(const std::optional<std::vector<std::string>>& scopes) {
  if (!scopes) return Fault{OAuthError::kInvalidScope, "scope holds illegal characters"};
  if (!oauth::has_scope(*scopes, "openid")) {
    return Fault{OAuthError::kInvalidScope, "scope must hold openid"};
  }
  for (const std::string& scope : *scopes) {
    if (std::ranges::find(kKnownScopes, scope) == kKnownScopes.end()) {
      return Fault{OAuthError::kInvalidScope, "scope holds a name that is not supported here"};
    }
  }
  return std::nullopt;
}

/// A challenge without a method would mean plain (RFC 7636 §4.3), which protects from nobody who
/// sees the request.
std::optional<Fault> pkce_fault(const http::Parameters& parameters, const Client& client) {
  const std::string challenge = value_of(parameters, "code_challenge");
  const std::string method = value_of(parameters, "code_challenge_method");
  if (challenge.empty() && method.empty() && !client.is_public) return std::nullopt;
  if (challenge.empty()) return Fault{OAuthError::kInvalidRequest, "code_challenge is missing"};
  if (method != "S256") {
    return Fault{OAuthError::kInvalidRequest, "code_challenge_method must be S256"};
  }
  if (!oauth::is_code_challenge(challenge)) {
    return Fault{OAuthError::kInvalidRequest, "code_challenge is not one of S256"};
  }
  return std::nullopt;
}

bool is_whole_number(std::string_view text) {
  return !text.empty() && text.size() <= 10 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// There is no session at the provider: everybody proves who he is at each request. So any max_age
/// holds, and prompt=none can never be answered.
std::optional<Fault> session_fault(const http::Parameters& parameters) {
  const std::optional<std::vector<std::string>> prompts =
      oauth::parse_scope(value_of(parameters, "prompt"));
  if (!prompts) return Fault{OAuthError::kInvalidRequest, "prompt holds illegal characters"};
  for (const std::string& prompt : *prompts) {
    const bool none = prompt == "none";
    if (none && prompts->size() == 1) return Fault{OAuthError::kLoginRequired, "log in first"};
    if (none) return Fault{OAuthError::kInvalidRequest, "prompt=none goes with no other"};
    if (prompt != "login" && prompt != "consent" && prompt != "select_account") {
      return Fault{OAuthError::kInvalidRequest, "prompt holds an unknown value"};
    }
  }
  const std::string max_age = value_of(parameters, "max_age");
  if (!max_age.empty() && !is_whole_number(max_age)) {
    return Fault{OAuthError::kInvalidRequest, "max_age is not a number of seconds"};
  }
  return std::nullopt;
}

std::optional<Fault> length_fault(const AuthorizationRequest& request) {
  if (request.state.size() > kStateLimit) {
    return Fault{OAuthError::kInvalidRequest, "state is too long"};
  }
  if (request.nonce.size() > kNonceLimit) {
    return Fault{OAuthError::kInvalidRequest, "nonce is too long"};
  }
  return std::nullopt;
}

/// The first rule that the request breaks. Fills in the scopes.
std::optional<Fault> find_fault(const http::Parameters& parameters, const Client& client,
                                AuthorizationRequest& request) {
  if (repeats_any(parameters)) return Fault{OAuthError::kInvalidRequest, "a parameter is repeated"};
  if (auto fault = length_fault(request)) return fault;
  if (auto fault = response_fault(parameters)) return fault;
  const auto scopes = oauth::parse_scope(value_of(parameters, "scope"));
  if (auto fault = scope_fault(scopes)) return fault;
  request.scopes = *scopes;
  if (auto fault = pkce_fault(parameters, client)) return fault;
  return session_fault(parameters);
}

}  // namespace

AuthorizationJudgement judge_authorization_request(const http::Parameters& parameters,
                                                   const Clients& clients) {
  const std::optional<std::string_view> client_id = http::single(parameters, "client_id");
  const Client* const client = client_id ? clients.find(*client_id) : nullptr;
  if (client == nullptr) {
    return ErrorShown{"The application that sent you here is not known."};
  }
  const std::optional<std::string_view> redirect_uri = http::single(parameters, "redirect_uri");
  if (!redirect_uri || !allows_redirect(*client, *redirect_uri)) {
    return ErrorShown{"The application asked to send you to an address that is not registered."};
  }

  AuthorizationRequest request;
  request.client_id = client->id;
  request.redirect_uri = std::string(*redirect_uri);
  request.state = value_of(parameters, "state");
  request.nonce = value_of(parameters, "nonce");
  request.code_challenge = value_of(parameters, "code_challenge");
  request.login_hint = value_of(parameters, "login_hint");
  if (request.login_hint.size() > kLoginHintLimit) request.login_hint.clear();

  if (std::optional<Fault> fault = find_fault(parameters, *client, request)) {
    // A state beyond the limit would make a Location that no server takes.
    if (request.state.size() > kStateLimit) request.state.clear();
    return ErrorRedirect{std::move(request.redirect_uri), std::move(request.state), fault->error,
                         std::move(fault->description)};
  }
  return request;
}

std::string answer_location(std::string_view redirect_uri, http::Parameters answer,
                            std::string_view state, std::string_view issuer) {
  if (!state.empty()) answer.emplace_back("state", state);
  answer.emplace_back("iss", issuer);
  std::string location(redirect_uri);
  location += redirect_uri.contains('?') ? '&' : '?';
  location += http::encode_form(answer);
  return location;
}

std::string error_location(const ErrorRedirect& error, std::string_view issuer) {
  return answer_location(error.redirect_uri,
                         {{"error", std::string(oauth::to_string(error.error))},
                          {"error_description", error.description}},
                         error.state, issuer);
}

}  // namespace gatehouse::identity
