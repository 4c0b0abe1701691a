#include "gateway/tcp/stream_bytes.h"

#include "net/pieces.h"

namespace gatehouse::gateway {

Task<Result<std::string_view>> StreamBytes::read() {
  buffer_.clear();
  for (;;) {
    const net::IoResult got = stream_->try_read(buffer_.space());
    if (got.kind == net::IoResult::Kind::kEnd) co_return std::string_view();
    if (got.kind == net::IoResult::Kind::kDone) {
      buffer_.commit(got.bytes);
      co_return buffer_.text();
    }
    Result<void> readable = co_await stream_->readable();
    if (!readable) co_return fail(std::move(readable));
  }
}

Task<Result<void>> StreamBytes::write(std::string_view bytes) {
  net::Pieces pieces;
  pieces.add(bytes);
  // How long the peer may take nothing is the tunnel's to say.
  Result<void> sent =
      co_await net::send_rest(loop_, *stream_, pieces, std::chrono::milliseconds(0));
  co_return sent;
}

}  // namespace gatehouse::gateway
