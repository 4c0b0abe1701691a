// A string that must not be seen: a password, a key, a token.
//
// It wipes its bytes when it goes, cannot be printed or formatted by accident, compares in constant
// time, and is read only through reveal(), so that a search for that word finds every use.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace gatehouse {

/// Overwrites the bytes in a way that the compiler may not leave out, then empties the string.
void wipe(std::string& bytes);

/// True if both are equal, in a time that depends on the lengths alone.
bool equal_in_constant_time(std::string_view a, std::string_view b);

class Secret {
 public:
  Secret() = default;
  explicit Secret(const std::string& bytes) : bytes_(bytes) {}
  /// Wipes what the string may still hold: a short one is copied, not moved.
  explicit Secret(std::string&& bytes) : bytes_(std::move(bytes)) { wipe(bytes); }
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { wipe(other.bytes_); }
  Secret& operator=(Secret other) noexcept {
    bytes_.swap(other.bytes_);
    return *this;
  }
  ~Secret() { wipe(bytes_); }

  std::string_view reveal() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  /// In a time that depends on the lengths alone.
  bool operator==(const Secret& other) const {
    return equal_in_constant_time(bytes_, other.bytes_);
  }

 private:
  std::string bytes_;
};

}  // namespace gatehouse
