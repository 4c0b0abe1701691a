// One connection of bytes, plain TCP or TLS, non-blocking: try first, wait only if there is
// nothing.
//
// The hot path is try_read()/try_write(), which make one system call and no allocation; readable()
// and writable() suspend until it is worth trying again, a deadline passes or the stream is
// aborted. One reader and one writer may wait at a time. A waiting coroutine may be destroyed
// before its stream.
//
// How it ends. The peer may finish sending (FIN, close_notify) and still read: reading gives kEnd,
// writing goes on. HTTP peers that finish have nearly always closed, and the kernel cannot tell the
// one from the other before something is sent; so on_hang_up() tells either, and gone() says that
// writing is vain too. finish() ends our own direction in order; destroying the stream closes the
// socket; abort() resets the connection, so that the peer cannot take what came for the whole.
#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
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
    kFailed,      // reset, broken TLS, aborted: the stream is of no more use
  };
  Kind kind = Kind::kDone;
  std::size_t bytes = 0;
};

class Stream {
 public:
  virtual ~Stream() = default;

  /// One system call at most: none while nothing has come since the last read that gave less than
  /// it was asked for.
  virtual IoResult try_read(std::span<char> into) = 0;
  /// Gathers; may send a part. After kWouldBlock offer the same bytes again, with or without more:
  /// TLS may have sealed the first of them. No system call while the kernel has said that its
  /// buffer is full.
  virtual IoResult try_write(std::span<const iovec> pieces) = 0;
  /// Whether splice_into() and splice_from() work: bytes go through this stream as they are.
  virtual bool splices() const { return false; }
  /// As try_read(), into a pipe that is empty, within the kernel.
  virtual IoResult splice_into([[maybe_unused]] int pipe, [[maybe_unused]] std::size_t limit) {
    return {IoResult::Kind::kFailed};
  }
  /// As try_write(), of `bytes` that lie in a pipe.
  virtual IoResult splice_from([[maybe_unused]] int pipe, [[maybe_unused]] std::size_t bytes) {
    return {IoResult::Kind::kFailed};
  }
  /// Half-close: FIN, or close_notify and FIN.
  virtual void finish() = 0;

  enum class Direction { kRead, kWrite };

  class Wait {
   public:
    Wait(Stream& stream, Direction direction) : stream_(stream), direction_(direction) {}
    bool await_ready() const noexcept { return stream_.wait_is_over(direction_); }
    void await_suspend(std::coroutine_handle<> waiting) {
      resumption_.waiting = waiting;
      stream_.suspend(direction_, resumption_);
    }
    Result<void> await_resume() { return stream_.outcome(direction_); }

   private:
    Stream& stream_;
    const Direction direction_;
    Resumption resumption_;
  };
  /// `co_await stream.readable()`: suspends until try_read() may get on, which includes kEnd.
  /// Does not wait if no try has found nothing yet, so it may end in vain: try, and wait again.
  /// kTimeout (the deadline has passed), kCancelled (aborted), kUnavailable (reset, broken TLS).
  Wait readable() { return {*this, Direction::kRead}; }
  Wait writable() { return {*this, Direction::kWrite}; }

  /// From then on a wait in that direction fails with kTimeout, even if there is something to read:
  /// who drips does not get longer. Moving it later costs one store. nullopt: none, as at first.
  virtual void set_deadline(Direction direction, std::optional<MonotonicTime> at) = 0;

  /// Ends both directions at once, with a reset: pending and later waits fail with kCancelled. What
  /// the kernel has not sent yet is lost. Idempotent.
  virtual void abort() = 0;
  /// True once the peer has closed or reset, or abort() was called: a pooled connection is then of
  /// no more use.
  virtual bool broken() const = 0;
  /// True once nothing that is written can reach the peer: reset, closed both ways, or aborted.
  virtual bool gone() const = 0;
  /// `call` is run by the loop, once, after the peer has finished sending, closed or reset; soon if
  /// that has been already; never after abort() or the stream's end. It may destroy the stream. A
  /// later call takes the place of an earlier one; an empty one takes it back.
  virtual void on_hang_up(std::move_only_function<void()> call) = 0;

  /// For socket options and logs; -1 after abort().
  virtual int fd() const = 0;
  /// "" for plain TCP; "h2" or "http/1.1" when ALPN chose.
  virtual std::string_view protocol() const { return ""; }
  /// SNI that the client sent, lower case; empty if none or plain.
  virtual std::string_view server_name() const { return ""; }
  virtual bool secure() const { return false; }

 protected:
  virtual bool wait_is_over(Direction direction) const = 0;
  /// Parks `waiting` until the wait is over; takes it for granted that it is not.
  virtual void suspend(Direction direction, Resumption& waiting) = 0;
  virtual Result<void> outcome(Direction direction) = 0;
};

/// Writes all, waiting where needed.
Task<Result<void>> write_all(Stream& stream, std::string_view bytes);

/// An address to listen on or connect to: "127.0.0.1:8080", "[::1]:0", ":8080" (all addresses).
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  std::string str() const;
};
/// kInvalid, with what was wrong. A host is an IP address, in brackets if IPv6, or empty.
Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace gatehouse::net
