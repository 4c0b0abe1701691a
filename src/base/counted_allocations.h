// For tests of what costs no memory: an operator new that counts.
//
// It replaces the global one, so that one file of a test program includes this and no other does.
// Not for builds with a sanitizer, which has an operator new of its own.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace gatehouse {

/// By this thread, so far.
inline thread_local int allocations = 0;

}  // namespace gatehouse

void* operator new(std::size_t size) {
  ++gatehouse::allocations;
  if (void* const memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
