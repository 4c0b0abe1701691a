#include "gatekeeper/provider_client.h"

#include <utility>

#include "jose/jwt.h"
#include "oauth/credentials.h"

namespace gatehouse::gatekeeper {
namespace {

constexpr std::size_t kMetadataLimit = std::size_t{64} * 1024;
constexpr std::size_t kKeysLimit = std::size_t{256} * 1024;
constexpr std::size_t kTokenAnswerLimit = std::size_t{64} * 1024;
constexpr std::string_view kDiscoveryPath = "/.well-known/openid-configuration";

std::string without_final_slash(std::string text) {
  if (text.ends_with('/')) text.pop_back();
  return text;
}

Result<http::Request> make_request(std::string method, const http::Url& url) {
  const std::string target = url.query.empty() ? url.path : url.path + "?" + url.query;
  Result<http::Target, http::TargetError> parsed = http::parse_target(target);
  if (!parsed) {
    return fail(ErrorCode::kInvalid,
                "the provider's endpoint: " + std::string(http::to_string(parsed.error())));
  }
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(*parsed);
  request.authority = url.authority();
  request.headers.add("Accept", "application/json");
  return request;
}

/// OpenID Connect Core §3.1.3.7, what a JWT library does not know of: azp, nonce.
Result<void> check_id_token(const Json& claims, std::string_view client_id,
                            std::string_view nonce) {
  const auto audience = claims.find("aud");
  const std::optional<std::string> party = json_string(claims, "azp");
  const bool several = audience != claims.end() && audience->is_array() && audience->size() > 1;
  if ((several || claims.contains("azp")) && party != client_id) {
    return fail(ErrorCode::kInvalid, "the ID token was issued to another client");
  }
  const std::optional<std::string> given = json_string(claims, "nonce");
  if (!given || !equal_in_constant_time(*given, nonce)) {
    return fail(ErrorCode::kInvalid, "the ID token is of another login (nonce)");
  }
  if (json_string(claims, "sub").value_or("").empty()) {
    return fail(ErrorCode::kInvalid, "the ID token names no subject");
  }
  return {};
}

/// RFC 6749 §5.2: an invalid grant is the code's fault, all else the set-up's.
Error refused_exchange(int status, std::string_view body) {
  const Result<Json> answer = parse_json(body);
  const std::string code = answer ? json_string(*answer, "error").value_or("") : "";
  if (code == "invalid_grant") {
    return {ErrorCode::kNotFound, "the provider does not know this code (any more)"};
  }
  if (code == "invalid_client" || code == "unauthorized_client") {
    return {ErrorCode::kInvalid, "the provider refuses client_id or client_secret"};
  }
  return {ErrorCode::kInvalid, "the provider's token endpoint answered " + std::to_string(status)};
}

}  // namespace

ProviderClient::ProviderClient(const config::Gatekeeper& settings, Secret client_secret,
                               http::Client& client, const Clock& clock)
    : settings_(settings),
      client_secret_(std::move(client_secret)),
      client_(client),
      clock_(clock) {}

Task<Result<std::shared_ptr<const Provider>>> ProviderClient::provider() {
  const bool current = provider_ != nullptr && clock_.monotonic() - discovered_ < kMetadataKept;
  if (current) co_return provider_;
  const bool leads = co_await discovery_flight_.lead();
  if (leads) {
    const Flight flight(discovery_flight_);
    const Result<void> done = co_await discover();
    if (!done) co_return std::unexpected(done.error());
    co_return provider_;
  }
  if (provider_ == nullptr) co_return std::unexpected(failure_);
  co_return provider_;
}

Task<Result<void>> ProviderClient::discover() {
  const std::optional<Error> failed = recent_failure();
  if (failed) co_return std::unexpected(*failed);
  const std::string url = without_final_slash(settings_.issuer) + std::string(kDiscoveryPath);
  const Result<std::string> document = co_await get(url, kMetadataLimit, "discovery");
  if (!document) co_return remember(document.error());
  Result<oauth::ProviderMetadata> metadata = oauth::parse_metadata(*document, settings_.issuer);
  if (!metadata) co_return remember(std::move(metadata).error());
  const Result<Json> json = parse_json(*document);
  const auto fresh = std::make_shared<Provider>();
  fresh->metadata = std::move(*metadata);
  fresh->answers_with_issuer =
      json && json->value("authorization_response_iss_parameter_supported", Json()) == true;
  provider_ = fresh;
  discovered_ = clock_.monotonic();
  co_return Result<void>();
}

Task<Result<std::string>> ProviderClient::exchange(const CodeGrant& grant) {
  const auto known = co_await provider();
  if (!known) co_return std::unexpected(known.error());
  const Result<http::Url> url = reach((*known)->metadata.token_endpoint);
  if (!url) co_return std::unexpected(url.error());
  Result<http::Request> request = make_request("POST", *url);
  if (!request) co_return fail(std::move(request));
  request->headers.add("Content-Type", "application/x-www-form-urlencoded");
  request->headers.add("Authorization",
                       oauth::basic_credentials(settings_.client_id, client_secret_.reveal()));
  request->body = http::Body(http::encode_form({{"grant_type", "authorization_code"},
                                                {"code", grant.code},
                                                {"redirect_uri", grant.redirect_uri},
                                                {"code_verifier", grant.code_verifier}}));
  Result<http::Response> response = co_await send(*request, "token endpoint");
  if (!response) co_return fail(std::move(response));
  const Result<std::string> body = co_await http::read_all(response->body, kTokenAnswerLimit);
  if (!body) co_return fail(ErrorCode::kUnavailable, "the provider's answer was cut short");
  if (response->status != 200) {
    co_return std::unexpected(refused_exchange(response->status, *body));
  }
  const Result<Json> answer = parse_json(*body);
  std::optional<std::string> id_token = answer ? json_string(*answer, "id_token") : std::nullopt;
  if (!id_token) co_return fail(ErrorCode::kCorrupt, "the provider's answer holds no ID token");
  co_return std::move(*id_token);
}

Task<Result<Json>> ProviderClient::verify(std::string_view id_token, std::string_view nonce) {
  jose::Expected expected;
  expected.issuer = settings_.issuer;
  expected.audience = settings_.client_id;
  for (const bool fresh : {false, true}) {
    const Result<void> ready = co_await need_keys(fresh);
    if (!ready) co_return std::unexpected(ready.error());
    Result<Json, jose::JwtError> claims =
        jose::verify_jwt(id_token, keys_.keys, expected, clock_.now());
    if (claims) {
      const Result<void> good = check_id_token(*claims, settings_.client_id, nonce);
      if (!good) co_return std::unexpected(good.error());
      co_return std::move(*claims);
    }
    if (claims.error() != jose::JwtError::kUnknownKey || fresh) {
      co_return fail(ErrorCode::kInvalid,
                     "the ID token: " + std::string(jose::to_string(claims.error())));
    }
  }
  co_return fail(ErrorCode::kInternal, "not reached");
}

Task<Result<void>> ProviderClient::need_keys(bool fresh) {
  const auto at_most = fresh ? kKeysAtMostEvery : kKeysKept;
  const bool good = !keys_.keys.empty() && clock_.monotonic() - keys_.fetched < at_most;
  if (good) co_return Result<void>();
  const auto known = co_await provider();
  if (!known) co_return std::unexpected(known.error());
  const bool leads = co_await keys_flight_.lead();
  if (leads) {
    const Flight flight(keys_flight_);
    const Result<void> done = co_await fetch_keys((*known)->metadata.jwks_uri);
    co_return done;
  }
  if (keys_.keys.empty()) co_return std::unexpected(failure_);
  co_return Result<void>();
}

Task<Result<void>> ProviderClient::fetch_keys(const std::string& jwks_uri) {
  const std::optional<Error> failed = recent_failure();
  if (failed) co_return std::unexpected(*failed);
  const Result<std::string> text = co_await get(jwks_uri, kKeysLimit, "keys");
  if (!text) co_return remember(text.error());
  Result<std::vector<jose::VerificationKey>> keys = jose::parse_jwks(*text);
  if (!keys || keys->empty()) {
    co_return remember({ErrorCode::kCorrupt, "the provider publishes no key that can verify"});
  }
  keys_.keys = std::move(*keys);
  keys_.fetched = clock_.monotonic();
  co_return Result<void>();
}

Task<Result<std::string>> ProviderClient::get(const std::string& url, std::size_t limit,
                                              std::string_view what) {
  const Result<http::Url> address = reach(url);
  if (!address) co_return std::unexpected(address.error());
  Result<http::Request> request = make_request("GET", *address);
  if (!request) co_return fail(std::move(request));
  Result<http::Response> response = co_await send(*request, what);
  if (!response) co_return fail(std::move(response));
  if (response->status != 200) {
    co_return fail(ErrorCode::kUnavailable, "the provider's " + std::string(what) + " answered " +
                                                std::to_string(response->status));
  }
  Result<std::string> body = co_await http::read_all(response->body, limit);
  if (!body) co_return std::unexpected(std::move(body).error().in("the provider's answer"));
  co_return std::move(*body);
}

Task<Result<http::Response>> ProviderClient::send(http::Request& request, std::string_view what) {
  const std::string place = "the provider's " + std::string(what);
  Result<http::Response> response = co_await client_.send(request);
  if (!response) co_return std::unexpected(std::move(response).error().in(place));
  if (response->status >= 500) {
    co_return fail(ErrorCode::kUnavailable,
                   place + " answered " + std::to_string(response->status));
  }
  co_return std::move(*response);
}

Result<http::Url> ProviderClient::reach(const std::string& endpoint) const {
  Result<http::Url> url = http::parse_url(endpoint);
  if (!url || settings_.provider_url.empty()) return url;
  const Result<http::Url> issuer = http::parse_url(settings_.issuer);
  Result<http::Url> address = http::parse_url(settings_.provider_url);
  if (!issuer || !address) {
    return fail(ErrorCode::kInvalid, "issuer and provider_url must be http or https URLs");
  }
  if (url->origin() != issuer->origin()) return url;
  // A provider_url with a path stands for the whole issuer, one without for its host alone.
  const std::string issuer_path = without_final_slash(issuer->path);
  const std::string own_path = without_final_slash(address->path);
  const bool below = http::path_has_prefix(url->path, issuer_path.empty() ? "/" : issuer_path);
  address->path =
      !own_path.empty() && below ? own_path + url->path.substr(issuer_path.size()) : url->path;
  address->query = url->query;
  return address;
}

std::unexpected<Error> ProviderClient::remember(Error failure) {
  failed_ = clock_.monotonic();
  failure_ = std::move(failure);
  return std::unexpected(failure_);
}

std::optional<Error> ProviderClient::recent_failure() const {
  if (!failed_ || clock_.monotonic() - *failed_ >= kFailureRemembered) return std::nullopt;
  return failure_;
}

}  // namespace gatehouse::gatekeeper
