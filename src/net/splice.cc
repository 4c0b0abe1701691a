#include "net/splice.h"

#include <fcntl.h>

#include <array>
#include <utility>

#include "net/pieces.h"

namespace gatehouse::net {
namespace {

// What a client that reads slowly may leave in a pipe, and what is moved by one call.
constexpr int kPipeBytes = 256 * 1024;

}  // namespace

std::unique_ptr<Splice::Pipe> Splice::make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return nullptr;
  auto pipe = std::make_unique<Pipe>(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
  if (::fcntl(pipe->in.get(), F_SETPIPE_SZ, kPipeBytes) < kPipeBytes) return nullptr;
  return pipe;
}

http::SocketBytes* Splice::source(http::BodyReader& body) {
  if (!to_.splices()) return nullptr;
  http::SocketBytes* const bytes = body.in_socket();
  if (bytes == nullptr) return nullptr;
  if (!std::exchange(tried_, true)) pipe_ = make_pipe();
  return pipe_ ? bytes : nullptr;
}

Task<Result<std::size_t>> Splice::take(http::SocketBytes& source) {
  return source.move_into(pipe_->in.get(), kPipeBytes);
}

Task<Result<void>> Splice::send(std::size_t bytes) {
  while (bytes != 0) {
    const IoResult sent = to_.splice_from(pipe_->out.get(), bytes);
    switch (sent.kind) {
      case IoResult::Kind::kDone:
        bytes -= sent.bytes;
        continue;
      case IoResult::Kind::kWouldBlock:
        break;
      default:
        co_return fail(ErrorCode::kUnavailable, "the connection was broken by its peer");
    }
    to_.set_deadline(Stream::Direction::kWrite, deadline_after(loop_, idle_timeout_));
    Result<void> writable = co_await to_.writable();
    if (!writable) co_return writable;
  }
  co_return Result<void>();
}

}  // namespace gatehouse::net
