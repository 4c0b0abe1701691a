#include "net/http2/session_memory.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "base/thread_memory.h"

namespace gatehouse::net::http2 {
namespace {

/// In front of each block: nghttp2 does not say its size again when it gives it back.
struct alignas(std::max_align_t) Head {
  std::size_t size;  // with the head
};

Head* head_of(void* block) {
  return static_cast<Head*>(block) - 1;
}

void* take(std::size_t size, void* /*user*/) {
  if (size > SIZE_MAX - sizeof(Head)) return nullptr;
  try {
    void* const memory = ThreadMemory::take(size + sizeof(Head));
    return new (memory) Head{size + sizeof(Head)} + 1;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void give(void* block, void* /*user*/) {
  if (block == nullptr) return;
  Head* const head = head_of(block);
  ThreadMemory::give(head, head->size);
}

void* take_zeros(std::size_t count, std::size_t size, void* user) {
  if (size != 0 && count > SIZE_MAX / size) return nullptr;
  void* const block = take(count * size, user);
  if (block != nullptr) std::memset(block, 0, count * size);
  return block;
}

void* take_other(void* block, std::size_t size, void* user) {
  void* const other = take(size, user);
  if (other == nullptr || block == nullptr) return other;
  std::memcpy(other, block, std::min(size, head_of(block)->size - sizeof(Head)));
  give(block, user);
  return other;
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
