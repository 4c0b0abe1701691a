// Writes one answer: decides its framing, gathers its head with what is there of its body into one
// send, and streams the rest piece by piece. Used by a server's connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "net/body_sender.h"
#include "net/http1/codec.h"
#include "net/loop.h"
#include "net/pieces.h"
#include "net/stream.h"

namespace gatehouse::net {

class AnswerWriter {
 public:
  /// `out` is scratch memory, empty. `cancellation` ends the wait for a body's next piece.
  AnswerWriter(Loop& loop, Stream& stream, std::string& out, std::chrono::milliseconds idle_timeout,
               http::Cancellation& cancellation)
      : loop_(loop),
        stream_(stream),
        out_(out),
        idle_timeout_(idle_timeout),
        sender_(loop, stream, out, idle_timeout, &cancellation) {}

  /// Says how the answer's body will end. Puts a Content-Length into the headers of an answer to
  /// HEAD if it is known. kUntilClose: the connection cannot stay open.
  http1::Framing frame(const http::Request& request, http::Response& response);

  /// Of an answer whose body is whole: writes the head, and gives all that is to be sent. A short
  /// body is put behind the head.
  Pieces whole(const http::Response& response, const http1::Framing& framing, bool keep_alive,
               http::Version version);

  /// Sends what is left of such an answer, whose body has that many bytes. An error, here and
  /// below: it went out in part or not at all, and the connection must be reset so that it does not
  /// look whole.
  Task<Result<void>> write_rest(Pieces& unsent, std::uint64_t body_bytes);
  /// Sends an answer whose body is a stream.
  Task<Result<void>> write_stream(http::Response& response, http1::Framing framing, bool keep_alive,
                                  http::Version version);

  /// Bytes of the body that were sent.
  std::uint64_t sent() const { return whole_ + sender_.sent(); }

 private:
  Loop& loop_;
  Stream& stream_;
  std::string& out_;
  std::chrono::milliseconds idle_timeout_;
  BodySender sender_;
  bool without_body_ = false;
  std::uint64_t whole_ = 0;  // of a body that was sent whole
};

}  // namespace gatehouse::net
