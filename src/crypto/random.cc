#include "crypto/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>

#include "crypto/openssl.h"

namespace gatehouse::crypto {

void SystemEntropy::fill(std::span<std::uint8_t> out) {
  require(RAND_bytes_ex(nullptr, out.data(), out.size(), 0) == 1, "random bytes");
}

BlockEntropy::~BlockEntropy() {
  OPENSSL_cleanse(block_.data(), block_.size());
}

void BlockEntropy::fill(std::span<std::uint8_t> out) {
  if (out.size() > block_.size()) return source_.fill(out);
  if (out.size() > left_.size()) {
    source_.fill(block_);
    left_ = block_;
  }
  const std::span<std::uint8_t> given = left_.first(out.size());
  std::ranges::copy(given, out.begin());
  OPENSSL_cleanse(given.data(), given.size());
  left_ = left_.subspan(out.size());
}

}  // namespace gatehouse::crypto
