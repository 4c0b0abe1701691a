// Where work goes on: an event loop, as the parts below it know it.
#pragma once

#include <functional>

namespace gatehouse {

/// Thread-safe. Posted work runs in order on the executor's one thread, never inside post().
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::move_only_function<void()> work) = 0;
};

}  // namespace gatehouse
