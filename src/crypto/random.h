// The system's generator of chance.
#pragma once

#include "base/entropy.h"

namespace gatehouse::crypto {

/// OpenSSL's generator, seeded by the kernel. Aborts the process if it fails.
class SystemEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace gatehouse::crypto
