// A few pieces of memory that are sent together, and how far they have gone.
#pragma once

#include <array>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/task.h"
#include "net/loop.h"
#include "net/stream.h"

namespace gatehouse::net {

class Pieces {
 public:
  void add(std::string_view piece) {
    if (piece.empty()) return;
    assert(count_ < vectors_.size());
    vectors_[count_++] = {.iov_base = const_cast<char*>(piece.data()), .iov_len = piece.size()};
  }
  bool empty() const { return first_ == count_; }
  std::span<const iovec> left() const {
    return std::span(vectors_).subspan(first_, count_ - first_);
  }
  void advance(std::size_t bytes);

 private:
  std::array<iovec, 4> vectors_{};
  std::size_t first_ = 0, count_ = 0;
};

/// Sends as much as goes without waiting. False if the stream is of no more use.
bool try_send(Stream& stream, Pieces& pieces);

/// Sends the rest, waiting where needed; each wait is at most `idle` long (0: no limit).
Task<Result<void>> send_rest(Loop& loop, Stream& stream, Pieces& pieces,
                             std::chrono::milliseconds idle);

/// The time that a wait of `limit` from now on ends; nullopt for 0, which is no limit.
std::optional<MonotonicTime> deadline_after(const Loop& loop, std::chrono::milliseconds limit);

}  // namespace gatehouse::net
