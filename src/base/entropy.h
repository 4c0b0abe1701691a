// Chance comes in through an Entropy: the system's generator when serving, a fixed sequence in
// tests. crypto/random.h has the one that serves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gatehouse {

/// Thread-safe, unless one says otherwise. Fills whole spans; an implementation that cannot aborts
/// the process, because nothing secure can go on without it.
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  /// `count` random bytes.
  std::string bytes(std::size_t count);
  /// `count` random bytes as base64url without padding: for ids, states, nonces and tokens.
  std::string token(std::size_t count = 32);
};

}  // namespace gatehouse
