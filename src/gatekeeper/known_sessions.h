// The verdicts on session tokens that were found good a short while ago, so that the same cookie on
// the next request costs a comparison instead of an HMAC, a decoding and a verdict made anew.
//
// Only tokens whose signature and claims were verified get in, so nobody outside can fill it with
// what he likes. An entry says nothing of keys, time and revocation: whoever asks looks at those
// each time (clear() when the keys change; expiry here; revocations.h). Bounded: 4 entries in each
// of kSets places, the one longest unused gives way. One a loop.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "gatekeeper/session_token.h"
#include "http/authorizer.h"

namespace gatehouse::gatekeeper {

class KnownSessions {
 public:
  static constexpr std::size_t kSets = 1024;
  static constexpr std::size_t kWays = 4;

  /// The verdict on that very token, if it is known and has not expired; else null. Valid until the
  /// next remember() or clear().
  const http::Allow* find(std::string_view token, WallTime now);
  /// `claims` are what the token was verified to say; `allow` is the verdict made of them.
  void remember(std::string_view token, const SessionClaims& claims, const http::Allow& allow);
  void clear();

 private:
  struct Entry {
    Secret token;
    long long issued = 0, expires = 0;
    http::Allow allow;
    std::uint64_t used = 0;
  };
  using Set = std::array<Entry, kWays>;

  Set& set_of(std::string_view token);

  std::array<std::unique_ptr<Set>, kSets> sets_;  // each made when it is first needed
  std::uint64_t uses_ = 0;
};

}  // namespace gatehouse::gatekeeper
