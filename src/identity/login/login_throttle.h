// Slows down who guesses passwords, and nobody else.
//
// Failures are counted for an account from an address, so that a stranger cannot lock a user out,
// and for an address over all accounts, so that it cannot try one password on many. After the free
// failures each further one doubles the wait. Names that do not exist are counted alike. The table
// is bounded: the entry unused for longest goes first.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace gatehouse::identity {

struct ThrottleLimits {
  std::size_t free_failures = 4;
  std::chrono::seconds slow_down{2};
  std::chrono::seconds slow_down_limit{300};
};

/// An address may stand for many people behind one router: it has that many times the failures.
inline constexpr std::size_t kAddressAllowance = 10;
/// About 6 MB when full.
inline constexpr std::size_t kThrottleEntries = 32'768;
/// Failures older than that are forgiven.
inline constexpr std::chrono::hours kThrottleMemory{24};

/// One for all loops. Thread-safe.
class LoginThrottle {
 public:
  LoginThrottle(ThrottleLimits limits, const Clock& clock, std::size_t entries = kThrottleEntries);

  /// Who tries what. `login` is normalised; `address` an IP address.
  struct Attempt {
    std::string account_key;
    std::string address_key;
  };
  static Attempt attempt(std::string_view login, std::string_view address);

  /// Zero, and the try is counted as failed until succeed() or forget() says otherwise, so that
  /// tries made at the same time cannot slip past; or how long to wait, and nothing is counted.
  std::chrono::seconds begin(const Attempt& attempt);
  /// The password was right: the account's failures from this address are forgiven. Those of the
  /// address stay, or an attacker could clear them with an account of his own.
  void succeed(const Attempt& attempt);
  /// The try could not be judged: it counts for nothing.
  void forget(const Attempt& attempt);
  /// How long to wait now.
  std::chrono::seconds wait(const Attempt& attempt);

  std::size_t size() const;

 private:
  struct Entry {
    std::string key;
    std::size_t failures = 0;
    MonotonicTime last{};
  };
  using Entries = std::list<Entry>;  // the latest used first

  Entry* find(const std::string& key);
  Entry& touch(const std::string& key);
  void uncount(const std::string& key);
  void erase(Entries::iterator entry);
  std::chrono::seconds wait_locked(const Attempt& attempt);
  std::chrono::seconds wait_of(const std::string& key, std::size_t free_failures);

  const ThrottleLimits limits_;
  const Clock& clock_;
  const std::size_t limit_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> by_key_;
};

/// What stands for an address in the counts: all of an IPv4 address, the first 64 bits of an IPv6
/// one, because one customer has them all.
std::string throttled_network(std::string_view address);

}  // namespace gatehouse::identity
