// An upstream's connection after a 101 that was asked for: bytes both ways. Used by the server's
// tunnel, through http::ByteStream.
#pragma once

#include <chrono>
#include <memory>

#include "http/message.h"
#include "net/connection_pool.h"
#include "net/loop.h"

namespace gatehouse::net {

class UpgradedStream final : public http::ByteStream {
 public:
  /// `idle_timeout`: without a byte in either direction reads fail with kTimeout; 0: none.
  UpgradedStream(Loop& loop, std::unique_ptr<ConnectionPool::Connection> connection,
                 std::chrono::milliseconds idle_timeout);

  Task<Result<std::string_view>> read() override;
  Task<Result<void>> write(std::string_view bytes) override;
  void finish() override { connection_->stream->finish(); }
  void abort() override { connection_->stream->abort(); }

 private:
  void progress();

  Loop& loop_;
  std::unique_ptr<ConnectionPool::Connection> connection_;
  std::chrono::milliseconds idle_timeout_;
};

}  // namespace gatehouse::net
