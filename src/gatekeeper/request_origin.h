// Where the browser believes it is: the scheme and authority that it asked for, and who it is. What
// the connection says counts; X-Forwarded-* only from a trusted proxy.
#pragma once

#include <string>
#include <string_view>

#include "config/settings.h"
#include "http/message.h"
#include "http/trusted_proxies.h"

namespace gatehouse::gatekeeper {

class RequestOrigin {
 public:
  /// `public_url`: the setting; empty: each request says where it is.
  RequestOrigin(const config::Gatekeeper& settings, std::string_view public_url,
                http::TrustedProxies proxies);

  /// Whether cookies get Secure and the __Host- prefix.
  bool secure_cookies(const http::Request& request) const;
  /// "https://kubeflow.example.org": of the public URL if there is one.
  std::string str(const http::Request& request) const;
  /// True if `origin` (an Origin field) is the site that the request was sent to, or the public
  /// URL.
  bool is_same(const http::Request& request, std::string_view origin) const;
  /// The client's IP address, as http::client_address() finds it.
  std::string client_address(const http::Request& request) const;

 private:
  bool from_proxy(const http::Request& request) const;
  bool by_https(const http::Request& request) const;
  std::string authority(const http::Request& request) const;

  enum class Secure { kByRequest, kAlways, kNever };
  Secure secure_;
  std::string public_origin_;
  http::TrustedProxies proxies_;
};

}  // namespace gatehouse::gatekeeper
