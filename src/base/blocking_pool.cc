#include "base/blocking_pool.h"

#include <pthread.h>

namespace gatehouse {

BlockingPool::BlockingPool(Options options) : options_(std::move(options)) {
  threads_.reserve(options_.threads);
  for (std::size_t i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this] {
      pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());
      serve();
    });
  }
}

BlockingPool::~BlockingPool() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
}

bool BlockingPool::submit(std::move_only_function<void()> job) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_ || queue_.size() >= options_.queue_limit) return false;
    queue_.push_back(std::move(job));
  }
  ready_.notify_one();
  return true;
}

std::size_t BlockingPool::queued() const {
  const std::scoped_lock lock(mutex_);
  return queue_.size();
}

Error BlockingPool::full() const {
  return {ErrorCode::kExhausted, "the queue of " + options_.name + " is full; try again later"};
}

void BlockingPool::serve() {
  for (;;) {
    std::move_only_function<void()> job;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job();
  }
}

}  // namespace gatehouse
