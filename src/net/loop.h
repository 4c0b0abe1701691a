// An event loop: one thread, edge-triggered epoll, timers, messages from other threads.
//
// Everything made on a loop lives, runs and dies on that loop's thread, and before the loop. The
// only thread-safe calls are post() and stop(). Coroutines suspend in the awaitables of this folder
// and are resumed by the loop, never inside the call that makes them ready.
//
// A turn: wait for events; tell their listeners; fire timers; run what was posted; run what was
// made ready. What these make ready runs in the next turn, so that nothing starves the sockets.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "base/task.h"
#include "net/link.h"

namespace gatehouse::net {

/// What a loop can run in a later turn. Lies in at most one queue; leaves it when destroyed, so
/// that whoever owns one may go at any time. Costs no allocation.
class Runnable : public Link {
 public:
  virtual void run() = 0;

 protected:
  ~Runnable() = default;
};
using RunQueue = LinkedList<Runnable>;

/// A suspended coroutine; lies in its frame. Awaitables park it in a queue of their own and hand it
/// to Loop::schedule() when its time has come.
class Resumption final : public Runnable {
 public:
  std::coroutine_handle<> waiting;
  void run() override { waiting.resume(); }
};

/// What a file descriptor on a loop is told. Not owned by the loop.
class EventListener {
 public:
  virtual ~EventListener() = default;
  /// `events` as epoll gives them (EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR).
  virtual void on_events(std::uint32_t events) = 0;
};

class Loop final : public Executor {
 public:
  explicit Loop(const Clock& clock);
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Serves until stop(). Call on the thread that owns the loop.
  void run();
  /// Thread-safe: run() returns after the current turn.
  void stop();
  /// Thread-safe: runs `work` on this loop in a later turn.
  void post(std::move_only_function<void()> work) override;

  /// Runs `runnable` in a later turn, if it is still there then; takes it out of the queue that it
  /// is in. Twice is once.
  void schedule(Runnable& runnable);
  /// Starts the task now. The loop owns it: if it has not ended when the loop goes, its frame goes
  /// then. For tasks that use nothing that goes before the loop.
  void spawn(Task<void> task);

  const Clock& clock() const;
  /// The time at the start of this turn: cheap, and as exact as the timers are. Outside run(), the
  /// clock's time.
  MonotonicTime now() const;

  /// Watches `fd`, edge-triggered, for reading, writing and hang-up until forget(). One listener a
  /// descriptor. kExhausted if the system has no room for more.
  Result<void> watch(int fd, EventListener& listener);
  /// Before the descriptor is closed. No event of it is told from then on, not even one that has
  /// been fetched already.
  void forget(int fd);

  /// A timer in the wheel: coarse (8 ms), cheap to move. Moving it later costs one store; it fires
  /// once, then rests until set again. Disarmed by its destructor, which its own call may run too.
  /// A time that has passed fires in the next tick. Setting one again within its call is as good.
  class Timer {
   public:
    Timer(Loop& loop, std::move_only_function<void()> fire);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    void set(MonotonicTime at);
    void set_after(std::chrono::milliseconds delay);
    void cancel();
    bool armed() const;

   private:
    friend class Loop;
    struct State;
    std::unique_ptr<State> state_;
  };

  /// `co_await loop.sleep(…)`; destroying the task before its end is as good.
  Task<void> sleep(std::chrono::milliseconds delay);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse::net
