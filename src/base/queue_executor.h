// An executor whose queue is run by hand, on the thread that asks for it: for tests and commands
// that need no event loop.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "base/executor.h"
#include "base/task.h"

namespace gatehouse {

/// post() is thread-safe; all else belongs to one thread.
class QueueExecutor final : public Executor {
 public:
  void post(std::move_only_function<void()> work) override {
    // Notifies under the lock: once the work can be taken, this executor may be gone.
    const std::scoped_lock lock(mutex_);
    queue_.push_back(std::move(work));
    ready_.notify_one();
  }

  /// Runs what is queued until nothing is; returns how many ran.
  std::size_t run_ready() {
    std::size_t count = 0;
    while (auto work = take(Wait::kNo)) {
      (*work)();
      ++count;
    }
    return count;
  }

  /// Runs what is or will be queued until `reached()`.
  template <class Condition>
  void run_until(Condition reached) {
    while (!reached()) (*take(Wait::kYes))();
  }

  /// Runs until the task is finished, and gives its value.
  template <class T>
  T wait(Task<T> task) {
    std::optional<T> out;
    spawn(std::move(task), [&out](T value) { out.emplace(std::move(value)); });
    run_until([&out] { return out.has_value(); });
    return std::move(*out);
  }

 private:
  enum class Wait { kNo, kYes };

  std::optional<std::move_only_function<void()>> take(Wait wait) {
    std::unique_lock lock(mutex_);
    if (wait == Wait::kYes) ready_.wait(lock, [this] { return !queue_.empty(); });
    if (queue_.empty()) return std::nullopt;
    std::optional work(std::move(queue_.front()));
    queue_.pop_front();
    return work;
  }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::move_only_function<void()>> queue_;
};

}  // namespace gatehouse
