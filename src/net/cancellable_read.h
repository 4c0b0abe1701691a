// Waits for a body's next piece only as long as somebody wants it. A body need not know of the
// request's cancellation: its read() is destroyed where it waits.
#pragma once

#include <coroutine>
#include <utility>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "net/loop.h"

namespace gatehouse::net {

/// `co_await` it once. kCancelled if the cancellation, which may be null, came first. One a
/// cancellation.
template <class Piece>
class CancellableRead {
 public:
  CancellableRead(Loop& loop, Task<Result<Piece>> reading, http::Cancellation* cancellation)
      : loop_(loop),
        cancellation_(cancellation),
        reading_(std::move(reading)),
        awaiter_(std::move(reading_).operator co_await()) {}
  ~CancellableRead() {
    if (cancellation_ != nullptr) cancellation_->listen_as_waiter({});
  }
  CancellableRead(const CancellableRead&) = delete;
  CancellableRead& operator=(const CancellableRead&) = delete;

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) {
    cut_.waiting = waiting;
    // In a later turn: the body itself may be what cancels.
    if (cancellation_ != nullptr) {
      cancellation_->listen_as_waiter([this] { loop_.schedule(cut_); });
    }
    return awaiter_.await_suspend(waiting);
  }
  Result<Piece> await_resume() {
    cut_.unlink();
    if (awaiter_.handle.done()) return awaiter_.await_resume();
    return fail(ErrorCode::kCancelled, "nobody waits for the body any more");
  }

 private:
  using Reading = Task<Result<Piece>>;

  Loop& loop_;
  http::Cancellation* const cancellation_;
  Reading reading_;
  decltype(std::declval<Reading>().operator co_await()) awaiter_;
  Resumption cut_;
};

}  // namespace gatehouse::net
