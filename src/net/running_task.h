// A task that runs beside whoever started it and goes with its owner, finished or not; an event to
// wait for its end; and a way to let others have their turn.
#pragma once

#include <coroutine>
#include <optional>
#include <utility>

#include "base/task.h"
#include "net/loop.h"

namespace gatehouse::net {

class RunningTask {
 public:
  RunningTask() = default;
  RunningTask(const RunningTask&) = delete;
  RunningTask& operator=(const RunningTask&) = delete;

  /// Runs the task up to its first wait. If an exception leaves it, `threw` is called while it is
  /// handled: nobody awaits the task who could take it. `threw` must neither throw nor destroy
  /// this.
  template <class Threw>
  void start(Task<void> task, Threw threw) {
    task_.emplace(guarded(std::move(task), std::move(threw)));
    auto awaiter = std::move(*task_).operator co_await();
    awaiter.await_suspend(std::noop_coroutine()).resume();
  }
  /// Destroys it where it waits. Not from within it.
  void stop() { task_.reset(); }

 private:
  template <class Threw>
  static Task<void> guarded(Task<void> task, Threw threw) {
    try {
      co_await std::move(task);
    } catch (...) {
      threw();
    }
  }

  std::optional<Task<void>> task_;
};

/// Happens once. One may wait for it.
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}

  void happen() {
    happened_ = true;
    if (Runnable* const waiting = waiting_.front()) loop_.schedule(*waiting);
  }

  class Wait {
   public:
    explicit Wait(Event& event) : event_(event) {}
    bool await_ready() const noexcept { return event_.happened_; }
    void await_suspend(std::coroutine_handle<> waiting) {
      resumption_.waiting = waiting;
      event_.waiting_.push_back(resumption_);
    }
    void await_resume() const noexcept {}

   private:
    Event& event_;
    Resumption resumption_;
  };
  Wait operator co_await() { return Wait(*this); }

 private:
  Loop& loop_;
  bool happened_ = false;
  RunQueue waiting_;
};

/// `co_await NextTurn(loop)`: goes on in the loop's next turn, after everybody else's.
class NextTurn {
 public:
  explicit NextTurn(Loop& loop) : loop_(loop) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    resumption_.waiting = waiting;
    loop_.schedule(resumption_);
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  Resumption resumption_;
};

}  // namespace gatehouse::net
