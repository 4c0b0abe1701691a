// The relying party's conversation with its OpenID provider: discovery, code exchange, ID tokens.
//
// The same requests go to the identity role of this process (no socket) and to a provider
// elsewhere; the http::Client given decides, and holds the deadlines. Metadata and keys are cached
// and fetched by one coroutine at a time; an unknown kid fetches the keys again, but not more often
// than kKeysAtMostEvery; after a failure nothing is asked for kFailureRemembered, so that a
// provider that is down costs strangers nothing. Answers are read up to a limit each.
//
// Errors: kUnavailable, kTimeout (try later); kNotFound (the provider does not know the code: stale
// or used already); kInvalid, kCorrupt (its answer is wrong, or the token is not for us).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/task.h"
#include "config/settings.h"
#include "gatekeeper/single_flight.h"
#include "http/message.h"
#include "http/url.h"
#include "jose/jwk.h"
#include "oauth/metadata.h"

namespace gatehouse::gatekeeper {

inline constexpr std::chrono::seconds kMetadataKept{3'600};
inline constexpr std::chrono::seconds kKeysKept{3'600};
inline constexpr std::chrono::seconds kKeysAtMostEvery{10};
inline constexpr std::chrono::seconds kFailureRemembered{1};

struct Provider {
  oauth::ProviderMetadata metadata;
  bool answers_with_issuer = false;  // RFC 9207: `iss` is then required at the callback
};

struct CodeGrant {
  std::string code, code_verifier, redirect_uri;
};

/// One a loop.
class ProviderClient {
 public:
  ProviderClient(const config::Gatekeeper& settings, Secret client_secret, http::Client& client,
                 const Clock& clock);

  Task<Result<std::shared_ptr<const Provider>>> provider();
  /// The ID token of the answer, not looked at yet.
  Task<Result<std::string>> exchange(const CodeGrant& grant);
  /// The claims of an ID token that is the provider's, for us, of this login, and valid now.
  Task<Result<Json>> verify(std::string_view id_token, std::string_view nonce);

 private:
  struct KeySet {
    std::vector<jose::VerificationKey> keys;
    MonotonicTime fetched{};
  };

  Task<Result<void>> discover();
  Task<Result<void>> fetch_keys(const std::string& jwks_uri);
  /// Keys no older than kKeysKept; with `fresh`, no older than kKeysAtMostEvery.
  Task<Result<void>> need_keys(bool fresh);
  Task<Result<std::string>> get(const std::string& url, std::size_t limit, std::string_view what);
  Task<Result<http::Response>> send(http::Request& request, std::string_view what);
  /// Where to connect for an endpoint: below provider_url if that stands for the issuer.
  Result<http::Url> reach(const std::string& endpoint) const;
  /// Keeps the failure for those who ask next, and gives it back.
  std::unexpected<Error> remember(Error failure);
  std::optional<Error> recent_failure() const;

  const config::Gatekeeper& settings_;
  const Secret client_secret_;
  http::Client& client_;
  const Clock& clock_;
  SingleFlight discovery_flight_, keys_flight_;
  std::shared_ptr<const Provider> provider_;
  MonotonicTime discovered_{};
  KeySet keys_;
  Error failure_;
  std::optional<MonotonicTime> failed_;
};

}  // namespace gatehouse::gatekeeper
