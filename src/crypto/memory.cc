#include "crypto/memory.h"

#include <openssl/crypto.h>

#include <cstddef>

#include "base/thread_memory.h"
#include "crypto/openssl.h"

namespace gatehouse::crypto {
namespace {

void* take(std::size_t size, const char* /*file*/, int /*line*/) {
  return ThreadMemory::take_for_c(size);
}

void* take_other(void* block, std::size_t size, const char* /*file*/, int /*line*/) {
  return ThreadMemory::take_other_for_c(block, size);
}

void give(void* block, const char* /*file*/, int /*line*/) {
  ThreadMemory::give_for_c(block);
}

}  // namespace

void use_thread_memory() {
  require(CRYPTO_set_mem_functions(&take, &take_other, &give) == 1, "OpenSSL's memory");
}

}  // namespace gatehouse::crypto
