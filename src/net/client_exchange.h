// One request and its answer on one connection: sends the head, the body beside, reads heads until
// the final one, and makes a Response whose body (or upgrade) takes the connection over. Used by
// HttpClient.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "net/connection_pool.h"
#include "net/http1/codec.h"
#include "net/http_client.h"
#include "net/pieces.h"
#include "net/upload.h"

namespace gatehouse::net {

class ClientExchange {
 public:
  using Connection = ConnectionPool::Connection;

  ClientExchange(Loop& loop, const std::shared_ptr<ConnectionPool>& pool,
                 const http1::Limits& limits, http1::ResponseHead& head, http::Request& request,
                 HttpClient::Timeouts timeouts, std::unique_ptr<Connection> connection);
  ~ClientExchange();

  Task<Result<http::Response>> run();
  /// After a failure: the request may be sent once more on a fresh connection.
  bool may_retry() const;
  /// Something of an answer has come.
  bool anything_came() const { return anything_came_; }

 private:
  /// nullopt: there is nothing more to read now.
  using Look = std::optional<Result<void>>;

  http1::Framing frame_request() const;
  Pieces begin_request();
  void wait_for_answer_from_now();
  Look look_for_head();
  Look look_for_any_head();
  Look parse();
  Result<http::Response> make_response();
  Result<http::Response> make_upgrade();
  void give_body(http::Response& response);
  bool can_reuse() const;
  void finish();
  void listen_for_cancellation();
  Error explain(Error error) const;

  Loop& loop_;
  const std::shared_ptr<ConnectionPool>& pool_;
  const http1::Limits& limits_;
  http1::ResponseHead& head_;  // scratch memory of the client's: used between two waits only
  http::Request& request_;
  HttpClient::Timeouts timeouts_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Upload> upload_;
  bool sent_whole_ = false;
  bool anything_came_ = false;
  std::size_t unread_ = 0;  // bytes in the buffer that no parser has seen
  std::size_t interim_ = 0;
  std::optional<ErrorCode> failure_;
};

/// Twice is as once (RFC 9110 §9.2.2), by its method or as its maker knows.
bool may_repeat(const http::Request& request);

}  // namespace gatehouse::net
