// The provider of one loop: every endpoint with what it depends on, and the list that mounts them.
//
// To add an endpoint: a member with its dependencies, and a line in mounts().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "identity/authorize/authorize_endpoint.h"
#include "identity/authorize/request_sealer.h"
#include "identity/discovery/discovery.h"
#include "identity/grants/token_endpoint.h"
#include "identity/grants/token_issuer.h"
#include "identity/health_endpoint.h"
#include "identity/identity.h"
#include "identity/keys/keys_endpoint.h"
#include "identity/login/login_endpoint.h"
#include "identity/mount.h"
#include "identity/pages/pages.h"
#include "identity/pages/static_files.h"
#include "identity/shared.h"
#include "identity/userinfo/userinfo_endpoint.h"

namespace gatehouse::identity {

class LoopProvider final : public Provider {
 public:
  LoopProvider(std::shared_ptr<SharedState> shared, Executor& home, store::Store store,
               Entropy& entropy, const Clock& clock);

  Task<http::Response> handle(http::Request& request) override;
  Task<void> maintain() override;

 private:
  std::vector<Mount> mounts();

  const std::shared_ptr<SharedState> shared_;
  Executor& home_;
  store::Store store_;
  const Clock& clock_;
  const std::string issuer_;
  const std::string path_;  // of the issuer: "/dex"; empty if it has none

  StaticFiles static_files_;
  Pages pages_;
  RequestSealer sealer_;
  TokenIssuer token_issuer_;

  DiscoveryEndpoint discovery_;
  KeysEndpoint keys_;
  AuthorizeEndpoint authorize_;
  LoginEndpoint login_;
  TokenEndpoint token_;
  UserinfoEndpoint userinfo_;
  HealthEndpoint health_;
  Mounts mounts_;
};

}  // namespace gatehouse::identity
