#include "identity/grants/grant.h"

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "oauth/scope.h"

namespace gatehouse::identity {
namespace {

Json to_json(const Grant& grant) {
  return {{"id", grant.id},        {"client", grant.client_id},
          {"user", grant.user_id}, {"scope", oauth::join_scope(grant.scopes)},
          {"nonce", grant.nonce},  {"auth_time", grant.auth_time},
          {"ends", grant.ends}};
}

std::unexpected<Error> damaged() {
  return fail(ErrorCode::kCorrupt, "a stored grant is damaged");
}

Result<Grant> from_json(const Json& json) {
  const auto id = json_string(json, "id");
  const auto client = json_string(json, "client");
  const auto user = json_string(json, "user");
  const auto scope = json_string(json, "scope");
  const auto nonce = json_string(json, "nonce");
  const auto auth_time = json_integer(json, "auth_time");
  const auto ends = json_integer(json, "ends");
  if (!id || !client || !user || !scope || !nonce || !auth_time || !ends) return damaged();
  const auto scopes = oauth::parse_scope(*scope);
  if (!scopes) return damaged();
  return Grant{*id, *client, *user, *scopes, *nonce, *auth_time, *ends};
}

}  // namespace

std::string to_payload(const Grant& grant) {
  return dump_json(to_json(grant));
}

Result<Grant> parse_grant(std::string_view payload) {
  const Result<Json> json = parse_json(payload);
  if (!json) return damaged();
  return from_json(*json);
}

std::string to_payload(const AuthorizationCode& code) {
  return dump_json({{"grant", to_json(code.grant)},
                    {"redirect", code.redirect_uri},
                    {"challenge", code.code_challenge}});
}

Result<AuthorizationCode> parse_authorization_code(std::string_view payload) {
  const Result<Json> json = parse_json(payload);
  if (!json || !json->is_object() || !json->contains("grant")) return damaged();
  Result<Grant> grant = from_json((*json)["grant"]);
  const auto redirect_uri = json_string(*json, "redirect");
  const auto challenge = json_string(*json, "challenge");
  if (!grant || !redirect_uri || !challenge) return damaged();
  return AuthorizationCode{std::move(*grant), *redirect_uri, *challenge};
}

std::string token_hash(std::string_view value) {
  return hex_encode(crypto::sha256(value));
}

std::string grant_key(std::string_view grant_id) {
  return "grant:" + std::string(grant_id);
}

}  // namespace gatehouse::identity
