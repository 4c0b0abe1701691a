#include "gatekeeper/known_sessions.h"

#include <algorithm>
#include <cstring>

namespace gatehouse::gatekeeper {
namespace {

/// The end of a token is the end of its signature: as good as random, for tokens that we signed.
/// Tokens that we did not sign can be made to meet in one place, and find nothing there.
std::size_t place_of(std::string_view token) {
  std::uint64_t tail = 0;
  if (token.size() < sizeof tail + 1) return 0;
  // The last letter of 32 bytes in base64url carries four bits only.
  std::memcpy(&tail, token.data() + token.size() - 1 - sizeof tail, sizeof tail);
  return static_cast<std::size_t>((tail * 0x9e3779b97f4a7c15U) >> 54U);
}
static_assert(KnownSessions::kSets == 1U << 10U);

}  // namespace

const http::Allow* KnownSessions::find(std::string_view token, WallTime now) {
  const std::unique_ptr<Set>& set = sets_[place_of(token)];
  if (!set) return nullptr;
  const long long seconds = unix_seconds(now);
  for (Entry& entry : *set) {
    if (entry.token.empty() || !equal_in_constant_time(entry.token.reveal(), token)) continue;
    if (entry.expires <= seconds || entry.issued > seconds + kClockTolerance.count()) {
      entry = {};
      return nullptr;
    }
    entry.used = ++uses_;
    return &entry.allow;
  }
  return nullptr;
}

void KnownSessions::remember(std::string_view token, const SessionClaims& claims,
                             const http::Allow& allow) {
  std::unique_ptr<Set>& set = sets_[place_of(token)];
  if (!set) set = std::make_unique<Set>();
  Entry& oldest = *std::ranges::min_element(*set, {}, &Entry::used);
  oldest.token = Secret(std::string(token));
  oldest.issued = claims.issued;
  oldest.expires = claims.expires;
  oldest.allow = allow;
  oldest.used = ++uses_;
}

void KnownSessions::clear() {
  for (std::unique_ptr<Set>& set : sets_) set.reset();
}

}  // namespace gatehouse::gatekeeper
