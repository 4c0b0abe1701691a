#include "net/pieces.h"

#include <algorithm>

namespace gatehouse::net {

void Pieces::advance(std::size_t bytes) {
  while (bytes != 0) {
    iovec& piece = vectors_[first_];
    const std::size_t gone = std::min(bytes, piece.iov_len);
    piece.iov_base = static_cast<char*>(piece.iov_base) + gone;
    piece.iov_len -= gone;
    bytes -= gone;
    if (piece.iov_len == 0) ++first_;
  }
}

bool try_send(Stream& stream, Pieces& pieces) {
  while (!pieces.empty()) {
    const IoResult sent = stream.try_write(pieces.left());
    if (sent.kind == IoResult::Kind::kWouldBlock) return true;
    if (sent.kind != IoResult::Kind::kDone) return false;
    pieces.advance(sent.bytes);
  }
  return true;
}

Task<Result<void>> send_rest(Loop& loop, Stream& stream, Pieces& pieces,
                             std::chrono::milliseconds idle) {
  for (;;) {
    if (!try_send(stream, pieces)) {
      co_return fail(ErrorCode::kUnavailable, "the connection was broken by its peer");
    }
    if (pieces.empty()) co_return Result<void>();
    stream.set_deadline(Stream::Direction::kWrite, deadline_after(loop, idle));
    Result<void> writable = co_await stream.writable();
    if (!writable) co_return fail(std::move(writable));
  }
}

std::optional<MonotonicTime> deadline_after(const Loop& loop, std::chrono::milliseconds limit) {
  if (limit.count() == 0) return std::nullopt;
  return loop.now() + limit;
}

}  // namespace gatehouse::net
