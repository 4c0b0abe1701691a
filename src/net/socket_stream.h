// A Stream over a connected TCP socket; TlsStream puts TLS on top of it.
//
// Whether it is worth trying is known from the edges that epoll reported: a direction is open until
// a call says otherwise, and again after the next edge. A read that gave less than it was asked for
// has emptied the socket, so the next one is skipped until the edge that new bytes bring; except
// once the peer has hung up, because that edge has been told already and no other follows.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/address_counts.h"
#include "net/file_descriptor.h"
#include "net/loop.h"
#include "net/stream.h"

namespace gatehouse::net {

/// Closes a connection so that its peer is told that it was broken off.
void reset(FileDescriptor socket);

class SocketStream : public Stream, private EventListener {
 public:
  /// Takes a non-blocking socket that is connected, or connecting. kExhausted if it cannot be
  /// watched.
  static Result<std::unique_ptr<SocketStream>> make(Loop& loop, FileDescriptor socket,
                                                    bool connecting);
  ~SocketStream() override;
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

  IoResult try_read(std::span<char> into) override;
  IoResult try_write(std::span<const iovec> pieces) override;
  bool splices() const override { return true; }
  IoResult splice_into(int pipe, std::size_t limit) override;
  IoResult splice_from(int pipe, std::size_t bytes) override;
  void finish() override;
  void set_deadline(Direction direction, std::optional<MonotonicTime> at) override;
  void abort() override;
  bool broken() const override { return hung_up_ || gone(); }
  bool gone() const override {
    return gone_ || aborted_ || sides_.front().failed || sides_.back().failed;
  }
  void on_hang_up(std::move_only_function<void()> call) override;
  int fd() const override { return socket_.get(); }

  /// Puts back what was read too much: the next reads get it first. Nothing may be put back
  /// already.
  void put_back(std::string_view bytes);
  /// For another stream to take over: the socket, what was put back, the place. Nobody may wait;
  /// this stream is of no more use.
  struct Detached {
    FileDescriptor socket;
    std::string put_back;
    AddressCounts::Place place;
  };
  Detached detach();
  /// Kept as long as this stream: the client's place among the connections of its address.
  void keep(AddressCounts::Place place) { place_ = std::move(place); }

 protected:
  SocketStream(Loop& loop, FileDescriptor socket, bool connecting);
  Result<void> start();

  bool wait_is_over(Direction direction) const override;
  void suspend(Direction direction, Resumption& waiting) override;
  Result<void> outcome(Direction direction) override;

  /// One recv or sendmsg, with the bookkeeping of edges.
  IoResult receive(std::span<char> into);
  IoResult send(std::span<const iovec> pieces);
  /// Of what a direction needs the socket for: TLS may have to write in order to read.
  void set_needs(Direction direction, Direction needed) { side(direction).needs = needed; }
  /// True while a try may get on whatever the socket does, because of what was read from it before.
  void set_at_hand(Direction direction, bool at_hand) { side(direction).at_hand = at_hand; }
  /// Nothing can have come yet: saves the first call in vain. What has come is told by an edge.
  void expect_nothing_yet() { side(Direction::kRead).open = false; }
  /// The socket has room again. Must not end the stream.
  virtual void on_writable() {}
  /// From here on nothing works, and whoever waits is told so.
  void break_off();
  bool aborted() const { return aborted_; }
  Loop& loop() const { return loop_; }

 private:
  struct Side {
    explicit Side(Direction own) : needs(own) {}
    bool open = true;     // the socket's: a try may get on
    bool failed = false;  // none will
    bool at_hand = false;
    Direction needs;
    std::optional<MonotonicTime> deadline;
    RunQueue waiting;  // one at most
  };
  class HangUpCall final : public Runnable {
   public:
    std::move_only_function<void()> call;
    void run() override {
      // Moved out first: the call may destroy the stream, and this with it.
      if (auto now = std::exchange(call, nullptr)) now();
    }
  };

  Side& side(Direction direction) { return sides_[static_cast<std::size_t>(direction)]; }
  const Side& side(Direction direction) const {
    return sides_[static_cast<std::size_t>(direction)];
  }
  bool expired(const Side& side) const { return side.deadline && loop_.now() >= *side.deadline; }
  void on_events(std::uint32_t events) override;
  void open(Direction direction);
  void resume(Side& side);
  void on_timer();
  void arm_timer();
  /// What a call that reads has given: bytes, 0 at the end, -1 and errno.
  IoResult outcome_of_reading(ssize_t count);
  IoResult blocked_or_failed(Side& side);

  IoResult take_put_back(std::span<char> into);

  Loop& loop_;
  FileDescriptor socket_;
  std::unique_ptr<std::string> put_back_;  // not empty
  AddressCounts::Place place_;
  std::array<Side, 2> sides_{Side(Direction::kRead), Side(Direction::kWrite)};
  bool hung_up_ = false;  // the peer has finished sending, or is gone
  bool gone_ = false;
  bool aborted_ = false;
  bool finished_ = false;
  HangUpCall hang_up_call_;
  Loop::Timer timer_;
};

}  // namespace gatehouse::net
