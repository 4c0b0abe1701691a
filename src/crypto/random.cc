#include "crypto/random.h"

#include <openssl/rand.h>

#include "crypto/openssl.h"

namespace gatehouse::crypto {

void SystemEntropy::fill(std::span<std::uint8_t> out) {
  require(RAND_bytes_ex(nullptr, out.data(), out.size(), 0) == 1, "random bytes");
}

}  // namespace gatehouse::crypto
