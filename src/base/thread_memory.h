// Memory that the thread which gave it back uses again: for coroutine frames, header fields, and
// what OpenSSL and nghttp2 need.
//
// A request passes through a dozen blocks of a few sizes, many of them beyond what malloc() keeps
// at hand for a thread; a TLS handshake takes and gives back a thousand. Each thread keeps some of
// each size here: taking one is two loads and a store. Blocks that are larger than kLargest, and
// all blocks in a build with a sanitizer (which would not see a use after free), come from operator
// new.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

namespace gatehouse {

class ThreadMemory {
 public:
  static void* take(std::size_t size) {
    if (Block* const block = pop(class_of(size))) return block;
    return ::operator new(rounded(size));
  }
  /// `size` as it was taken; by any thread.
  static void give(void* memory, std::size_t size) noexcept {
    if (!push(class_of(size), memory)) ::operator delete(memory);
  }

  /// Frees half of what this thread has not needed since the last call, so that blocks which other
  /// threads took and this one gives back do not pile up. Now and then, by threads that live long.
  static void trim() noexcept;
  /// Bytes that this thread keeps for its next blocks.
  static std::size_t kept() { return kept_.bytes; }

  // For C libraries, which do not say a block's size again.

  /// As malloc(): null where there is no memory.
  static void* take_for_c(std::size_t size) noexcept {
    if (Block* const block = pop(class_of(size))) return block;
    return ::operator new(rounded(size), std::nothrow);
  }
  /// As free().
  static void give_for_c(void* memory) noexcept {
    if (memory == nullptr || push(::malloc_usable_size(memory) / kStep, memory)) return;
    ::operator delete(memory);
  }
  /// As realloc(); of no bytes, it is free().
  static void* take_other_for_c(void* memory, std::size_t size) noexcept {
    void* const other = size == 0 ? nullptr : take_for_c(size);
    if (other != nullptr && memory != nullptr) {
      std::memcpy(other, memory, std::min(size, ::malloc_usable_size(memory)));
    }
    if (other != nullptr || size == 0) give_for_c(memory);
    return other;
  }

 private:
  static constexpr std::size_t kStep = 16;            // malloc's own
  static constexpr std::size_t kLargest = 20 * 1024;  // a TLS record's buffer
  static constexpr std::size_t kClasses = kLargest / kStep + 1;
  static constexpr std::size_t kKeptBytes = 256 * 1024;  // of each size
  static constexpr std::size_t kKeptInAll = 8 * 1024 * 1024;
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  static constexpr bool kReused = false;
#else
  static constexpr bool kReused = true;
#endif
#else
  static constexpr bool kReused = true;
#endif

  struct Block {
    Block* next;
  };
  struct List {
    Block* first;
    std::uint32_t count;
    std::uint32_t least;  // that there have been since the last trim()
  };
  /// Of one thread. Needs neither constructor nor destructor, so that to reach it costs nothing.
  struct Kept {
    std::array<List, kClasses> lists;
    std::size_t bytes;
    bool watched;  // its thread's end frees it
    bool closed;   // the thread has ended: blocks may be given back later than that
  };
  struct Closer {
    ~Closer();
    void watch() { kept_.watched = true; }
  };

  static Block* pop(std::size_t index) {
    if (!kReused || index >= kClasses) return nullptr;
    List& list = kept_.lists[index];
    Block* const block = list.first;
    if (block == nullptr) return nullptr;
    list.first = block->next;
    list.least = std::min(list.least, --list.count);
    kept_.bytes -= index * kStep;
    return block;
  }
  static bool push(std::size_t index, void* memory) {
    if (!kReused || index >= kClasses || kept_.closed) return false;
    List& list = kept_.lists[index];
    const std::size_t size = index * kStep;
    if (list.count * size >= kKeptBytes || kept_.bytes + size > kKeptInAll) return false;
    if (!kept_.watched) closer_.watch();
    ++list.count;
    kept_.bytes += size;
    list.first = new (memory) Block{list.first};
    return true;
  }
  static std::size_t class_of(std::size_t size) { return (size + kStep - 1) / kStep; }
  static std::size_t rounded(std::size_t size) { return class_of(size) * kStep; }

  static constinit thread_local Kept kept_;
  static thread_local Closer closer_;
};

inline constinit thread_local ThreadMemory::Kept ThreadMemory::kept_{};
inline thread_local ThreadMemory::Closer ThreadMemory::closer_;

inline void ThreadMemory::trim() noexcept {
  for (std::size_t index = 0; index < kClasses; ++index) {
    List& list = kept_.lists[index];
    for (std::uint32_t surplus = (list.least + 1) / 2; surplus > 0; --surplus) {
      ::operator delete(pop(index));
    }
    list.least = list.count;
  }
}

inline ThreadMemory::Closer::~Closer() {
  kept_.closed = true;
  for (List& list : kept_.lists) {
    while (Block* const block = list.first) {
      list.first = block->next;
      ::operator delete(block);
    }
  }
}

/// For containers that are made and gone within a request.
template <class T>
struct ThreadAllocator {
  using value_type = T;

  ThreadAllocator() = default;
  template <class U>
  ThreadAllocator(const ThreadAllocator<U>&) {}  // NOLINT(google-explicit-constructor)
  T* allocate(std::size_t count) { return static_cast<T*>(ThreadMemory::take(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t count) noexcept {
    ThreadMemory::give(memory, count * sizeof(T));
  }
  bool operator==(const ThreadAllocator&) const = default;
};

}  // namespace gatehouse
