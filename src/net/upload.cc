#include "net/upload.h"

#include <utility>

#include "net/pieces.h"

namespace gatehouse::net {
namespace {

// As in answers: copying that much is cheaper than one more piece or one more send.
constexpr std::size_t kCopiedPiece = 4 * 1024;
constexpr std::size_t kGathered = 16 * 1024;

Error wrong_length() {
  return {ErrorCode::kCorrupt, "the request's body is not as long as it was said"};
}

}  // namespace

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
  const bool chunked = framing_.kind == http1::Framing::Kind::kChunked;
  Splice splice(loop_, stream_, idle_timeout_);
  // With a length, its last byte is the end: the upstream may answer from then on.
  while (chunked || sent_ < framing_.length) {
    http::SocketBytes* const source = chunked ? nullptr : splice.source(body_);
    if (source != nullptr) {
      const bool moved = co_await move(splice, *source);
      if (!moved) co_return false;
      continue;
    }
    if ((!body_.ready() && !out_.empty()) || out_.size() >= kGathered) {
      const bool flushed = co_await send({});
      if (!flushed) co_return false;
    }
    Result<std::string_view> piece = co_await body_.read();
    if (!piece) co_return give_up(std::move(piece).error());
    if (piece->empty()) break;
    sent_ += piece->size();
    if (!chunked && sent_ > framing_.length) break;  // none of this piece goes
    if (chunked) http1::write_chunk_size(out_, piece->size());
    const std::string_view behind = chunked ? "\r\n" : "";
    if (piece->size() <= kCopiedPiece) {
      out_.append(*piece).append(behind);
      continue;
    }
    const bool sent = co_await send(*piece, behind);
    if (!sent) co_return false;
  }
  if (!chunked && sent_ != framing_.length) {
    co_return give_up(wrong_length());
  }
  if (chunked) http1::write_last_chunk(out_, body_.trailers());
  const bool sent = co_await send({});
  co_return sent;
}

Task<bool> Upload::move(Splice& splice, http::SocketBytes& source) {
  const bool flushed = co_await send({});
  if (!flushed) co_return false;
  Result<std::size_t> taken = co_await splice.take(source);
  if (!taken) co_return give_up(std::move(taken).error());
  sent_ += *taken;
  if (sent_ > framing_.length) co_return give_up(wrong_length());
  const Result<void> sent = co_await splice.send(*taken);
  co_return sent.has_value();
}

Task<bool> Upload::send(std::string_view piece, std::string_view behind) {
  Pieces pieces;
  pieces.add(out_);
  pieces.add(piece);
  pieces.add(behind);
  const Result<void> sent = co_await send_rest(loop_, stream_, pieces, idle_timeout_);
  out_.clear();
  co_return sent.has_value();
}

bool Upload::give_up(Error error) {
  failure_ = std::move(error);
  stream_.abort();
  return false;
}

}  // namespace gatehouse::net
