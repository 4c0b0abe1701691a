// A message's body as it comes from a connection: takes it out of its framing, reads on when the
// buffer has no more, knows whether the next piece is there. Used by the server for requests and by
// the client for answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "net/http1/codec.h"
#include "net/loop.h"
#include "net/read_buffer.h"
#include "net/stream.h"

namespace gatehouse::net {

class IncomingBody final : private http::SocketBytes {
 public:
  /// `bytes_per_second`: kTimeout if the peer sends more slowly, over each `idle_timeout` spent
  /// waiting for it; 0: it may.
  IncomingBody(Loop& loop, Stream& stream, ReadBuffer& buffer, const http1::Framing& framing,
               const http1::Limits& limits, std::chrono::milliseconds idle_timeout,
               std::size_t bytes_per_second = 0);

  /// The next piece, valid until the next call; empty at the end. kCorrupt (bad chunks, or cut
  /// short by the end of the connection), kTimeout, kUnavailable, kCancelled.
  Task<Result<std::string_view>> read();
  /// The other way to get what is next, where it is worth its two calls more; else null.
  http::SocketBytes* in_socket();
  /// The next read() will not wait.
  bool ready() const { return ahead_.kind != Step::Kind::kNeedMore; }
  /// All of it has come and been given out.
  bool finished() const { return ended_; }
  /// Its framing is broken, with why; the peer is to blame. Known before read() gets there.
  std::string_view fault() const { return fault_; }
  /// How read() failed, if it did.
  std::optional<ErrorCode> failure() const { return failure_; }
  std::uint64_t received() const { return received_; }
  std::uint64_t left() const { return decoder_.left(); }
  const http::Headers& trailers() const { return decoder_.trailers(); }

 private:
  using Step = http1::BodyDecoder::Step;
  Task<Result<std::size_t>> move_into(int pipe, std::size_t limit) override;
  void look_ahead();
  std::unexpected<Error> failed(Error error);
  std::unexpected<Error> cut_short();
  Task<Result<void>> wait_for_more();
  /// True if the peer is too slow, after a wait that began at `since`.
  bool is_too_slow(MonotonicTime since);
  /// Takes what can be had without waiting; false if there is nothing.
  bool fill();

  Loop& loop_;
  Stream& stream_;
  ReadBuffer& buffer_;
  std::chrono::milliseconds idle_timeout_;
  http1::BodyDecoder decoder_;
  Step ahead_;  // decoded, not given out yet; kNeedMore if there is none
  bool ended_ = false;
  bool cut_ = false;  // the connection ended before the body
  std::string_view fault_;
  std::optional<ErrorCode> failure_;
  std::uint64_t received_ = 0;
  unsigned fills_ = 0;
  std::size_t bytes_per_second_;
  MonotonicTime::duration waited_{};  // for the peer, since its rate was last looked at
  std::uint64_t received_then_ = 0;
};

}  // namespace gatehouse::net
