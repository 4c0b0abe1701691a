// Objects that are dear to make and soon needed again, kept for the next one on this loop.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace gatehouse::net {

template <class T>
class Spare {
 public:
  /// Keeps `limit` at most; more are freed.
  explicit Spare(std::size_t limit) : limit_(limit) {}

  std::unique_ptr<T> take() {
    if (kept_.empty()) return std::make_unique<T>();
    std::unique_ptr<T> last = std::move(kept_.back());
    kept_.pop_back();
    return last;
  }
  void give(std::unique_ptr<T> object) {
    if (object && kept_.size() < limit_) kept_.push_back(std::move(object));
  }

 private:
  std::size_t limit_;
  std::vector<std::unique_ptr<T>> kept_;
};

}  // namespace gatehouse::net
