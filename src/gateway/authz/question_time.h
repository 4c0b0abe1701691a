// The time that a question to an external authorizer may take, from its first byte to its answer's
// last: an authorizer that answers byte by byte would otherwise hold a request, and a place among
// the questions, for ever.
#pragma once

#include <chrono>

#include "base/result.h"
#include "http/message.h"
#include "net/loop.h"

namespace gatehouse::gateway {

/// Cancels the question when its time is over, or with the request that it is about.
class QuestionTime {
 public:
  /// `limit` 0: none. `asker`, the request's, may be null and must outlive this.
  QuestionTime(net::Loop& loop, std::chrono::milliseconds limit, http::Cancellation* asker)
      : asker_(asker), timer_(loop, [this] { expire(); }) {
    if (limit.count() > 0) timer_.set_after(limit);
    if (asker_ != nullptr) asker_->listen([this] { question_.cancel(); });
  }
  ~QuestionTime() {
    if (asker_ != nullptr) asker_->listen({});
  }
  QuestionTime(const QuestionTime&) = delete;
  QuestionTime& operator=(const QuestionTime&) = delete;

  /// The question's own.
  http::Cancellation* cancellation() { return &question_; }
  /// How the question failed: kTimeout if its time was over.
  Error explain(Error error) const {
    if (!expired_) return error;
    return {ErrorCode::kTimeout, "the authorizer took too long to answer"};
  }

 private:
  void expire() {
    expired_ = true;
    question_.cancel();
  }

  http::Cancellation* const asker_;
  http::Cancellation question_;
  bool expired_ = false;
  net::Loop::Timer timer_;
};

}  // namespace gatehouse::gateway
