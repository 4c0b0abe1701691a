// The body of an answer that is read from an upstream's connection piece by piece. At its end the
// connection goes back to the pool, if all was in order; abandoned before that, it is closed.
#pragma once

#include <memory>

#include "http/message.h"
#include "net/connection_pool.h"
#include "net/incoming_body.h"
#include "net/upload.h"

namespace gatehouse::net {

class ResponseBody final : public http::BodyReader {
 public:
  /// `upload` may be null; it stops with this. `cancellation` may be null, else outlives this.
  ResponseBody(Loop& loop, std::weak_ptr<ConnectionPool> pool,
               std::unique_ptr<ConnectionPool::Connection> connection,
               std::unique_ptr<Upload> upload, const http1::Framing& framing,
               const http1::Limits& limits, std::chrono::milliseconds idle_timeout, bool may_reuse,
               http::Cancellation* cancellation);
  ~ResponseBody() override;

  Task<Result<std::string_view>> read() override;
  bool ready() const override { return body_.ready(); }
  http::SocketBytes* in_socket() override { return upload_ ? nullptr : body_.in_socket(); }
  const http::Headers& trailers() const override { return body_.trailers(); }

 private:
  bool can_reuse() const;

  std::weak_ptr<ConnectionPool> pool_;
  std::unique_ptr<ConnectionPool::Connection> connection_;
  IncomingBody body_;
  bool may_reuse_;
  http::Cancellation* cancellation_;
  std::unique_ptr<Upload> upload_;  // last: it uses the connection
};

}  // namespace gatehouse::net
