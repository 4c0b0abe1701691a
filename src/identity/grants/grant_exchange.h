// The two grants as transactions: a code, or a refresh token, against the right to new tokens.
//
// Each function is pure but for the store and runs as a part of one transaction. A refusal is a
// success of the transaction: the code stays taken, the family stays revoked. An error of the store
// rolls everything back, and no token is made.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "identity/grants/grant.h"
#include "identity/grants/token_error.h"
#include "store/contract.h"

namespace gatehouse::identity {

struct GrantLifetimes {
  std::chrono::seconds access_token{};
  std::chrono::seconds refresh_idle{};
  std::chrono::seconds refresh_absolute{};
  std::chrono::seconds refresh_reuse_interval{};
};

/// The right to tokens.
struct Granted {
  Grant grant;
  store::User user;
  /// Of the tokens to be made: those of the grant, or fewer.
  std::vector<std::string> scopes;
  bool gives_refresh_token = false;
  /// Set if another call has been given the successor already, sealed: hand out that one.
  std::string earlier_successor;
};

using GrantOutcome = std::variant<Granted, TokenError>;

struct CodeRedemption {
  std::string code;
  std::string client_id;  // authenticated
  std::string redirect_uri;
  std::string code_verifier;       // empty: none was sent
  std::string grant_id;            // for the new grant
  std::string refresh_token_hash;  // of the refresh token to be given, if the scopes ask for one
  WallTime now{};
};

/// RFC 6749 §4.1.3, RFC 7636 §4.6. The code is taken whatever comes of it. A code that had been
/// redeemed before revokes what it gave (RFC 6749 §4.1.2).
Result<GrantOutcome> redeem_code(store::Transaction& transaction, const CodeRedemption& redemption,
                                 const GrantLifetimes& lifetimes);

struct Refresh {
  std::string refresh_token;
  std::string client_id;                           // authenticated
  std::optional<std::vector<std::string>> scopes;  // asked for; must be among the granted
  std::string successor_hash;
  /// The successor, sealed: what a repeat within the reuse interval is answered with.
  std::string sealed_successor;
  WallTime now{};
};

/// RFC 6749 §6, RFC 9700 §4.14.2: the token is replaced. Within the reuse interval a repeat gets
/// the same successor, because an answer may get lost; after it the whole family is revoked.
Result<GrantOutcome> refresh_grant(store::Transaction& transaction, const Refresh& refresh,
                                   const GrantLifetimes& lifetimes);

}  // namespace gatehouse::identity
