// How many connections several pools have open together, and the requests that wait for one: what a
// limit for a whole service, with its several addresses, is held against. Of one loop.
//
// Who finds no room waits in a RoomWait. One waiter, the first, is woken each time that room
// comes: a connection ended, or one that is open may serve another request. It tries again, and
// waits again if it was too late; who leaves without a try wakes the next.
#pragma once

#include <coroutine>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "net/loop.h"

namespace gatehouse::net {

struct ConnectionCounts {
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  std::size_t open_limit = kNoLimit;
  std::size_t waiting_limit = kNoLimit;
  std::size_t open = 0;          // connections, those under way included
  std::size_t waiting = 0;       // requests without a connection yet
  std::size_t open_refused = 0;  // how often a limit struck, since the start
  std::size_t waiting_refused = 0;

  explicit ConnectionCounts(Loop& on) : loop(on) {}

  /// There is room for one more.
  void room_for_one() {
    if (Runnable* const first = queue.front()) loop.schedule(*first);
  }
  /// There may be room for several more.
  void room_for_all() {
    while (Runnable* const first = queue.front()) loop.schedule(*first);
  }

  Loop& loop;
  RunQueue queue;  // of those that wait for room
};

/// A connection's place among them.
class CountedConnection {
 public:
  /// Null: counts nothing.
  explicit CountedConnection(std::shared_ptr<ConnectionCounts> counts)
      : counts_(std::move(counts)) {
    if (counts_) ++counts_->open;
  }
  CountedConnection(CountedConnection&&) = default;
  CountedConnection& operator=(CountedConnection&&) = delete;
  ~CountedConnection() {
    if (!counts_) return;
    --counts_->open;
    counts_->room_for_one();
  }
  ConnectionCounts* counts() const { return counts_.get(); }

 private:
  std::shared_ptr<ConnectionCounts> counts_;
};

/// A request's place among those that wait.
class WaitingRequest {
 public:
  /// nullopt, and counted as refused, if too many wait. Null counts nothing.
  static std::optional<WaitingRequest> enter(ConnectionCounts* counts) {
    if (counts != nullptr && counts->waiting >= counts->waiting_limit) {
      ++counts->waiting_refused;
      return std::nullopt;
    }
    return WaitingRequest(counts);
  }
  WaitingRequest(WaitingRequest&& other) noexcept
      : counts_(std::exchange(other.counts_, nullptr)) {}
  WaitingRequest& operator=(WaitingRequest&&) = delete;
  ~WaitingRequest() {
    if (counts_ != nullptr) --counts_->waiting;
  }

 private:
  explicit WaitingRequest(ConnectionCounts* counts) : counts_(counts) {
    if (counts_ != nullptr) ++counts_->waiting;
  }

  ConnectionCounts* counts_;
};

/// `co_await`: until there may be room, or `deadline`. True: room. `counts` outlives it.
class RoomWait {
 public:
  RoomWait(ConnectionCounts& counts, std::optional<MonotonicTime> deadline)
      : counts_(counts), deadline_(deadline), timer_(counts.loop, [this] { expire(); }) {}
  ~RoomWait() {
    if (!used_) counts_.room_for_one();
  }
  RoomWait(const RoomWait&) = delete;
  RoomWait& operator=(const RoomWait&) = delete;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    resumption_.waiting = waiting;
    counts_.queue.push_back(resumption_);
    if (deadline_) timer_.set(*deadline_);
  }
  bool await_resume() {
    used_ = !expired_;
    return used_;
  }

 private:
  void expire() {
    expired_ = true;
    counts_.loop.schedule(resumption_);
  }

  ConnectionCounts& counts_;
  const std::optional<MonotonicTime> deadline_;
  bool expired_ = false;
  bool used_ = false;  // whatever room there was
  Resumption resumption_;
  Loop::Timer timer_;
};

}  // namespace gatehouse::net
