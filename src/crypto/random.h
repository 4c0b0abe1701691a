// The system's generator of chance.
#pragma once

#include <array>

#include "base/entropy.h"

namespace gatehouse::crypto {

/// OpenSSL's generator, seeded by the kernel. Aborts the process if it fails.
class SystemEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

/// Draws from another generator in blocks, because a call of that costs more than its bytes. For
/// one thread. What was given out is wiped here.
class BlockEntropy final : public Entropy {
 public:
  /// `source` outlives this.
  explicit BlockEntropy(Entropy& source) : source_(source) {}
  ~BlockEntropy() override;
  void fill(std::span<std::uint8_t> out) override;

 private:
  Entropy& source_;
  std::array<std::uint8_t, 1024> block_{};
  std::span<std::uint8_t> left_;  // of the block
};

}  // namespace gatehouse::crypto
