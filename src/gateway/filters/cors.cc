#include "gateway/filters/cors.h"

#include <algorithm>
#include <utility>

#include "http/url.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kAny = "*";
constexpr std::string_view kLabel = "*.";
constexpr std::string_view kPrefix = "access-control-";

bool is_cors_field(std::string_view name) {
  return name.size() > kPrefix.size() &&
         http::equal_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

/// What may stand for the asterisk: labels of a host name, so that no other part of an origin can.
bool is_labels(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

std::unexpected<Error> bad(std::string_view what, std::string_view why) {
  return fail(ErrorCode::kInvalid, "\"" + std::string(what) + "\" " + std::string(why));
}

/// "A, B": each a token, or "*".
Result<std::string> join_tokens(const std::vector<std::string>& names, std::string_view kind) {
  std::string out;
  for (const std::string& name : names) {
    if (!http::is_token(name)) return bad(name, "is no " + std::string(kind));
    if (!out.empty()) out.append(", ");
    out.append(name);
  }
  return out;
}

}  // namespace

Result<Cors> Cors::make(const config::Cors& settings) {
  Cors out;
  if (settings.origins.empty()) return out;
  for (const std::string& origin : settings.origins) {
    const Result<void> added = out.add_origin(origin);
    if (!added) return std::unexpected(Error(added.error()).in("cors.origins"));
  }
  if (out.any_ && settings.credentials) {
    return fail(ErrorCode::kInvalid,
                "cors: with credentials, origins may not be \"*\", for every site could then act "
                "as the user; list the origins");
  }
  out.credentials_ = settings.credentials;
  Result<std::string> methods = join_tokens(settings.methods, "method");
  if (!methods) return std::unexpected(std::move(methods).error().in("cors.methods"));
  Result<std::string> headers = join_tokens(settings.headers, "header name");
  if (!headers) return std::unexpected(std::move(headers).error().in("cors.headers"));
  Result<std::string> exposed = join_tokens(settings.exposed_headers, "header name");
  if (!exposed) return std::unexpected(std::move(exposed).error().in("cors.exposed_headers"));
  out.methods_ = *std::move(methods);
  out.headers_ = *std::move(headers);
  out.exposed_ = *std::move(exposed);
  if (settings.max_age.count() > 0) out.max_age_ = std::to_string(settings.max_age.count());
  return out;
}

Result<void> Cors::add_origin(std::string_view origin) {
  if (origin == kAny) {
    any_ = true;
    return {};
  }
  const std::size_t host = std::min(origin.find("://"), origin.size());
  const bool wild = origin.substr(std::min(host + 3, origin.size())).starts_with(kLabel);
  std::string example(origin);
  if (wild) example.replace(host + 3, 1, "a");
  const Result<http::Url> url = http::parse_url(example);
  const bool bare = url && url->path == "/" && url->query.empty() && !origin.ends_with('/') &&
                    !origin.ends_with('?');
  if (!bare || example.contains('*')) {
    return bad(origin,
               "is no origin; it is written https://example.org, https://*.example.org or *");
  }
  if (!wild) {
    exact_.push_back(url->origin());
    return {};
  }
  const std::string before = url->scheme + "://";
  wildcard_.push_back({before, url->origin().substr(before.size() + 1)});
  return {};
}

std::optional<std::string_view> Cors::allowed_origin(const http::Request& request) const {
  const std::optional<std::string_view> origin = request.headers.only("Origin");
  if (!origin) return std::nullopt;
  if (any_) return kAny;
  if (std::ranges::find(exact_, *origin) != exact_.end()) return origin;
  const bool matches = std::ranges::any_of(wildcard_, [&](const Wildcard& pattern) {
    return origin->size() > pattern.before.size() + pattern.behind.size() &&
           origin->starts_with(pattern.before) && origin->ends_with(pattern.behind) &&
           is_labels(origin->substr(pattern.before.size(), origin->size() - pattern.before.size() -
                                                               pattern.behind.size()));
  });
  return matches ? origin : std::nullopt;
}

void Cors::allow_origin(http::Headers& headers, std::string_view origin) const {
  headers.add("Access-Control-Allow-Origin", origin);
  if (credentials_) headers.add("Access-Control-Allow-Credentials", "true");
}

std::optional<std::string_view> Cors::asking_origin(const http::Request& request) const {
  if (request.method != "OPTIONS") return std::nullopt;
  if (!request.headers.has("Access-Control-Request-Method")) return std::nullopt;
  return allowed_origin(request);
}

std::optional<http::Response> Cors::preflight(const http::Request& request) const {
  const std::optional<std::string_view> origin = on() ? asking_origin(request) : std::nullopt;
  if (!origin) return std::nullopt;
  http::Response response;
  response.status = 200;
  allow_origin(response.headers, *origin);
  if (!methods_.empty()) response.headers.add("Access-Control-Allow-Methods", methods_);
  if (!headers_.empty()) response.headers.add("Access-Control-Allow-Headers", headers_);
  if (!max_age_.empty()) response.headers.add("Access-Control-Max-Age", max_age_);
  if (!any_) response.headers.add("Vary", "Origin");
  return response;
}

void Cors::apply(const http::Request& request, http::Response& response) const {
  if (!on() || asking_origin(request)) return;
  http::Headers& headers = response.headers;
  headers.remove_if([](http::Field field) { return is_cors_field(field.name); });
  if (!any_ && !headers.list_has("Vary", "Origin")) headers.add("Vary", "Origin");
  const std::optional<std::string_view> origin = allowed_origin(request);
  if (!origin) return;
  allow_origin(headers, *origin);
  if (!exposed_.empty()) headers.add("Access-Control-Expose-Headers", exposed_);
}

}  // namespace gatehouse::gateway
