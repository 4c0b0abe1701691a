#include "identity/authorize/authorize_endpoint.h"

#include <utility>

#include "identity/form.h"

namespace gatehouse::identity {
namespace {

constexpr std::string_view kBadRequestTitle = "This sign-in link does not work";
constexpr std::string_view kUnreadable = "The request could not be read.";

}  // namespace

AuthorizeEndpoint::AuthorizeEndpoint(std::string issuer, std::string login_path,
                                     const Clients& clients, RequestSealer& sealer,
                                     const Pages& pages)
    : issuer_(std::move(issuer)),
      login_path_(std::move(login_path)),
      clients_(clients),
      sealer_(sealer),
      pages_(pages) {}

Task<http::Response> AuthorizeEndpoint::handle(http::Request& request) {
  Result<http::Parameters> parameters = http::parse_form(request.target.query());
  if (!parameters) co_return pages_.error(400, kBadRequestTitle, kUnreadable);
  if (request.method == "POST") {
    Result<http::Parameters> posted = co_await read_form(request);
    if (!posted) co_return pages_.error(400, kBadRequestTitle, kUnreadable);
    // Together, so that a parameter that stands in both is seen to be repeated.
    for (auto& parameter : *posted) parameters->push_back(std::move(parameter));
  }
  co_return answer(*parameters);
}

http::Response AuthorizeEndpoint::answer(const http::Parameters& parameters) {
  const AuthorizationJudgement judgement = judge_authorization_request(parameters, clients_);
  if (const auto* shown = std::get_if<ErrorShown>(&judgement)) {
    return pages_.error(400, kBadRequestTitle,
                        shown->message + " Go back to the application and try again.");
  }
  if (const auto* error = std::get_if<ErrorRedirect>(&judgement)) return send_back(*error);
  return lead_on(std::get<AuthorizationRequest>(judgement));
}

http::Response AuthorizeEndpoint::lead_on(const AuthorizationRequest& request) {
  const Result<std::string> sealed = sealer_.seal(request);
  if (!sealed) {
    return send_back({request.redirect_uri, request.state, oauth::OAuthError::kInvalidRequest,
                      sealed.error().message});
  }
  return http::redirect(302, login_path_ + "?state=" + *sealed + "&back=");
}

http::Response AuthorizeEndpoint::send_back(const ErrorRedirect& error) const {
  return http::redirect(302, error_location(error, issuer_));
}

}  // namespace gatehouse::identity
