// Threads for what blocks or computes long: password hashes, SQL, files.
//
// The queue is bounded. When it is full, run() fails at once with kExhausted, so that logins get a
// 503 while the event loops go on. Used by identity (hashes) and by store/ (a pool of one thread
// around a database).
#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/executor.h"
#include "base/result.h"
#include "base/task.h"

namespace gatehouse {

class BlockingPool {
 public:
  struct Options {
    std::string name;  // of its threads, and in its errors
    std::size_t threads = 1;
    std::size_t queue_limit = 1024;  // jobs that wait
  };

  explicit BlockingPool(Options options);
  /// Finishes what is queued, then joins.
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// False if the queue is full or the pool is stopping; the job is then dropped. Thread-safe. The
  /// job must not throw.
  bool submit(std::move_only_function<void()> job);

  /// Runs `work` on a thread of the pool and gives its value back on `home`, where the awaiter must
  /// be running. `work` returns Result<U>; a full queue is kExhausted; what it throws reaches the
  /// awaiter. `work` is destroyed on the pool's thread, before the awaiter goes on. If the awaiter
  /// is destroyed meanwhile, the work is done all the same and its value dropped. `home` must
  /// outlive the pool.
  template <class Work, class R = std::invoke_result_t<Work&>>
  Task<R> run(Executor& home, Work work);

  std::size_t queued() const;

 private:
  template <class Work, class R>
  struct Call;
  template <class Work, class R>
  struct Awaiter;

  void serve();
  Error full() const;

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::move_only_function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

/// One call of run(). The awaiter and the job on the thread share it, because the awaiter's frame
/// may be destroyed while the job is under way. `awaiting` is touched on the home thread alone.
template <class Work, class R>
struct BlockingPool::Call {
  std::optional<Work> work;
  std::optional<R> result;
  std::exception_ptr exception;
  std::coroutine_handle<> awaiting;

  void perform() noexcept {
    try {
      result.emplace((*work)());
    } catch (...) {
      exception = std::current_exception();
    }
    work.reset();
  }
};

template <class Work, class R>
struct BlockingPool::Awaiter {
  BlockingPool& pool;
  Executor& home;
  std::shared_ptr<Call<Work, R>> call;

  Awaiter(BlockingPool& on, Executor& back_to, Work work)
      : pool(on), home(back_to), call(std::make_shared<Call<Work, R>>()) {
    call->work.emplace(std::move(work));
  }
  Awaiter(const Awaiter&) = delete;
  Awaiter& operator=(const Awaiter&) = delete;
  ~Awaiter() { call->awaiting = nullptr; }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> awaiting) {
    call->awaiting = awaiting;
    const bool accepted = pool.submit([shared = call, &executor = home]() mutable {
      shared->perform();
      executor.post([finished = std::move(shared)] {
        if (finished->awaiting) finished->awaiting.resume();
      });
    });
    if (!accepted) call->result.emplace(std::unexpected(pool.full()));
    return accepted;
  }
  R await_resume() {
    if (call->exception) std::rethrow_exception(call->exception);
    return std::move(*call->result);
  }
};

template <class Work, class R>
Task<R> BlockingPool::run(Executor& home, Work work) {
  Awaiter<Work, R> awaiter(*this, home, std::move(work));
  R value = co_await awaiter;
  co_return value;
}

}  // namespace gatehouse
