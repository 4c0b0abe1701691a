#include "identity/grants/token_error.h"

namespace gatehouse::identity {
namespace {

int status_of(oauth::OAuthError error) {
  switch (error) {
    case oauth::OAuthError::kInvalidClient:
      return 401;
    case oauth::OAuthError::kServerError:
      return 500;
    case oauth::OAuthError::kTemporarilyUnavailable:
      return 503;
    default:
      return 400;
  }
}

}  // namespace

http::Response to_response(const TokenError& error) {
  http::Response response =
      http::json_error(status_of(error.error), oauth::to_string(error.error), error.description);
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Pragma", "no-cache");
  if (response.status == 401) {
    response.headers.set("WWW-Authenticate", "Basic realm=\"token endpoint\", charset=\"UTF-8\"");
  }
  if (response.status == 503) response.headers.set("Retry-After", "1");
  return response;
}

}  // namespace gatehouse::identity
