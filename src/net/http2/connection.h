// What a server's and a client's HTTP/2 connection have in common: nghttp2's session as a state
// machine between a byte stream and the multiplexed streams. Reads what is there, looks at the
// frames before nghttp2 does, gathers what is to be sent into one send a turn, ends in order.
//
// States: open → closing (GOAWAY is out, or the peer is gone: every stream is closed, what is left
// is sent, the peer may read it) → ended. No input buffer is held between reads and no output
// buffer while nothing waits to be sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/task.h"
#include "net/http2/frame_watch.h"
#include "net/http2/multiplexed_stream.h"
#include "net/http2/session.h"
#include "net/loop.h"
#include "net/running_task.h"
#include "net/spare.h"
#include "net/stream.h"

namespace gatehouse::net::http2 {

struct Callbacks;

/// Memory that all connections of one server or client use in turn.
class Buffers {
 public:
  std::span<char> input() { return {input_.get(), kInput}; }
  std::unique_ptr<std::string> take_output() { return outputs_.take(); }
  void give_output(std::unique_ptr<std::string> output);

 private:
  static constexpr std::size_t kInput = 64 * 1024;
  static constexpr std::size_t kKeptOutput = 256 * 1024;
  static constexpr std::size_t kSpareOutputs = 64;

  std::unique_ptr<char[]> input_ = std::make_unique_for_overwrite<char[]>(kInput);
  Spare<std::string> outputs_{kSpareOutputs};
};

/// SETTINGS that we send, and how much of the peer's content the connection may hold.
struct LocalSettings {
  std::uint32_t streams = 100;
  std::uint32_t stream_window = 256 * 1024;
  std::uint32_t connection_window = 4 * 1024 * 1024;
  std::uint32_t header_list_bytes = 64 * 1024;
};

class Connection : private Runnable {
 public:
  virtual ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // For the streams.
  Loop& loop() const { return loop_; }
  MonotonicTime now() const { return loop_.now(); }
  /// A head without content behind it, or with what the stream will offer.
  enum class Content { kNone, kFollows };
  void submit_answer(MultiplexedStream& stream, const FieldList& fields, Content content);
  /// A head that is not the last: 100 (Continue).
  void submit_interim(MultiplexedStream& stream, const FieldList& fields);
  /// The new stream's id; negative if the connection takes no more.
  std::int32_t submit_request(MultiplexedStream& stream, const FieldList& fields, Content content);
  void reset(const MultiplexedStream& stream, FrameError code);
  void resume_data(const MultiplexedStream& stream);
  void give_back_window(const MultiplexedStream& stream, std::size_t bytes);
  /// At this turn's end, with all else that is to be sent.
  void send_soon() { loop_.schedule(*this); }
  /// Takes what the streams offer as far as the output has room, so that they can offer more.
  void gather();

 protected:
  using Side = FrameWatch::Side;
  Connection(Loop& loop, std::unique_ptr<Stream> stream, Buffers& buffers, Side side,
             const FrameWatch::Limits& limits, const LocalSettings& settings);

  /// Serves until the connection has ended; `early` has been read already.
  Task<void> run(std::string early);
  /// GOAWAY with that code; no stream survives it.
  void terminate(FrameError code);
  /// GOAWAY that lets the peer finish what is under way: the announcement, then the last word.
  void announce_end();
  void refuse_new_streams();
  /// Ends the connection in order once everything is sent.
  void end_soon();
  /// At once, with a reset.
  void break_off();
  /// kCancel for all that are open.
  void close_streams();

  Stream& bytes() { return *stream_; }
  LinkedList<MultiplexedStream>& streams() { return streams_; }
  nghttp2_session* session() const { return session_.get(); }
  FrameWatch& watch() { return watch_; }
  bool ending() const { return ending_; }
  /// Since when the peer has left a header block, or a frame but DATA, unfinished.
  std::optional<MonotonicTime> within_since() const { return within_since_; }
  /// Since when nothing of what is to be sent has gone.
  std::optional<MonotonicTime> blocked_since() const { return blocked_since_; }
  bool settings_received() const { return settings_received_; }

  // What nghttp2 tells.
  /// A stream that the peer opens; null refuses it.
  virtual MultiplexedStream* stream_began(std::int32_t /*id*/) { return nullptr; }
  virtual void stream_closed(std::int32_t /*id*/, bool /*reset_by_us*/) {}
  virtual void ping_acknowledged() {}
  virtual void goaway_received(std::int32_t /*last_stream*/) {}
  virtual void settings_changed() {}
  /// A stream was reset for a fault of the peer.
  virtual void fault_was_reset() {}
  virtual std::optional<FrameWatch::Fault> check_stream(const FrameHead& /*frame*/) { return {}; }
  virtual void fault_found(const FrameWatch::Fault& /*fault*/) {}
  virtual void fed() {}
  /// The byte stream has ended; streams that are not settled may be left.
  virtual void run_ended() = 0;

 private:
  friend struct Callbacks;

  void make_session(Side side);
  void send_settings(Side side, const LocalSettings& settings);
  void run() override { flush(); }
  void flush();
  void write();
  bool output_is_full() const;
  bool output_is_empty() const { return !output_ || written_ == output_->size(); }
  void append_output(std::string_view bytes);
  void release_output();
  Task<void> drain_output();
  bool feed(std::string_view bytes);
  bool give(std::string_view bytes);
  void find_fault(const FrameWatch::Fault& fault);
  Task<void> close();
  Task<void> linger();

  Loop& loop_;
  std::unique_ptr<Stream> stream_;
  Buffers& buffers_;
  SessionPtr session_;
  FrameWatch watch_;
  std::uint32_t stream_limit_;
  LinkedList<MultiplexedStream> streams_;
  MultiplexedStream* current_ = nullptr;  // whose header block comes
  std::unique_ptr<std::string> output_;
  std::size_t written_ = 0;
  std::optional<MonotonicTime> blocked_since_, within_since_;
  bool first_frame_ = true;  // none of ours has gone
  bool ending_ = false, broken_ = false, closing_ = false;
  bool settings_received_ = false;
  RunningTask writer_;
};

}  // namespace gatehouse::net::http2
