#include "identity/userinfo/userinfo_endpoint.h"

#include <spdlog/spdlog.h>

#include <expected>
#include <optional>
#include <utility>

#include "identity/form.h"
#include "identity/grants/claims.h"
#include "identity/grants/grant.h"
#include "identity/grants/token_issuer.h"
#include "jose/jwt.h"
#include "oauth/credentials.h"
#include "oauth/scope.h"

namespace gatehouse::identity {
namespace {

constexpr std::string_view kRealm = "Bearer realm=\"userinfo\"";

http::Response challenge(int status, std::string_view error, std::string_view description) {
  http::Response response = http::json_error(status, error, description);
  std::string value(kRealm);
  if (status != 401 || error != "missing_token") {
    value += ", error=\"" + std::string(error) + "\"";
    value += ", error_description=\"" + std::string(description) + "\"";
  }
  response.headers.set("WWW-Authenticate", value);
  return response;
}

http::Response invalid_token() {
  return challenge(401, "invalid_token", "the access token is not valid, or not any more");
}

http::Response invalid_request(std::string_view description) {
  return challenge(400, "invalid_request", description);
}

/// RFC 6750 §2: in the header or in the posted form, never in both; not in the URL.
std::expected<std::optional<std::string>, http::Response> find_token(const http::Headers& headers,
                                                                     const http::Parameters& form) {
  bool repeated = false;
  const auto posted = http::single(form, "access_token", &repeated);
  if (repeated || headers.count("Authorization") > 1) {
    return std::unexpected(invalid_request("the access token stands twice"));
  }
  const auto authorization = headers.get("Authorization");
  if (authorization && posted) {
    return std::unexpected(invalid_request("the access token stands twice"));
  }
  if (posted) return std::string(*posted);
  if (!authorization) return std::nullopt;
  const auto bearer = oauth::parse_bearer(*authorization);
  if (!bearer)
    return std::unexpected(invalid_request("the Authorization header is no Bearer token"));
  return std::string(*bearer);
}

/// The user of a grant that is in force; none otherwise.
Result<std::optional<store::User>> user_of_grant(store::Transaction& transaction,
                                                 const std::string& grant_id) {
  const Result<std::optional<store::RefreshToken>> grant =
      transaction.refresh_token(grant_key(grant_id));
  if (!grant) return std::unexpected(grant.error());
  if (!*grant) return std::optional<store::User>();
  Result<std::optional<store::User>> user = transaction.user_by_id((*grant)->user_id);
  if (user && *user && (*user)->disabled) user->reset();
  return user;
}

}  // namespace

UserinfoEndpoint::UserinfoEndpoint(std::string issuer, const KeyRing& keys, store::Store& store,
                                   const Clock& clock)
    : issuer_(std::move(issuer)), keys_(keys), store_(store), clock_(clock) {}

Task<http::Response> UserinfoEndpoint::handle(http::Request& request) {
  http::Parameters form;
  // A POST that carries its token in the header needs no form.
  if (request.method == "POST" && request.headers.has("Content-Type")) {
    Result<http::Parameters> posted = co_await read_form(request);
    if (!posted) co_return invalid_request(posted.error().message);
    form = std::move(*posted);
  }
  auto token = find_token(request.headers, form);
  if (!token) co_return std::move(token).error();
  if (!*token) co_return challenge(401, "missing_token", "an access token is needed");
  http::Response response = co_await answer(std::move(**token));
  co_return response;
}

Task<http::Response> UserinfoEndpoint::answer(std::string access_token) {
  const std::shared_ptr<const SigningKeys> keys = keys_.snapshot();
  if (!keys) co_return http::json_error(503, "temporarily_unavailable", "not ready yet");
  jose::Expected expected;
  expected.issuer = issuer_;
  expected.audience = issuer_;
  expected.type = std::string(kAccessTokenType);
  // Provider and judge are one: their clocks differ by no more than two replicas' do.
  expected.leeway = std::chrono::seconds(5);
  const auto claims = jose::verify_jwt(access_token, keys->accepted(), expected, clock_.now());
  if (!claims) co_return invalid_token();
  const auto grant_id = json_string(*claims, kGrantClaim);
  const auto scopes = oauth::parse_scope(json_string(*claims, "scope").value_or(""));
  if (!grant_id || !scopes || !oauth::has_scope(*scopes, "openid")) co_return invalid_token();

  auto work = [id = *grant_id](store::Transaction& transaction) {
    return user_of_grant(transaction, id);
  };
  const Result<std::optional<store::User>> user = co_await store_.transact(std::move(work));
  if (!user) {
    spdlog::error("identity: userinfo could not be told: {}", user.error().message);
    co_return http::json_error(503, "temporarily_unavailable", "try again in a moment");
  }
  if (!*user) co_return invalid_token();
  Json answer = user_claims(**user, *scopes);
  answer["sub"] = subject((*user)->id, kLocalConnector);
  co_return http::make_response(200, "application/json", dump_json(answer));
}

}  // namespace gatehouse::identity
