// A small OpenID provider, for tests: whoever asks is signed in at once, and each part of its
// answers can be made wrong.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/json.h"
#include "http/message.h"
#include "http/url.h"
#include "jose/jwt.h"
#include "oauth/credentials.h"
#include "oauth/pkce.h"

namespace gatehouse::gatekeeper {

class TestProvider final : public http::Handler {
 public:
  static constexpr const char* kIssuer = "http://localhost:8080/dex";

  explicit TestProvider(const Clock& clock) : clock_(clock) {}

  /// What the browser's visit to `location` leads to: the callback's path and query.
  std::string log_in(std::string_view location) {
    const http::Parameters asked = query_of(location);
    const std::string code = "code-" + std::to_string(++codes_made_);
    codes_[code] = asked;
    http::Parameters answer = {{"code", code}, {"state", value(asked, "state")}};
    if (!answered_issuer.empty()) answer.emplace_back("iss", answered_issuer);
    return "/authservice/oidc/callback?" + http::encode_form(answer);
  }

  Task<http::Response> handle(http::Request& request) override {
    ++requests;
    const std::string_view path = request.target.path();
    if (status != 200) co_return http::make_response(status, "text/plain", "no");
    if (path == "/dex/.well-known/openid-configuration") co_return discovery();
    if (path == "/dex/keys") {
      ++key_requests;
      co_return http::make_response(200, "application/json", jwks());
    }
    if (path == "/dex/token") {
      const Result<std::string> body = co_await http::read_all(request.body, 10'000);
      co_return token(request, *body);
    }
    co_return http::make_response(404, "text/plain", "?");
  }

  static http::Parameters query_of(std::string_view location) {
    return *http::parse_form(location.substr(location.find('?') + 1));
  }
  static std::string value(const http::Parameters& parameters, std::string_view name) {
    return std::string(http::single(parameters, name).value_or(""));
  }

  // Knobs.
  int status = 200;                       // of every answer
  std::string issuer = kIssuer;           // in the discovery document
  std::string answered_issuer = kIssuer;  // at the callback; "": none
  Json person = {{"sub", "1"},
                 {"email", "ada@example.org"},
                 {"name", "Ada"},
                 {"groups", {"team-a", "team-b"}}};
  std::function<void(Json&)> change_claims;   // of the ID token
  std::optional<std::string> id_token;        // instead of one of ours
  std::optional<jose::SigningKey> other_key;  // signs, but is not published
  std::optional<std::pair<int, std::string>> token_answer;
  Secret client_secret;
  // Seen.
  int requests = 0, key_requests = 0, exchanges = 0;
  jose::SigningKey key = *jose::generate_key(jose::Algorithm::kEs256);

 private:
  http::Response discovery() const {
    return http::make_response(
        200, "application/json",
        dump_json(Json{{"issuer", issuer},
                       {"authorization_endpoint", std::string(kIssuer) + "/auth"},
                       {"token_endpoint", std::string(kIssuer) + "/token"},
                       {"jwks_uri", std::string(kIssuer) + "/keys"},
                       {"authorization_response_iss_parameter_supported", true}}));
  }

  std::string jwks() const { return jose::to_jwks({jose::public_part(key)}); }

  http::Response token(const http::Request& request, const std::string& body) {
    ++exchanges;
    if (token_answer) {
      return http::make_response(token_answer->first, "application/json", token_answer->second);
    }
    const auto client =
        oauth::parse_basic_credentials(request.headers.get("authorization").value_or(""));
    if (!client || client->first != "authservice-oidc" ||
        client->second != client_secret.reveal()) {
      return http::json_error(401, "invalid_client", "");
    }
    const http::Parameters form = *http::parse_form(body);
    const auto code = codes_.extract(value(form, "code"));
    if (code.empty()) return http::json_error(400, "invalid_grant", "");
    const http::Parameters& asked = code.mapped();
    const bool proven =
        oauth::code_challenge(value(form, "code_verifier")) == value(asked, "code_challenge");
    if (!proven || value(form, "redirect_uri") != value(asked, "redirect_uri")) {
      return http::json_error(400, "invalid_grant", "");
    }
    Json answer = {{"token_type", "Bearer"}, {"access_token", "x"}};
    answer["id_token"] = id_token.value_or(make_id_token(value(asked, "nonce")));
    return http::make_response(200, "application/json", dump_json(answer));
  }

  std::string make_id_token(const std::string& nonce) const {
    Json claims = person;
    const long long now = unix_seconds(clock_.now());
    claims.update({{"iss", kIssuer},
                   {"aud", "authservice-oidc"},
                   {"iat", now},
                   {"exp", now + 3600},
                   {"nonce", nonce}});
    if (change_claims) change_claims(claims);
    return *jose::sign_jwt(other_key.value_or(key), claims);
  }

  const Clock& clock_;
  int codes_made_ = 0;
  std::map<std::string, http::Parameters> codes_;
};

}  // namespace gatehouse::gatekeeper
