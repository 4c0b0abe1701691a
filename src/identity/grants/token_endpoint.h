// /token: authenticates the client, exchanges a code or a refresh token, answers with tokens.
//
// The exchange is one transaction; the tokens are signed after it is durable. Every error denies.
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/entropy.h"
#include "http/message.h"
#include "http/url.h"
#include "identity/clients/clients.h"
#include "identity/grants/grant_exchange.h"
#include "identity/grants/token_issuer.h"
#include "store/store.h"

namespace gatehouse::identity {

class TokenEndpoint final : public http::Handler {
 public:
  TokenEndpoint(const Clients& clients, const TokenIssuer& issuer, GrantLifetimes lifetimes,
                store::Store& store, Entropy& entropy, const Clock& clock);
  Task<http::Response> handle(http::Request& request) override;

 private:
  Task<http::Response> redeem(const Client& client, http::Parameters form);
  Task<http::Response> refresh(const Client& client, http::Parameters form);
  http::Response answer(const Client& client, const Result<GrantOutcome>& outcome,
                        const std::string& presented, const std::string& fresh) const;

  const Clients& clients_;
  const TokenIssuer& issuer_;
  const GrantLifetimes lifetimes_;
  store::Store& store_;
  Entropy& entropy_;
  const Clock& clock_;
};

}  // namespace gatehouse::identity
