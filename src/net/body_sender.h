// Sends a message's body piece by piece: gathers what is short, puts chunks around what has no
// length, lets the kernel move what is long (net/splice.h). For requests and answers alike.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "net/http1/codec.h"
#include "net/loop.h"
#include "net/splice.h"
#include "net/stream.h"

namespace gatehouse::net {

class BodySender {
 public:
  /// Copying that much is cheaper than one more piece in a gathered send, or one more send.
  static constexpr std::size_t kCopiedPiece = 4 * 1024;

  /// What `out` holds, the message's head, goes with the first piece. Each wait for `to` is at most
  /// `idle_timeout` long (0: no limit). `cancellation`, if not null, ends the wait for a piece.
  BodySender(Loop& loop, Stream& to, std::string& out, std::chrono::milliseconds idle_timeout,
             http::Cancellation* cancellation)
      : loop_(loop), to_(to), out_(out), idle_timeout_(idle_timeout), cancellation_(cancellation) {}

  /// Who is to blame: where the body comes from, which includes one that is not as long as it was
  /// said to be (kCorrupt), or where it goes to.
  struct Failure {
    enum class Of { kReading, kSending } of;
    Error error;
  };
  using Sent = Result<void, Failure>;
  /// Whether the last byte of a body with a length is its end, or the body's own word is waited
  /// for.
  enum class End { kLastByte, kOwnWord };
  /// Nothing that is sent looks like a whole message unless it is one. Once.
  Task<Sent> send(http::BodyReader& body, http1::Framing framing, End end);

  /// Bytes of the body that were sent, or were about to be when it failed.
  std::uint64_t sent() const { return sent_; }

 private:
  Task<Sent> move(Splice& splice, http::SocketBytes& source, http1::Framing framing);
  Task<Sent> flush(std::string_view piece = {}, std::string_view behind = {});
  /// Counts bytes that are about to be sent.
  Sent count(std::size_t bytes, const http1::Framing& framing);

  Loop& loop_;
  Stream& to_;
  std::string& out_;
  std::chrono::milliseconds idle_timeout_;
  http::Cancellation* cancellation_;
  std::uint64_t sent_ = 0;
};

}  // namespace gatehouse::net
