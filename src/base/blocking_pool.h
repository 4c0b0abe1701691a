// Threads for what blocks or computes long: password hashes, SQL, files.
//
// The queue is bounded. When it is full, run() fails at once with kExhausted, so that logins get a
// 503 while the event loops go on. Used by identity (hashes) and by store/ (a pool of one thread
// around a database).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
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
    std::string name;               // of its threads, and in its errors
    std::size_t threads = 1;
    std::size_t queue_limit = 1024;  // jobs that wait
  };

  explicit BlockingPool(Options options);
  /// Finishes what is queued, then joins.
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// False if the queue is full or the pool is stopping; the job is then dropped. Thread-safe.
  bool submit(std::move_only_function<void()> job);

  /// Runs `work` on a thread of the pool and gives its value back on `home`, where the awaiter must
  /// be running. `work` returns Result<U>; a full queue is kExhausted. `home` must outlive the call.
  template <class Work, class R = std::invoke_result_t<Work&>>
  Task<R> run(Executor& home, Work work);

  std::size_t queued() const;

 private:
  void serve();

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::move_only_function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

template <class Work, class R>
Task<R> BlockingPool::run(Executor& home, Work work) {
  struct Awaiter {
    BlockingPool& pool;
    Executor& home;
    Work& work;
    std::optional<R> result;

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> awaiting) {
      const bool accepted = pool.submit([this, awaiting] {
        result.emplace(work());
        home.post([awaiting] { awaiting.resume(); });
      });
      if (!accepted) {
        result.emplace(fail(ErrorCode::kExhausted,
                            "the queue of " + pool.options_.name + " is full; try again later"));
      }
      return accepted;
    }
    R await_resume() { return std::move(*result); }
  };
  Awaiter awaiter{*this, home, work, std::nullopt};
  R value = co_await awaiter;
  co_return value;
}

}  // namespace gatehouse
