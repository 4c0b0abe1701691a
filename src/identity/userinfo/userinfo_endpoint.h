// /userinfo: the claims that an access token gives (OpenID Connect Core §5.3, RFC 6750).
//
// The token's signature is judged first, so that nothing forged reaches the store. Then the store
// says whether the grant is still in force and the user still active: a revoked family and a
// disabled user lose userinfo at once.
#pragma once

#include <string>

#include "base/clock.h"
#include "http/message.h"
#include "identity/keys/signing_keys.h"
#include "store/store.h"

namespace gatehouse::identity {

class UserinfoEndpoint final : public http::Handler {
 public:
  UserinfoEndpoint(std::string issuer, const KeyRing& keys, store::Store& store,
                   const Clock& clock);
  Task<http::Response> handle(http::Request& request) override;

 private:
  Task<http::Response> answer(std::string access_token);

  const std::string issuer_;
  const KeyRing& keys_;
  store::Store& store_;
  const Clock& clock_;
};

}  // namespace gatehouse::identity
