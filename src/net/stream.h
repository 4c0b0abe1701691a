// One connection of bytes, plain TCP or TLS, non-blocking: try first, wait only if there is nothing.
//
// The hot path is try_read()/try_write(), which make one system call and no allocation; readable()
// and writable() suspend until it is worth trying again, a deadline passes or the stream is aborted.
// One reader and one writer may wait at a time.
#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "net/loop.h"

namespace gatehouse::net {

/// The outcome of one try.
struct IoResult {
  enum class Kind {
    kDone,        // `bytes` went; more than zero
    kWouldBlock,  // wait with readable() or writable(), as the call was
    kEnd,         // reading: the peer has finished, in order
    kFailed,      // reset, broken TLS, aborted, past the deadline: the stream is of no more use
  };
  Kind kind = Kind::kDone;
  std::size_t bytes = 0;
};

class Stream {
 public:
  virtual ~Stream() = default;

  virtual IoResult try_read(std::span<char> into) = 0;
  /// Gathers; may send a part.
  virtual IoResult try_write(std::span<const iovec> pieces) = 0;
  /// Half-close: FIN, or close_notify and FIN.
  virtual void finish() = 0;

  enum class Direction { kRead, kWrite };

  /// Suspends until try_read()/try_write() may get on. kTimeout, kCancelled, kUnavailable (reset).
  struct Wait {
    Stream& stream;
    Direction direction;
    bool await_ready() const noexcept { return stream.wait_is_over(direction); }
    void await_suspend(std::coroutine_handle<> waiting) { stream.suspend(direction, waiting); }
    Result<void> await_resume() { return stream.outcome(direction); }
  };
  Wait readable() { return {*this, Direction::kRead}; }
  Wait writable() { return {*this, Direction::kWrite}; }

  /// From then on a wait in that direction fails with kTimeout. nullopt: none.
  virtual void set_deadline(Direction direction, std::optional<MonotonicTime> at) = 0;

  /// Ends both directions at once: pending and later waits fail with kCancelled. Idempotent.
  virtual void abort() = 0;
  /// True once the peer has closed or reset, or abort() was called: a pooled connection is then of
  /// no more use.
  virtual bool broken() const = 0;

  virtual int fd() const = 0;
  /// "" for plain TCP; "h2" or "http/1.1" when ALPN chose.
  virtual std::string_view protocol() const { return ""; }
  /// SNI that the client sent, lower case; empty if none or plain.
  virtual std::string_view server_name() const { return ""; }
  virtual bool secure() const { return false; }

 protected:
  virtual bool wait_is_over(Direction direction) const = 0;
  virtual void suspend(Direction direction, std::coroutine_handle<> waiting) = 0;
  virtual Result<void> outcome(Direction direction) = 0;
};

/// Writes all pieces, waiting where needed.
Task<Result<void>> write_all(Stream& stream, std::string_view bytes);

/// An address to listen on or connect to: "127.0.0.1:8080", "[::1]:0", ":8080" (all addresses).
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  std::string str() const;
};
Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace gatehouse::net
