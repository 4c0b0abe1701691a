// Sends a request's body while the answer is waited for, because an upstream may answer early. Runs
// beside the exchange; goes with it, finished or not.
#pragma once

#include <chrono>
#include <optional>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "net/connection_pool.h"
#include "net/http1/codec.h"
#include "net/loop.h"
#include "net/running_task.h"

namespace gatehouse::net {

class Upload {
 public:
  /// The connection's `out` holds the request's head, which goes with the first piece.
  Upload(Loop& loop, ConnectionPool::Connection& connection, http::BodyReader& body,
         http1::Framing framing, std::chrono::milliseconds idle_timeout);

  /// From the body's end on, the answer's head may take that long (0: any time).
  void start(std::chrono::milliseconds response_timeout);
  /// The answer's head is there: its time-out is not set any more.
  void answered() { answered_ = true; }

  /// All of the body is sent.
  bool finished() const { return finished_; }
  /// Why the body could not be read. The connection was then reset, so that what came of the body
  /// does not look whole.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  Task<void> run(std::chrono::milliseconds response_timeout);
  /// False if the upstream takes no more.
  Task<bool> send_body();
  void give_up(Error error);

  Loop& loop_;
  Stream& stream_;
  std::string& out_;
  http::BodyReader& body_;
  http1::Framing framing_;
  std::chrono::milliseconds idle_timeout_;
  bool answered_ = false;
  bool finished_ = false;
  std::optional<Error> failure_;
  RunningTask task_;  // last: its frame refers to the others
};

}  // namespace gatehouse::net
