// Task<T>: a coroutine that starts when it is awaited and gives one T to the one who awaits it.
//
// The frame belongs to the Task; destroying a Task that has not finished destroys its locals and
// whatever they await. A Task runs and ends on the thread that awaits it; it comes back there from
// other threads through an Executor. Exceptions pass through to the awaiter.
//
// One co_await a statement, its result in a named local: compilers have had faults with more.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "base/thread_memory.h"

namespace gatehouse {

template <class T>
class Task;

namespace task_detail {

struct PromiseBase {
  static void* operator new(std::size_t size) { return ThreadMemory::take(size); }
  static void operator delete(void* frame, std::size_t size) noexcept {
    ThreadMemory::give(frame, size);
  }

  std::coroutine_handle<> continuation = std::noop_coroutine();

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      return self.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
};

template <class T>
struct Promise final : PromiseBase {
  std::variant<std::monostate, T, std::exception_ptr> outcome;

  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& value) {
    outcome.template emplace<1>(std::forward<U>(value));
  }
  void unhandled_exception() noexcept { outcome.template emplace<2>(std::current_exception()); }
  T take() {
    if (outcome.index() == 2) std::rethrow_exception(std::get<2>(outcome));
    return std::move(std::get<1>(outcome));
  }
};

template <>
struct Promise<void> final : PromiseBase {
  std::exception_ptr exception;

  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { exception = std::current_exception(); }
  void take() const {
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace task_detail

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = task_detail::Promise<T>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    Task moved(std::move(other));
    std::swap(handle_, moved.handle_);
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      std::coroutine_handle<promise_type> handle;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
        handle.promise().continuation = awaiting;
        return handle;
      }
      T await_resume() const { return handle.promise().take(); }
    };
    return Awaiter{handle_};
  }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

namespace task_detail {

template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

/// A coroutine that owns itself. An exception that leaves it ends the process: nobody is there to
/// take it.
struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

}  // namespace task_detail

/// Starts the task now and lets it end by itself; its frame goes when it is done.
inline void spawn(Task<void> task) {
  [](Task<void> owned) -> task_detail::Detached { co_await std::move(owned); }(std::move(task));
}

/// Starts the task now and calls `done(T)` when it is finished.
template <class T, class Done>
void spawn(Task<T> task, Done done) {
  [](Task<T> owned, Done call) -> task_detail::Detached {
    T value = co_await std::move(owned);
    call(std::move(value));
  }(std::move(task), std::move(done));
}

/// Runs a task that never waits for anything outside it, as with stores in memory: for tests and
/// commands. nullopt if it did wait; it is then destroyed.
template <class T>
std::optional<T> run_now(Task<T> task) {
  std::optional<T> out;
  auto wrapper = [](Task<T> owned, std::optional<T>& result) -> Task<void> {
    T value = co_await std::move(owned);
    result.emplace(std::move(value));
  };
  Task<void> wrapped = wrapper(std::move(task), out);
  auto awaiter = std::move(wrapped).operator co_await();
  awaiter.await_suspend(std::noop_coroutine()).resume();
  if (!awaiter.handle.done()) return std::nullopt;
  awaiter.await_resume();
  return out;
}

}  // namespace gatehouse
