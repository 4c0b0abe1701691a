#include "net/upgraded_stream.h"

#include <utility>

#include "net/pieces.h"

namespace gatehouse::net {

UpgradedStream::UpgradedStream(Loop& loop, std::unique_ptr<ConnectionPool::Connection> connection,
                               std::chrono::milliseconds idle_timeout)
    : loop_(loop), connection_(std::move(connection)), idle_timeout_(idle_timeout) {
  progress();
}

void UpgradedStream::progress() {
  connection_->stream->set_deadline(Stream::Direction::kRead, deadline_after(loop_, idle_timeout_));
}

Task<Result<std::string_view>> UpgradedStream::read() {
  ReadBuffer& buffer = connection_->workspace->buffer;
  Stream& stream = *connection_->stream;
  while (buffer.empty()) {
    const IoResult got = stream.try_read(buffer.space());
    if (got.kind == IoResult::Kind::kEnd) co_return std::string_view();
    if (got.kind == IoResult::Kind::kDone) {
      buffer.commit(got.bytes);
      break;
    }
    Result<void> readable = co_await stream.readable();
    if (!readable) co_return fail(std::move(readable));
  }
  progress();
  const std::string_view piece = buffer.text();
  buffer.consume(piece.size());
  co_return piece;
}

Task<Result<void>> UpgradedStream::write(std::string_view bytes) {
  Pieces pieces;
  pieces.add(bytes);
  Result<void> sent = co_await send_rest(loop_, *connection_->stream, pieces, idle_timeout_);
  if (sent) progress();
  co_return sent;
}

}  // namespace gatehouse::net
