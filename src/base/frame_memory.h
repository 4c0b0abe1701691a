// Memory for coroutine frames, used again by the thread that gave it back.
//
// A request passes through a dozen coroutines whose frames have a few sizes, many of them beyond
// what malloc() keeps at hand for a thread. Each thread keeps some of each size here: taking one is
// two loads and a store. Frames that are larger than kLargest, and all frames in a build with a
// sanitizer (which would not see a use after free), come from operator new.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

namespace gatehouse {

class FrameMemory {
 public:
  static void* take(std::size_t size) {
    if (Block* const block = kept_.pop(class_of(size))) return block;
    return ::operator new(rounded(size));
  }
  static void give(void* memory, std::size_t size) noexcept {
    if (!kept_.push(class_of(size), memory)) ::operator delete(memory);
  }

 private:
  static constexpr std::size_t kStep = 64;
  static constexpr std::size_t kLargest = 4096;
  static constexpr std::size_t kClasses = kLargest / kStep + 1;
  static constexpr std::uint32_t kKeptEach = 256;
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
  /// One a thread. `open_` is false once it is gone: frames may end later than that.
  class Kept {
   public:
    ~Kept() {
      open_ = false;
      for (List& list : lists_) {
        while (Block* const block = list.first) {
          list.first = block->next;
          ::operator delete(block);
        }
      }
    }
    Block* pop(std::size_t index) {
      if (!kReused || index >= kClasses || !open_) return nullptr;
      List& list = lists_[index];
      Block* const block = list.first;
      if (block == nullptr) return nullptr;
      list.first = block->next;
      --list.count;
      return block;
    }
    bool push(std::size_t index, void* memory) {
      if (!kReused || index >= kClasses || !open_) return false;
      List& list = lists_[index];
      if (list.count >= kKeptEach) return false;
      ++list.count;
      list.first = new (memory) Block{list.first};
      return true;
    }

   private:
    struct List {
      Block* first = nullptr;
      std::uint32_t count = 0;
    };
    std::array<List, kClasses> lists_{};
  };

  static std::size_t class_of(std::size_t size) { return (size + kStep - 1) / kStep; }
  static std::size_t rounded(std::size_t size) { return class_of(size) * kStep; }

  static thread_local bool open_;
  static thread_local Kept kept_;
};

inline thread_local bool FrameMemory::open_ = true;
inline thread_local FrameMemory::Kept FrameMemory::kept_;

}  // namespace gatehouse
