#include "net/address_counts.h"

#include <arpa/inet.h>

#include <algorithm>
#include <numeric>

namespace gatehouse::net {

std::optional<AddressCounts::Key> AddressCounts::key_of(const std::string& address) {
  Key key{};
  if (::inet_pton(AF_INET6, address.c_str(), key.data()) == 1) {
    const auto* const ip = reinterpret_cast<const in6_addr*>(key.data());
    if (!IN6_IS_ADDR_V4MAPPED(ip)) std::fill(key.begin() + 8, key.end(), 0);
    return key;
  }
  key[10] = key[11] = 0xff;
  if (::inet_pton(AF_INET, address.c_str(), key.data() + 12) != 1) return std::nullopt;
  return key;
}

AddressCounts::Stripe& AddressCounts::stripe_of(const Key& key) {
  const unsigned sum = std::accumulate(key.begin(), key.end(), 0U,
                                       [](unsigned a, std::uint8_t byte) { return a * 31 + byte; });
  return stripes_[sum % stripes_.size()];
}

std::optional<AddressCounts::Place> AddressCounts::take(
    const std::shared_ptr<AddressCounts>& counts, const std::string& address, std::size_t limit) {
  const std::optional<Key> key = key_of(address);
  if (!key) return std::nullopt;
  Stripe& stripe = counts->stripe_of(*key);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.taken.find(*key);
  const std::size_t places = found == stripe.taken.end() ? 0 : found->second.places;
  if (places >= limit) return std::nullopt;
  Taken& taken = found == stripe.taken.end() ? stripe.taken[*key] : found->second;
  if (places == 0) taken = {.counts = counts, .key = *key};
  ++taken.places;
  return Place(taken);
}

void AddressCounts::give_back(Taken& taken) {
  // Kept until the lock is free again.
  const std::shared_ptr<AddressCounts> counts = taken.counts;
  Stripe& stripe = counts->stripe_of(taken.key);
  const std::lock_guard lock(stripe.mutex);
  if (--taken.places == 0) stripe.taken.erase(Key(taken.key));
}

std::size_t AddressCounts::count(const std::string& address) {
  const std::optional<Key> key = key_of(address);
  if (!key) return 0;
  Stripe& stripe = stripe_of(*key);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.taken.find(*key);
  return found == stripe.taken.end() ? 0 : found->second.places;
}

}  // namespace gatehouse::net
