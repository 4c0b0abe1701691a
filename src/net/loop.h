// An event loop: one thread, edge-triggered epoll, timers, messages from other threads.
//
// Everything made on a loop lives, runs and dies on that loop's thread. The only thread-safe calls
// are post() and stop(). Coroutines suspend in the awaitables of this folder and are resumed by the
// loop, never inside the call that makes them ready.
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

namespace gatehouse::net {

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

  const Clock& clock() const;
  /// The time at the start of this turn: cheap, and as exact as the timers are.
  MonotonicTime now() const;

  /// Watches `fd`, edge-triggered, for reading, writing and hang-up until forget().
  Result<void> watch(int fd, EventListener& listener);
  void forget(int fd);

  /// A timer in the wheel: coarse (8 ms), cheap to move. Moving it later costs one store; it fires
  /// once, then rests until set again. Disarmed by its destructor.
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

  /// `co_await loop.sleep(…)`
  Task<void> sleep(std::chrono::milliseconds delay);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse::net
