#include "crypto/openssl.h"

#include <cstdio>
#include <cstdlib>

namespace gatehouse::crypto {

void require(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "cryptography failed: %s\n", what);
  std::abort();
}

namespace {

const EVP_MD* fetch(const char* name) {
  const EVP_MD* algorithm = EVP_MD_fetch(nullptr, name, nullptr);
  require(algorithm != nullptr, name);
  return algorithm;
}

}  // namespace

const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = fetch("SHA2-256");
  return algorithm;
}

const EVP_MD* sha384_algorithm() {
  static const EVP_MD* const algorithm = fetch("SHA2-384");
  return algorithm;
}

}  // namespace gatehouse::crypto
