#include "identity/discovery/discovery.h"

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/digest.h"

namespace gatehouse::identity {
namespace {

constexpr std::chrono::seconds kMaxAge{3'600};
constexpr std::size_t kEtagDigits = 32;

}  // namespace

std::string provider_metadata(const std::string& issuer) {
  const Json document = {
      {"issuer", issuer},
      {"authorization_endpoint", issuer + "/auth"},
      {"token_endpoint", issuer + "/token"},
      {"jwks_uri", issuer + "/keys"},
      {"userinfo_endpoint", issuer + "/userinfo"},
      {"grant_types_supported", {"authorization_code", "refresh_token"}},
      {"response_types_supported", {"code"}},
      {"response_modes_supported", {"query"}},
      {"prompt_values_supported", {"none", "login", "consent", "select_account"}},
      {"subject_types_supported", {"public"}},
      {"id_token_signing_alg_values_supported", {"RS256", "ES256"}},
      {"code_challenge_methods_supported", {"S256"}},
      {"scopes_supported",
       {"openid", "email", "groups", "profile", "offline_access", "federated:id"}},
      {"token_endpoint_auth_methods_supported",
       {"client_secret_basic", "client_secret_post", "none"}},
      {"claims_supported",
       {"iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "at_hash", "email",
        "email_verified", "groups", "name", "preferred_username", "federated_claims"}},
      {"authorization_response_iss_parameter_supported", true},
      {"claims_parameter_supported", false},
      {"request_parameter_supported", false},
      {"request_uri_parameter_supported", false},
  };
  return dump_json(document);
}

http::Response cacheable_json(const http::Request& request, const std::string& bytes,
                              std::chrono::seconds max_age) {
  const std::string etag = '"' + hex_encode(crypto::sha256(bytes)).substr(0, kEtagDigits) + '"';
  const bool known = request.headers.list_has("If-None-Match", etag);
  http::Response response =
      http::make_response(known ? 304 : 200, "application/json", known ? std::string() : bytes);
  if (known) response.headers.remove("Content-Type");
  response.headers.set("Cache-Control", "public, max-age=" + std::to_string(max_age.count()));
  response.headers.set("ETag", etag);
  return response;
}

Task<http::Response> DiscoveryEndpoint::handle(http::Request& request) {
  co_return cacheable_json(request, document_, kMaxAge);
}

}  // namespace gatehouse::identity
