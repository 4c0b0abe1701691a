// What the endpoints of one loop work with. Made, and outlived, by the loop's Gatekeeper.
#pragma once

#include "base/clock.h"
#include "base/entropy.h"
#include "config/settings.h"
#include "gatekeeper/authorization_request.h"
#include "gatekeeper/cookie_names.h"
#include "gatekeeper/key_view.h"
#include "gatekeeper/pages.h"
#include "gatekeeper/provider_client.h"
#include "gatekeeper/request_origin.h"
#include "gatekeeper/revocations.h"
#include "gatekeeper/session_reader.h"
#include "gatekeeper/session_token.h"
#include "store/store.h"

namespace gatehouse::gatekeeper {

struct LoopParts {
  const config::Gatekeeper& settings;
  const RequestOrigin& origin;
  const CookieNames& names;
  const SessionTokens& tokens;
  const Pages& pages;
  const AuthorizationRequest& authorization;
  Revocations& revocations;
  KeyView& keys;
  SessionReader& sessions;
  ProviderClient& provider;
  store::Store& store;
  Entropy& entropy;
  const Clock& clock;
};

}  // namespace gatehouse::gatekeeper
