#include "net/upload.h"

#include <utility>

#include "net/body_sender.h"
#include "net/pieces.h"

namespace gatehouse::net {

Upload::Upload(Loop& loop, ConnectionPool::Connection& connection, http::BodyReader& body,
               http1::Framing framing, std::chrono::milliseconds idle_timeout)
    : loop_(loop),
      stream_(*connection.stream),
      out_(connection.workspace->out),
      body_(body),
      framing_(framing),
      idle_timeout_(idle_timeout) {}

void Upload::start(std::chrono::milliseconds response_timeout) {
  task_.start(run(response_timeout), [this] {
    give_up({ErrorCode::kInternal, "sending the request's body threw an exception"});
  });
}

Task<void> Upload::run(std::chrono::milliseconds response_timeout) {
  finished_ = co_await send_body();
  if (finished_ && !answered_) {
    stream_.set_deadline(Stream::Direction::kRead, deadline_after(loop_, response_timeout));
  }
}

Task<bool> Upload::send_body() {
  BodySender sender(loop_, stream_, out_, idle_timeout_, nullptr);
  // With its last byte a body with a length is whole: the upstream may answer from then on.
  BodySender::Sent sent = co_await sender.send(body_, framing_, BodySender::End::kLastByte);
  if (sent) co_return true;
  // One who takes no more may have answered before.
  BodySender::Failure& failure = sent.error();
  if (failure.of == BodySender::Failure::Of::kReading) give_up(std::move(failure.error));
  co_return false;
}

void Upload::give_up(Error error) {
  failure_ = std::move(error);
  stream_.abort();
}

}  // namespace gatehouse::net
