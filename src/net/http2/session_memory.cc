#include "net/http2/session_memory.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/thread_memory.h"

namespace gatehouse::net::http2 {
namespace {

void* take(std::size_t size, void* /*user*/) {
  return ThreadMemory::take_for_c(size);
}

void give(void* block, void* /*user*/) {
  ThreadMemory::give_for_c(block);
}

void* take_zeros(std::size_t count, std::size_t size, void* /*user*/) {
  if (size != 0 && count > SIZE_MAX / size) return nullptr;
  void* const block = ThreadMemory::take_for_c(count * size);
  if (block != nullptr) std::memset(block, 0, count * size);
  return block;
}

void* take_other(void* block, std::size_t size, void* /*user*/) {
  return ThreadMemory::take_other_for_c(block, size);
}

}  // namespace

nghttp2_mem session_memory() {
  return {.mem_user_data = nullptr,
          .malloc = &take,
          .free = &give,
          .calloc = &take_zeros,
          .realloc = &take_other};
}

}  // namespace gatehouse::net::http2
