// Carries the authorization request through the login page: sealed, in the page's `state`.
//
// Nothing is stored until somebody has proven a password, so strangers cannot fill the store. The
// key is derived from the installation's sealing key and the day, hence the same in every replica
// and after a restart, and never used for more than a day's worth of nonces.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/secret.h"
#include "crypto/sealer.h"
#include "identity/authorize/authorization_request.h"

namespace gatehouse::identity {

enum class SealedRequestError {
  kForged,   // not sealed here, or cut, or changed
  kExpired,  // sealed here, longer ago than a login may take
};

/// One a loop.
class RequestSealer {
 public:
  RequestSealer(Secret sealing_key, std::chrono::seconds lifetime, Entropy& entropy,
                const Clock& clock);

  /// base64url text. kInvalid if it would be longer than kSealedRequestLimit.
  Result<std::string> seal(const AuthorizationRequest& request);
  std::expected<AuthorizationRequest, SealedRequestError> open(std::string_view sealed);

 private:
  struct DayKey {
    long long day;
    crypto::Sealer sealer;
  };
  crypto::Sealer& sealer_of(long long day);

  const Secret sealing_key_;
  const std::chrono::seconds lifetime_;
  Entropy& entropy_;
  const Clock& clock_;
  std::optional<DayKey> latest_;
};

/// With the rest of the URL well below what browsers and proxies take (8 KB).
inline constexpr std::size_t kSealedRequestLimit = std::size_t{6} * 1024;

}  // namespace gatehouse::identity
