#include "oauth/metadata.h"

#include <utility>

#include "base/json.h"
#include "http/url.h"

namespace gatehouse::oauth {
namespace {

enum class Presence { kRequired, kOptional };

struct Endpoint {
  std::string_view member;
  std::string ProviderMetadata::* field;
  Presence presence;
};

constexpr Endpoint kEndpoints[] = {
    {"authorization_endpoint", &ProviderMetadata::authorization_endpoint, Presence::kRequired},
    {"token_endpoint", &ProviderMetadata::token_endpoint, Presence::kRequired},
    {"jwks_uri", &ProviderMetadata::jwks_uri, Presence::kRequired},
    {"userinfo_endpoint", &ProviderMetadata::userinfo_endpoint, Presence::kOptional},
    {"end_session_endpoint", &ProviderMetadata::end_session_endpoint, Presence::kOptional},
};

std::unexpected<Error> refuse(std::string_view member, std::string_view rule) {
  return fail(ErrorCode::kInvalid, "the provider's discovery document: \"" + std::string(member) +
                                       "\" " + std::string(rule));
}

/// An endpoint as text; empty if it is optional and not there. A provider reached over https may
/// not send the browser, or the client's secret, back to plain http.
Result<std::string> endpoint(const Json& document, std::string_view member, Presence presence,
                             std::string_view issuer) {
  const auto found = document.find(std::string(member));
  if (found == document.end() || found->is_null()) {
    if (presence == Presence::kOptional) return std::string();
    return refuse(member, "is missing");
  }
  if (!found->is_string()) return refuse(member, "is not a string");
  auto text = found->get<std::string>();
  const auto url = http::parse_url(text);
  if (!url) return refuse(member, "is not a URL: " + url.error().message);
  if (issuer.starts_with("https://") && url->scheme != "https") {
    return refuse(member, "must be https, as the issuer is");
  }
  return text;
}

}  // namespace

Result<ProviderMetadata> parse_metadata(std::string_view json, std::string_view issuer) {
  const auto document = parse_json(json);
  if (!document)
    return std::unexpected(Error(document.error()).in("the provider's discovery document"));
  if (!document->is_object()) {
    return fail(ErrorCode::kInvalid, "the provider's discovery document is not a JSON object");
  }
  const auto stated = json_string(*document, "issuer");
  if (!stated) return refuse("issuer", "is missing");
  if (*stated != issuer) {
    return refuse("issuer", "is not exactly the configured issuer \"" + std::string(issuer) + "\"");
  }
  ProviderMetadata metadata;
  metadata.issuer = *stated;
  for (const auto& [member, field, presence] : kEndpoints) {
    auto url = endpoint(*document, member, presence, issuer);
    if (!url) return fail(std::move(url));
    metadata.*field = std::move(*url);
  }
  return metadata;
}

}  // namespace gatehouse::oauth
