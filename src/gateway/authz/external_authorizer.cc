#include "gateway/authz/external_authorizer.h"

#include <utility>

#include "gateway/authz/grpc_authorizer.h"
#include "gateway/authz/guarded_authorizer.h"
#include "gateway/authz/http_authorizer.h"
#include "gateway/field_names.h"
#include "gateway/upstream/origin.h"
#include "http/trusted_proxies.h"
#include "http/url.h"
#include "net/http_client.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kWhere = "gateway.authorizer";

std::unexpected<Error> wrong(std::string_view what) {
  return fail(ErrorCode::kInvalid, std::string(kWhere) + std::string(what));
}

/// The path under which questions are put: the URL's and path_prefix.
Result<std::string> prefix_of(const http::Url& url, const config::AuthorizerSettings& settings) {
  const Result<http::Target, http::TargetError> target =
      http::parse_target(url.path + settings.path_prefix);
  if (!target || !url.query.empty() || !target->query().empty()) {
    return wrong(": url and path_prefix must be paths without a query");
  }
  std::string prefix(target->path());
  if (prefix.ends_with('/')) prefix.pop_back();
  return prefix;
}

Result<void> check_headers(const config::AuthorizerSettings& settings) {
  for (const config::FieldEdit& edit : settings.add_headers) {
    if (may_be_set(edit.name, edit.value)) continue;
    return wrong(".add_headers: \"" + edit.name +
                 "\" is no header that can be sent: its name must be a token that frames nothing, "
                 "its value visible ASCII");
  }
  return {};
}

Result<net::ClientOptions> options_of(const http::Url& url,
                                      const config::AuthorizerSettings& settings) {
  net::ClientOptions options;
  options.connect_timeout = settings.timeout;
  if (settings.circuit_breakers.connections > 0) {
    options.connections = settings.circuit_breakers.connections;
  }
  if (url.scheme != "https") return options;
  Result<std::shared_ptr<const net::ClientTls>> tls = upstream::load_tls(settings.tls);
  if (!tls) return std::unexpected(std::move(tls).error().in(std::string(kWhere) + ".tls"));
  options.tls = std::move(*tls);
  options.server_name = settings.tls.server_name;
  return options;
}

/// What both kinds are made of.
struct Ready {
  http::Url url;
  net::ClientOptions options;
  Forwarded forwarded;
};

Result<Ready> prepare(const config::Gateway& settings) {
  Result<http::Url> url = http::parse_url(settings.authorizer.url);
  if (!url) return std::unexpected(std::move(url).error().in(std::string(kWhere) + ".url"));
  const Result<void> headers = check_headers(settings.authorizer);
  if (!headers) return std::unexpected(headers.error());
  Result<http::TrustedProxies> trusted = http::TrustedProxies::parse(settings.trusted_proxies);
  if (!trusted) return fail(std::move(trusted));
  Result<net::ClientOptions> options = options_of(*url, settings.authorizer);
  if (!options) return fail(std::move(options));
  return Ready{std::move(*url), std::move(*options), Forwarded(std::move(*trusted))};
}

std::unique_ptr<http::Authorizer> guarded(std::unique_ptr<http::Authorizer> authorizer,
                                          const config::AuthorizerSettings& settings,
                                          ExternalAuthorizerParts parts) {
  return std::make_unique<GuardedAuthorizer>(std::move(authorizer), settings, parts.counts,
                                             std::move(parts.log));
}

}  // namespace

Result<std::unique_ptr<http::Authorizer>> make_http_authorizer(const config::Gateway& settings,
                                                               ExternalAuthorizerParts parts) {
  Result<Ready> ready = prepare(settings);
  if (!ready) return fail(std::move(ready));
  Result<std::string> prefix = prefix_of(ready->url, settings.authorizer);
  if (!prefix) return fail(std::move(prefix));
  auto client = net::HttpClient::make(parts.loop, parts.resolver, std::move(ready->url),
                                      std::move(ready->options));
  auto authorizer = std::make_unique<HttpAuthorizer>(
      settings, HttpAuthorizer::Parts{parts.loop, std::move(client), std::move(*prefix),
                                      std::move(ready->forwarded)});
  return guarded(std::move(authorizer), settings.authorizer, std::move(parts));
}

Result<std::unique_ptr<http::Authorizer>> make_grpc_authorizer(const config::Gateway& settings,
                                                               ExternalAuthorizerParts parts) {
  Result<Ready> ready = prepare(settings);
  if (!ready) return fail(std::move(ready));
  if (ready->url.path != "/" || !ready->url.query.empty()) {
    return wrong(".url: of a gRPC service, it must end with the host and port");
  }
  ready->options.protocol = net::ClientOptions::Protocol::kHttp2;
  auto client = net::HttpClient::make(parts.loop, parts.resolver, std::move(ready->url),
                                      std::move(ready->options));
  auto authorizer = std::make_unique<GrpcAuthorizer>(
      settings, GrpcAuthorizer::Parts{parts.loop, std::move(client), std::move(ready->forwarded)});
  return guarded(std::move(authorizer), settings.authorizer, std::move(parts));
}

std::vector<std::string> authorizer_warnings(const config::AuthorizerSettings& settings) {
  std::vector<std::string> warnings;
  if (settings.kind != "http" && settings.kind != "grpc") return warnings;
  if (settings.failure_mode_allow) {
    warnings.emplace_back(
        "gateway.authorizer.failure_mode_allow is set: WHILE THE AUTHORIZER FAILS, EVERY REQUEST "
        "PASSES WITHOUT AUTHENTICATION. Whoever can make it fail can get in. Remove it unless "
        "that is what you want.");
  }
  if (settings.kind == "grpc" &&
      (!settings.path_prefix.empty() || !settings.allowed_request_headers.empty() ||
       !settings.allowed_authorization_headers.empty())) {
    warnings.emplace_back(
        "gateway.authorizer: path_prefix, allowed_request_headers and "
        "allowed_authorization_headers mean nothing with kind grpc: it is told all headers and "
        "names those that it sets. Remove them.");
  }
  return warnings;
}

}  // namespace gatehouse::gateway
