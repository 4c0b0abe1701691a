#include "gateway/upstream/stickiness.h"

#include <utility>

#include "gateway/upstream/hash.h"
#include "http/cookies.h"
#include "http/headers.h"

namespace gatehouse::gateway::upstream {
namespace {

/// 96 random bits: two clients do not get the same one.
constexpr std::size_t kCookieBytes = 12;

std::optional<std::string_view> first_cookie(const http::Headers& headers, std::string_view name) {
  std::optional<std::string_view> value;
  http::for_each_cookie(headers, [&](const http::Cookie& cookie) {
    if (cookie.name == name && !cookie.value.empty()) value = cookie.value;
    return !value;
  });
  return value;
}

}  // namespace

Stickiness::Stickiness(config::LoadBalancer settings, Entropy& entropy)
    : settings_(std::move(settings)), entropy_(entropy) {}

Result<void> Stickiness::check(const config::LoadBalancer& settings) {
  if (!settings.cookie.empty() && !http::is_token(settings.cookie)) {
    return fail(ErrorCode::kInvalid, "load_balancer.cookie \"" + settings.cookie +
                                         "\" is no name that a cookie can have");
  }
  const std::string& path = settings.cookie_path;
  if (!path.starts_with('/') || path.contains(';') || !http::is_ascii_field_value(path)) {
    return fail(ErrorCode::kInvalid,
                "load_balancer.cookie_path must begin with / and hold no semicolon");
  }
  return {};
}

Stickiness::Key Stickiness::key_of(const http::Request& request, const Client& client,
                                   RandomSequence& random) const {
  if (!settings_.cookie.empty()) {
    if (const auto cookie = first_cookie(request.headers, settings_.cookie)) {
      return {.hash = hash_bytes(*cookie)};
    }
    if (settings_.cookie_ttl.count() > 0) return new_cookie(client.secure);
  }
  if (!settings_.header.empty()) {
    if (const auto value = request.headers.get(settings_.header)) return {hash_bytes(*value)};
  }
  if (settings_.source_ip && !client.address.empty()) return {hash_bytes(client.address)};
  if (!client.user.empty()) return {hash_bytes(client.user)};
  return {random.next()};
}

Stickiness::Key Stickiness::new_cookie(bool secure) const {
  const http::SetCookie cookie{.name = settings_.cookie,
                               .value = entropy_.token(kCookieBytes),
                               .path = settings_.cookie_path,
                               .domain = "",
                               .max_age = settings_.cookie_ttl,
                               .secure = secure};
  return {.hash = hash_bytes(cookie.value), .set_cookie = cookie.str()};
}

}  // namespace gatehouse::gateway::upstream
