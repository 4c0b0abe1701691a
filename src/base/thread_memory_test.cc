#include "base/thread_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <utility>
#include <vector>

namespace gatehouse {
namespace {

TEST(ThreadMemoryTest, GivesBlocksThatDoNotOverlap) {
  std::vector<void*> blocks;
  for (std::size_t size = 1; size < 6000; size += 97) {
    void* const block = ThreadMemory::take(size);
    std::memset(block, static_cast<int>(size & 0xff), size);
    blocks.push_back(block);
  }
  std::size_t size = 1;
  for (void* const block : blocks) {
    const auto* const bytes = static_cast<const unsigned char*>(block);
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(bytes[i], size & 0xff) << size;
    ThreadMemory::give(block, size);
    size += 97;
  }
}

TEST(ThreadMemoryTest, ABlockMayBeGivenBackByAnotherThread) {
  void* block = ThreadMemory::take(300);
  std::thread([block] { ThreadMemory::give(block, 300); }).join();
  // And by one whose own memory is gone already: the list is a thread's last object but one.
  struct Late {
    void* block = nullptr;
    ~Late() { ThreadMemory::give(block, 300); }
  };
  std::thread([] {
    static thread_local Late late;
    late.block = ThreadMemory::take(300);
  }).join();
}

TEST(ThreadMemoryTest, ForCItIsMallocReallocAndFree) {
  ThreadMemory::give_for_c(nullptr);
  void* block = ThreadMemory::take_for_c(0);
  EXPECT_NE(block, nullptr);
  ThreadMemory::give_for_c(block);
  block = ThreadMemory::take_other_for_c(nullptr, 5);
  std::memcpy(block, "hello", 5);
  for (const std::size_t size : {6u, 100u, 30'000u, 3u}) {
    block = ThreadMemory::take_other_for_c(block, size);
    EXPECT_EQ(std::memcmp(block, "hello", std::min<std::size_t>(size, 5)), 0) << size;
  }
  EXPECT_EQ(ThreadMemory::take_other_for_c(block, 0), nullptr);
}

TEST(ThreadMemoryTest, ABlockForCIsNeverGivenForALargerOne) {
  for (std::size_t size = 1; size < 24'000; size = size * 9 / 8 + 1) {
    ThreadMemory::give_for_c(ThreadMemory::take_for_c(size));
    for (std::size_t larger = size; larger < size + 40; ++larger) {
      void* const block = ThreadMemory::take_for_c(larger);
      std::memset(block, 1, larger);  // a sanitizer or the heap's own checks would see it
      EXPECT_GE(::malloc_usable_size(block), larger);
      ThreadMemory::give_for_c(block);
    }
  }
}

TEST(ThreadMemoryTest, KeepsABoundedNumberOfEachSize) {
  std::vector<void*> blocks;
  for (int i = 0; i < 5000; ++i) blocks.push_back(ThreadMemory::take(128));
  // What is over the bound goes to operator delete: the leak checker sees that none is lost.
  for (void* const block : blocks) ThreadMemory::give(block, 128);
}

TEST(ThreadMemoryTest, KeepsABoundedAmountOfAllSizesTogether) {
  std::vector<std::pair<void*, std::size_t>> blocks;
  for (std::size_t size = 4096; size <= 20 * 1024; size += 256) {
    for (int i = 0; i < 16; ++i) blocks.emplace_back(ThreadMemory::take(size), size);
  }
  for (const auto& [block, size] : blocks) ThreadMemory::give(block, size);
  EXPECT_LE(ThreadMemory::kept(), 8U << 20U);
  // What is taken again is kept no more.
  const std::size_t kept = ThreadMemory::kept();
  void* const block = ThreadMemory::take(4096);
  EXPECT_LE(ThreadMemory::kept(), kept);
  ThreadMemory::give(block, 4096);
  EXPECT_EQ(ThreadMemory::kept(), kept);
}

TEST(ThreadMemoryTest, TrimmingFreesWhatIsNotNeeded) {
  constexpr std::size_t kSize = 4000;
  const auto take_and_give = [](int count) {
    std::vector<void*> blocks;
    for (int i = 0; i < count; ++i) blocks.push_back(ThreadMemory::take(kSize));
    for (void* const block : blocks) ThreadMemory::give(block, kSize);
  };
  take_and_give(40);
  ThreadMemory::trim();
  const std::size_t begun = ThreadMemory::kept();
  for (int i = 0; i < 20; ++i) {
    take_and_give(8);
    ThreadMemory::trim();
  }
  const std::size_t needed = ThreadMemory::kept();
  EXPECT_LE(needed, begun);
  // The eight that are needed stay.
  const bool reused = begun > 0;  // not in a build with a sanitizer
  if (reused) EXPECT_GE(needed, 8 * kSize);
  for (int i = 0; i < 40; ++i) ThreadMemory::trim();
  EXPECT_EQ(ThreadMemory::kept(), 0U);
}

}  // namespace
}  // namespace gatehouse
