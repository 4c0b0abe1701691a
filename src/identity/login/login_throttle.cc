#include "identity/login/login_throttle.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "crypto/digest.h"

namespace gatehouse::identity {
namespace {

using std::chrono::seconds;

constexpr std::size_t kIpv6NetworkBytes = 8;

/// The wait after that many failures beyond the free ones: slow_down, doubled, up to the limit.
seconds wait_after(std::size_t failures_beyond, const ThrottleLimits& limits) {
  if (failures_beyond == 0) return seconds(0);
  seconds wait = limits.slow_down;
  for (std::size_t i = 1; i < failures_beyond && wait < limits.slow_down_limit; ++i) wait *= 2;
  return std::min(wait, limits.slow_down_limit);
}

}  // namespace

std::string throttled_network(std::string_view address) {
  std::string text(address);
  std::array<char, sizeof(in6_addr)> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  const std::string_view all(bytes.data(), bytes.size());
  using std::string_view_literals::operator""sv;
  constexpr std::string_view kMappedIpv4 = "\0\0\0\0\0\0\0\0\0\0\xff\xff"sv;
  if (all.starts_with(kMappedIpv4)) {
    std::array<char, INET_ADDRSTRLEN> ipv4{};
    inet_ntop(AF_INET, bytes.data() + kMappedIpv4.size(), ipv4.data(), ipv4.size());
    return ipv4.data();
  }
  return std::string(all.substr(0, kIpv6NetworkBytes));
}

LoginThrottle::LoginThrottle(ThrottleLimits limits, const Clock& clock, std::size_t entries)
    : limits_(limits), clock_(clock), limit_(entries) {}

/// Digests, so that a key's size does not depend on what was typed, and no name lies in memory.
LoginThrottle::Attempt LoginThrottle::attempt(std::string_view login, std::string_view address) {
  const std::string network = throttled_network(address);
  const std::string account = std::to_string(network.size()) + ":" + network + std::string(login);
  return {"account" + crypto::sha256(account), "address" + crypto::sha256(network)};
}

seconds LoginThrottle::begin(const Attempt& attempt) {
  const std::scoped_lock lock(mutex_);
  const seconds wait = wait_locked(attempt);
  if (wait > seconds(0)) return wait;
  ++touch(attempt.account_key).failures;
  ++touch(attempt.address_key).failures;
  return seconds(0);
}

void LoginThrottle::succeed(const Attempt& attempt) {
  const std::scoped_lock lock(mutex_);
  const auto account = by_key_.find(attempt.account_key);
  if (account != by_key_.end()) erase(account->second);
  uncount(attempt.address_key);
}

void LoginThrottle::forget(const Attempt& attempt) {
  const std::scoped_lock lock(mutex_);
  uncount(attempt.account_key);
  uncount(attempt.address_key);
}

seconds LoginThrottle::wait(const Attempt& attempt) {
  const std::scoped_lock lock(mutex_);
  return wait_locked(attempt);
}

std::size_t LoginThrottle::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

seconds LoginThrottle::wait_locked(const Attempt& attempt) {
  return std::max(wait_of(attempt.account_key, limits_.free_failures),
                  wait_of(attempt.address_key, limits_.free_failures * kAddressAllowance));
}

seconds LoginThrottle::wait_of(const std::string& key, std::size_t free_failures) {
  const Entry* const entry = find(key);
  if (entry == nullptr || entry->failures <= free_failures) return seconds(0);
  const MonotonicTime until = entry->last + wait_after(entry->failures - free_failures, limits_);
  const auto left = std::chrono::ceil<seconds>(until - clock_.monotonic());
  return std::max(left, seconds(0));
}

LoginThrottle::Entry* LoginThrottle::find(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  if (clock_.monotonic() - found->second->last > kThrottleMemory) {
    erase(found->second);
    return nullptr;
  }
  return &*found->second;
}

LoginThrottle::Entry& LoginThrottle::touch(const std::string& key) {
  if (Entry* const entry = find(key)) {
    entries_.splice(entries_.begin(), entries_, by_key_.at(key));
    entry->last = clock_.monotonic();
    return *entry;
  }
  if (entries_.size() >= limit_) erase(std::prev(entries_.end()));
  entries_.push_front({key, 0, clock_.monotonic()});
  by_key_.emplace(key, entries_.begin());
  return entries_.front();
}

void LoginThrottle::uncount(const std::string& key) {
  Entry* const entry = find(key);
  if (entry == nullptr) return;
  if (--entry->failures == 0) erase(by_key_.at(key));
}

void LoginThrottle::erase(Entries::iterator entry) {
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace gatehouse::identity
