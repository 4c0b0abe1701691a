#include "gatekeeper/request_origin.h"

#include <optional>
#include <utility>

#include "http/client_address.h"
#include "http/url.h"

namespace gatehouse::gatekeeper {
namespace {

/// In the form that Url has: without the scheme's own port.
std::string origin_of(std::string_view scheme, std::string_view authority) {
  const std::string text = std::string(scheme) + "://" + std::string(authority);
  const Result<http::Url> url = http::parse_url(text);
  return url ? url->origin() : text;
}

}  // namespace

RequestOrigin::RequestOrigin(const config::Gatekeeper& settings, std::string_view public_url,
                             http::TrustedProxies proxies)
    : secure_(settings.secure_cookies == "always"  ? Secure::kAlways
              : settings.secure_cookies == "never" ? Secure::kNever
                                                   : Secure::kByRequest),
      proxies_(std::move(proxies)) {
  const Result<http::Url> url = http::parse_url(public_url);
  if (url) public_origin_ = url->origin();
}

bool RequestOrigin::from_proxy(const http::Request& request) const {
  return request.peer != nullptr && proxies_.contains(request.peer->address);
}

bool RequestOrigin::by_https(const http::Request& request) const {
  if (request.peer != nullptr && request.peer->tls) return true;
  return from_proxy(request) && request.headers.only("x-forwarded-proto") == "https";
}

bool RequestOrigin::secure_cookies(const http::Request& request) const {
  if (secure_ != Secure::kByRequest) return secure_ == Secure::kAlways;
  // A public URL of https says that TLS ends before us, whoever asked.
  return public_origin_.starts_with("https://") || by_https(request);
}

std::string RequestOrigin::authority(const http::Request& request) const {
  if (from_proxy(request)) {
    const auto forwarded = request.headers.only("x-forwarded-host");
    const auto host = forwarded ? http::parse_authority(*forwarded) : std::nullopt;
    if (host) return *host;
  }
  return request.authority;
}

std::string RequestOrigin::str(const http::Request& request) const {
  if (!public_origin_.empty()) return public_origin_;
  return origin_of(by_https(request) ? "https" : "http", authority(request));
}

bool RequestOrigin::is_same(const http::Request& request, std::string_view origin) const {
  if (!public_origin_.empty() && origin == public_origin_) return true;
  return origin == origin_of(by_https(request) ? "https" : "http", authority(request));
}

std::string RequestOrigin::client_address(const http::Request& request) const {
  return http::client_address(request, proxies_);
}

}  // namespace gatehouse::gatekeeper
