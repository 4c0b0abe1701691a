// Bytes that came from a connection and are not done with yet, in one piece.
//
// Starts with a block of kBlock bytes, the size at which copying through costs least; grows only
// for a head that is longer. Views into it stay valid until the next space().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace gatehouse::net {

class ReadBuffer {
 public:
  static constexpr std::size_t kBlock = 16 * 1024;

  std::string_view text() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  std::size_t size() const { return end_ - begin_; }
  void consume(std::size_t bytes) { begin_ += bytes; }
  void clear() { begin_ = end_ = 0; }

  /// Room for more, at least one byte of it.
  std::span<char> space() {
    make_room();
    return {data_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t bytes) { end_ += bytes; }

  /// Gives back what it grew beyond a block. Must be empty.
  void shrink() {
    clear();
    if (capacity_ > kBlock) reallocate(kBlock);
  }

 private:
  // Unused. Without it the blocks would lie a power of two apart, and their beginnings, where the
  // heads are, would contend for a few sets of the processor's caches.
  static constexpr std::size_t kStagger = 1024;

  void make_room() {
    if (begin_ == end_) clear();
    if (end_ < capacity_) return;
    if (begin_ != 0) {
      std::memmove(data_.get(), data_.get() + begin_, size());
      end_ -= begin_;
      begin_ = 0;
    } else {
      reallocate(std::max(kBlock, capacity_ * 2));
    }
  }
  void reallocate(std::size_t capacity) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity + kStagger);
    if (end_ != 0) std::memcpy(larger.get(), data_.get(), end_);
    data_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace gatehouse::net
