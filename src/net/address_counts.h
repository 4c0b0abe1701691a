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
#include <utility>

namespace gatehouse::net {

class AddressCounts {
  /// IPv4 in its IPv6-mapped form.
  using Key = std::array<std::uint8_t, 16>;
  /// What one address has; lies in its stripe as long as that is more than nothing.
  struct Taken {
    std::shared_ptr<AddressCounts> counts;
    Key key;
    std::size_t places = 0;
  };

 public:
  AddressCounts() = default;
  AddressCounts(const AddressCounts&) = delete;
  AddressCounts& operator=(const AddressCounts&) = delete;

  /// One connection's; given back when it goes. From any thread. A pointer, because each connection
  /// has one.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(taken_, other.taken_);
      return *this;
    }
    ~Place() {
      if (taken_ != nullptr) give_back(*taken_);
    }

   private:
    friend class AddressCounts;
    explicit Place(Taken& taken) : taken_(&taken) {}

    Taken* taken_ = nullptr;
  };

  /// Nullopt if the address has `limit` places already, or is none.
  static std::optional<Place> take(const std::shared_ptr<AddressCounts>& counts,
                                   const std::string& address, std::size_t limit);
  std::size_t count(const std::string& address);

 private:
  struct Stripe {
    std::mutex mutex;
    /// Ordered, so that no choice of addresses makes it slow.
    std::map<Key, Taken> taken;
  };

  static std::optional<Key> key_of(const std::string& address);
  Stripe& stripe_of(const Key& key);
  static void give_back(Taken& taken);

  std::array<Stripe, 64> stripes_;
};

}  // namespace gatehouse::net
