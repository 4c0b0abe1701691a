#include "net/response_body.h"

#include <utility>

namespace gatehouse::net {

ResponseBody::ResponseBody(Loop& loop, std::weak_ptr<ConnectionPool> pool,
                           std::unique_ptr<ConnectionPool::Connection> connection,
                           std::unique_ptr<Upload> upload, const http1::Framing& framing,
                           const http1::Limits& limits, std::chrono::milliseconds idle_timeout,
                           bool may_reuse, http::Cancellation* cancellation)
    : pool_(std::move(pool)),
      connection_(std::move(connection)),
      body_(loop, *connection_->stream, connection_->workspace->buffer, framing, limits,
            idle_timeout),
      may_reuse_(may_reuse),
      cancellation_(cancellation),
      upload_(std::move(upload)) {}

ResponseBody::~ResponseBody() {
  if (cancellation_ != nullptr) cancellation_->listen({});
  const bool reuse = can_reuse();
  upload_.reset();
  const std::shared_ptr<ConnectionPool> pool = pool_.lock();
  if (!pool) return;
  if (reuse) {
    pool->keep(std::move(connection_));
  } else {
    pool->drop(std::move(connection_));
  }
}

Task<Result<std::string_view>> ResponseBody::read() {
  Result<std::string_view> piece = co_await body_.read();
  if (!piece && upload_ && upload_->failure()) co_return std::unexpected(*upload_->failure());
  co_return piece;
}

bool ResponseBody::can_reuse() const {
  return may_reuse_ && body_.finished() && (!upload_ || upload_->finished()) &&
         connection_->workspace->buffer.empty() && !connection_->stream->broken();
}

}  // namespace gatehouse::net
