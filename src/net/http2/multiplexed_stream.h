// One stream of an HTTP/2 connection, both its directions: what has come of its content and is not
// read yet, and what is to be sent next. Servers and clients derive from it; Connection moves the
// bytes.
//
// Nothing here calls back into a handler: what nghttp2 tells is noted, waiting coroutines are made
// ready, and what a closed stream entails is done in a later turn (settle()).
//
// Flow control is the reader's: a piece is given back to the peer's window when the next one is
// asked for, so that at most a window is held.
#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "net/http2/field_list.h"
#include "net/http2/frames.h"
#include "net/link.h"
#include "net/loop.h"

namespace gatehouse::net::http2 {

class Connection;

/// Wakes all who wait; forgets it if nobody does.
class Signal {
 public:
  void wake(Loop& loop) {
    while (Runnable* const waiting = waiting_.front()) loop.schedule(*waiting);
  }
  bool awaited() const { return !waiting_.empty(); }

  class Wait {
   public:
    explicit Wait(Signal& signal) : signal_(signal) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
      resumption_.waiting = waiting;
      signal_.waiting_.push_back(resumption_);
    }
    void await_resume() const noexcept {}

   private:
    Signal& signal_;
    Resumption resumption_;
  };
  Wait operator co_await() { return Wait(*this); }

 private:
  RunQueue waiting_;
};

class MultiplexedStream : public Link {
 public:
  MultiplexedStream() = default;
  virtual ~MultiplexedStream() = default;
  MultiplexedStream(const MultiplexedStream&) = delete;
  MultiplexedStream& operator=(const MultiplexedStream&) = delete;

  std::int32_t id() const { return id_; }
  /// Nothing more comes or goes.
  bool closed() const { return closed_; }
  /// The peer has said its last, in order.
  bool remote_ended() const { return remote_ended_; }
  /// Our last has gone to the peer.
  bool local_ended() const { return local_ended_; }
  FrameError close_code() const { return close_code_; }

  // Called by Connection, from within nghttp2.
  virtual void take_field(std::string_view name, std::string_view value) = 0;
  /// nghttp2 has left out a field that is none.
  virtual void refuse_field() = 0;
  virtual void take_fields_end() = 0;
  void take_data(std::string_view bytes);
  void take_end();
  /// `by_us`: for the peer's fault, or because we wanted no more; the peer had not ended.
  void take_close(FrameError code, bool by_us);
  bool reset_by_us() const { return reset_by_us_; }
  virtual void take_local_end() { local_ended_ = true; }

  // What is sent; called by Connection.
  std::string_view outgoing() const { return piece_; }
  bool outgoing_ended() const { return out_ended_; }
  const http::Headers* trailers() const { return trailers_; }
  void outgoing_deferred() { deferred_ = true; }
  /// The first `bytes` of outgoing() are on their way.
  void outgoing_gone(std::size_t bytes);

  /// The content's next piece, valid until the next call; empty at its end. kTimeout, kExhausted
  /// (longer than allowed), kCorrupt, kCancelled (reset).
  Task<Result<std::string_view>> read_content();
  bool content_ready() const { return !arrived_.empty() || remote_ended_ || failure_.has_value(); }
  /// Reading fails from then on, once what has come is read, and the peer's window stays shut.
  void fail_content(ErrorCode code, std::string_view reason);
  std::optional<ErrorCode> content_failure() const {
    return failure_ ? std::optional(failure_->code) : std::nullopt;
  }
  const http::Headers& received_trailers() const { return received_trailers_; }
  std::uint64_t received() const { return received_; }
  std::uint64_t sent() const { return sent_; }

  /// When a wait for the peer ends at the latest, of the two directions; nullopt while we wait for
  /// nothing of it.
  std::optional<MonotonicTime> waiting_for_content_since() const;
  std::optional<MonotonicTime> waiting_for_window_since() const;
  MonotonicTime last_progress() const;

 protected:
  /// Ready for another stream, with the memory of the last.
  void open(Connection& connection, std::int32_t id);
  /// Gives unread content back to the connection's window.
  void release_content();
  Connection& connection() const { return *connection_; }
  void settle_soon();
  /// In a later turn, after take_close() or settle_soon(). May end the stream.
  virtual void settle() = 0;
  virtual void content_arrived() {}
  virtual void closed_now() {}
  /// How reading content fails that was cut short.
  virtual Error cut_short() const { return {ErrorCode::kCancelled, "the stream was reset"}; }
  void set_id(std::int32_t id) { id_ = id; }

  /// Sends `piece` next, which stays valid until it has gone. Returns when it has, or the stream is
  /// closed.
  void offer(std::string_view piece);
  bool piece_gone() const { return piece_.empty() || closed_; }
  Signal& piece_signal() { return piece_gone_; }
  /// Nothing follows but these trailers, which may be null, else outlive the stream's end.
  void end_outgoing(const http::Headers* trailers);
  /// What was offered is not there any more.
  void withdraw() { piece_ = {}; }
  /// The content that has come, whole.
  std::string take_content();

  http::Headers received_trailers_;
  FieldList fields_;  // of the head that is sent

 private:
  class Settle final : public Runnable {
   public:
    explicit Settle(MultiplexedStream& stream) : stream_(stream) {}
    void run() override { stream_.settle(); }

   private:
    MultiplexedStream& stream_;
  };
  void resume_outgoing();
  void give_back();

  Connection* connection_ = nullptr;
  std::int32_t id_ = 0;
  bool closed_ = false, remote_ended_ = false, local_ended_ = false, reset_by_us_ = false;
  FrameError close_code_ = FrameError::kNoError;

  std::string arrived_, given_;
  std::optional<Error> failure_;
  Signal content_;
  std::uint64_t received_ = 0;
  MonotonicTime content_at_{};

  std::string_view piece_;
  bool out_ended_ = false, deferred_ = false;
  const http::Headers* trailers_ = nullptr;
  Signal piece_gone_;
  std::uint64_t sent_ = 0;
  MonotonicTime gone_at_{};
  Settle settle_{*this};
};

/// Content as a body; the stream outlives it.
class StreamContent final : public http::BodyReader {
 public:
  explicit StreamContent(MultiplexedStream& stream) : stream_(stream) {}
  Task<Result<std::string_view>> read() override { return stream_.read_content(); }
  bool ready() const override { return stream_.content_ready(); }
  const http::Headers& trailers() const override { return stream_.received_trailers(); }

 private:
  MultiplexedStream& stream_;
};

}  // namespace gatehouse::net::http2
