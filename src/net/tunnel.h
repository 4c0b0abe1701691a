// Joins a client's connection with what its upgrade gave: bytes in both directions, each with an
// end of its own, until both have ended or either breaks. Used by the server; ends both sides.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/task.h"
#include "http/message.h"
#include "net/loop.h"
#include "net/read_buffer.h"
#include "net/running_task.h"
#include "net/stream.h"

namespace gatehouse::net {

class Tunnel {
 public:
  /// Once one side has finished, the other may stay silent for so long at most: its peer will
  /// hardly say more to somebody who has nearly always gone.
  static constexpr std::chrono::milliseconds kHalfClosedIdle{30'000};

  /// `early` holds what the client has sent already. `idle_timeout` 0: none; the same for
  /// `half_closed_idle`.
  Tunnel(Loop& loop, Stream& client, ReadBuffer& early, http::ByteStream& upstream,
         std::chrono::milliseconds idle_timeout,
         std::chrono::milliseconds half_closed_idle = kHalfClosedIdle);

  /// Returns when both directions have ended. What `upstream` throws ends both.
  Task<void> run();
  /// Ends both at once.
  void abort();

  std::uint64_t received() const { return received_; }  // from the client
  std::uint64_t sent() const { return sent_; }
  /// Both sides finished in order.
  bool complete() const { return !aborted_; }
  /// A time-out ended it.
  bool timed_out() const { return timed_out_; }
  /// An exception ended it.
  bool threw() const { return threw_; }

 private:
  Task<void> relay_to_upstream();
  Task<void> relay_to_client();
  /// False at the client's end and when it breaks; `aborted_` tells them apart.
  Task<bool> more_from_client();
  void end_by_exception();
  void progress();
  void one_side_finished();
  void time_out();

  Loop& loop_;
  Stream& client_;
  ReadBuffer& buffer_;
  http::ByteStream& upstream_;
  std::chrono::milliseconds idle_timeout_;
  const std::chrono::milliseconds half_closed_idle_;
  Loop::Timer idle_;
  Event to_client_ended_;
  std::uint64_t received_ = 0, sent_ = 0;
  bool aborted_ = false;
  bool timed_out_ = false;
  bool threw_ = false;
  RunningTask to_client_;  // last: its frame refers to the others
};

}  // namespace gatehouse::net
