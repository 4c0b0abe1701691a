#include "net/incoming_body.h"

#include <algorithm>
#include <string>
#include <utility>

#include "net/pieces.h"
#include "net/running_task.h"

namespace gatehouse::net {
namespace {

// A fast sender does not keep a loop to itself: 256 KB a turn.
constexpr unsigned kFillsPerTurn = 16;
constexpr unsigned kSplicesPerTurn = 4;
// Of a shorter rest, making a pipe and calling twice as often costs more than copying.
constexpr std::uint64_t kSplicedBytes = 256 * 1024;

}  // namespace

IncomingBody::IncomingBody(Loop& loop, Stream& stream, ReadBuffer& buffer,
                           const http1::Framing& framing, const http1::Limits& limits,
                           std::chrono::milliseconds idle_timeout, std::size_t bytes_per_second)
    : loop_(loop),
      stream_(stream),
      buffer_(buffer),
      idle_timeout_(idle_timeout),
      decoder_(framing, limits),
      bytes_per_second_(bytes_per_second) {
  look_ahead();
}

/// Passes over the framing behind a piece at once, or ready() would promise a piece where only the
/// end of a chunk lies, and the last event of a stream would wait for the next.
void IncomingBody::look_ahead() {
  ahead_ = decoder_.next(buffer_.text());
  buffer_.consume(ahead_.consumed);
  if (ahead_.kind == Step::Kind::kBad) fault_ = ahead_.reason;
  if (ahead_.kind == Step::Kind::kEnd) ended_ = true;
}

bool IncomingBody::fill() {
  const IoResult got = stream_.try_read(buffer_.space());
  switch (got.kind) {
    case IoResult::Kind::kDone:
      buffer_.commit(got.bytes);
      look_ahead();
      return true;
    case IoResult::Kind::kWouldBlock:
      return false;
    case IoResult::Kind::kEnd:
      if (decoder_.end_of_input()) {
        look_ahead();
      } else {
        cut_ = true;
      }
      return true;
    case IoResult::Kind::kFailed:
      return false;  // the wait says at once what it was
  }
  return false;
}

std::unexpected<Error> IncomingBody::cut_short() {
  return failed({ErrorCode::kCorrupt, "the body was cut short"});
}

std::unexpected<Error> IncomingBody::failed(Error error) {
  failure_ = error.code;
  return std::unexpected(std::move(error));
}

bool IncomingBody::is_too_slow(MonotonicTime since) {
  if (bytes_per_second_ == 0 || idle_timeout_.count() == 0) return false;
  waited_ += loop_.now() - since;
  if (waited_ < idle_timeout_) return false;
  const double due =
      std::chrono::duration<double>(waited_).count() * static_cast<double>(bytes_per_second_);
  const auto came = static_cast<double>(received_ - received_then_);
  waited_ = {};
  received_then_ = received_;
  return came < due;
}

Task<Result<void>> IncomingBody::wait_for_more() {
  stream_.set_deadline(Stream::Direction::kRead, deadline_after(loop_, idle_timeout_));
  const MonotonicTime since = loop_.now();
  Result<void> readable = co_await stream_.readable();
  if (!readable) co_return failed(std::move(readable).error());
  if (is_too_slow(since)) co_return failed({ErrorCode::kTimeout, "the peer is too slow"});
  co_return readable;
}

Task<Result<std::string_view>> IncomingBody::read() {
  while (ahead_.kind == Step::Kind::kNeedMore) {
    if (cut_) co_return cut_short();
    if (++fills_ % kFillsPerTurn == 0) co_await NextTurn(loop_);
    if (fill()) continue;
    Result<void> more = co_await wait_for_more();
    if (!more) co_return fail(std::move(more));
  }
  if (ahead_.kind == Step::Kind::kEnd) co_return std::string_view();
  if (ahead_.kind == Step::Kind::kBad) {
    co_return failed({ErrorCode::kCorrupt, std::string(fault_)});
  }
  const std::string_view piece = ahead_.piece;
  received_ += piece.size();
  look_ahead();
  co_return piece;
}

http::SocketBytes* IncomingBody::in_socket() {
  const bool unread = ahead_.kind == Step::Kind::kNeedMore && !cut_;
  return unread && decoder_.left() >= kSplicedBytes && stream_.splices() ? this : nullptr;
}

Task<Result<std::size_t>> IncomingBody::move_into(int pipe, std::size_t limit) {
  for (;;) {
    if (++fills_ % kSplicesPerTurn == 0) co_await NextTurn(loop_);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(limit, decoder_.left()));
    const IoResult got = stream_.splice_into(pipe, wanted);
    if (got.kind == IoResult::Kind::kDone) {
      decoder_.skip(got.bytes);
      received_ += got.bytes;
      look_ahead();
      co_return got.bytes;
    }
    if (got.kind == IoResult::Kind::kEnd) {
      cut_ = true;
      co_return cut_short();
    }
    Result<void> more = co_await wait_for_more();
    if (!more) co_return fail(std::move(more));
  }
}

}  // namespace gatehouse::net
