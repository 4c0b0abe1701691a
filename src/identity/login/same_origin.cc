#include "identity/login/same_origin.h"

#include "http/form_sender.h"
#include "http/url.h"

namespace gatehouse::identity {
namespace {

/// The scheme is not compared: behind a proxy that ends TLS it is not the one of this connection.
bool names_host(std::string_view origin, std::string_view authority) {
  const Result<http::Url> url = http::parse_url(origin);
  if (!url) return false;
  if (url->authority() == authority) return true;
  // "Host: name:443" and the like.
  return url->authority() + ":" + std::to_string(url->port) == authority;
}

}  // namespace

bool is_same_origin(const http::Request& request, std::string_view issuer) {
  return http::sent_by_own_page(request.headers, [&](std::string_view origin) {
    const Result<http::Url> own = http::parse_url(issuer);
    return names_host(origin, request.authority) || (own && own->origin() == origin);
  });
}

}  // namespace gatehouse::identity
