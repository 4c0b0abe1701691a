// How many connections each client address has, over all loops of a process.
//
// Asked at accept and at close only. Thread-safe: one lock for each of some stripes of the
// addresses. An IPv6 client is counted by its /64, as one host has the whole of that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace gatehouse::net {

class AddressCounts {
  /// IPv4 in its IPv6-mapped form.
  using Key = std::array<std::uint8_t, 16>;

 public:
  AddressCounts() = default;
  AddressCounts(const AddressCounts&) = delete;
  AddressCounts& operator=(const AddressCounts&) = delete;

  /// One connection's; given back when it goes. From any thread.
  class Place {
   public:
    Place() = default;
    Place(Place&&) = default;
    Place& operator=(Place&& other) noexcept {
      std::swap(counts_, other.counts_);
      std::swap(key_, other.key_);
      return *this;
    }
    ~Place() {
      if (counts_) counts_->give_back(key_);
    }

   private:
    friend class AddressCounts;
    Place(std::shared_ptr<AddressCounts> counts, const Key& key)
        : counts_(std::move(counts)), key_(key) {}

    std::shared_ptr<AddressCounts> counts_;
    Key key_{};
  };

  /// Nullopt if the address has `limit` places already, or is none.
  static std::optional<Place> take(const std::shared_ptr<AddressCounts>& counts,
                                   const std::string& address, std::size_t limit);
  std::size_t count(const std::string& address);

 private:
  struct Stripe {
    std::mutex mutex;
    /// Ordered, so that no choice of addresses makes it slow.
    std::map<Key, std::size_t> counts;
  };

  static std::optional<Key> key_of(const std::string& address);
  Stripe& stripe_of(const Key& key);
  void give_back(const Key& key);

  std::array<Stripe, 64> stripes_;
};

}  // namespace gatehouse::net
