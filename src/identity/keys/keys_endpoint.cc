#include "identity/keys/keys_endpoint.h"

#include "identity/discovery/discovery.h"

namespace gatehouse::identity {

Task<http::Response> KeysEndpoint::handle(http::Request& request) {
  const std::shared_ptr<const SigningKeys> keys = keys_.snapshot();
  if (!keys) co_return http::json_error(503, "temporarily_unavailable", "not ready yet");
  co_return cacheable_json(request, keys->jwks(), max_age_);
}

}  // namespace gatehouse::identity
