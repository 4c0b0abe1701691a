// SHA-256, HMAC-SHA-256 and HKDF over OpenSSL. Algorithms are fetched once, because OpenSSL 3.0
// takes a lock at each fetch.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace gatehouse::crypto {

/// 32 bytes.
std::string sha256(std::string_view bytes);

/// A key that is ready to sign; reuses its context from call to call. One a thread.
class HmacSha256 {
 public:
  explicit HmacSha256(const Secret& key);
  HmacSha256(HmacSha256&&) noexcept;
  HmacSha256& operator=(HmacSha256&&) noexcept;
  ~HmacSha256();

  std::array<std::uint8_t, 32> sign(std::string_view bytes);
  /// In constant time; false for a tag of another length.
  bool verify(std::string_view bytes, std::string_view tag);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// HKDF-SHA-256 (RFC 5869) without salt: `length` bytes for one purpose, named by `info`.
Secret derive_key(const Secret& master, std::string_view info, std::size_t length = 32);

}  // namespace gatehouse::crypto
