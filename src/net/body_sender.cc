#include "net/body_sender.h"

#include <utility>

#include "net/cancellable_read.h"
#include "net/pieces.h"

namespace gatehouse::net {
namespace {

using http1::Framing;
using Failure = BodySender::Failure;

// What is gathered is sent when it is that long, even if more is there already.
constexpr std::size_t kGathered = 16 * 1024;

std::unexpected<Failure> not_read(Error error) {
  return std::unexpected(Failure{.of = Failure::Of::kReading, .error = std::move(error)});
}

std::unexpected<Failure> wrong_length() {
  return not_read({ErrorCode::kCorrupt, "the body is not as long as it was said to be"});
}

BodySender::Sent sent_or_not(Result<void> outcome) {
  if (outcome) return {};
  return std::unexpected(Failure{.of = Failure::Of::kSending, .error = std::move(outcome).error()});
}

}  // namespace

Task<BodySender::Sent> BodySender::send(http::BodyReader& body, Framing framing, End end) {
  const bool chunked = framing.kind == Framing::Kind::kChunked;
  const bool sized = framing.kind == Framing::Kind::kLength;
  Splice splice(loop_, to_, idle_timeout_);
  while (end == End::kOwnWord || !sized || sent_ < framing.length) {
    http::SocketBytes* const source = sized ? splice.source(body) : nullptr;
    if (source != nullptr) {
      Sent moved = co_await move(splice, *source, framing);
      if (!moved) co_return moved;
      continue;
    }
    if ((!body.ready() && !out_.empty()) || out_.size() >= kGathered) {
      Sent flushed = co_await flush();
      if (!flushed) co_return flushed;
    }
    CancellableRead reading(loop_, body.read(), cancellation_);
    Result<std::string_view> piece = co_await reading;
    if (!piece) co_return not_read(std::move(piece).error());
    if (piece->empty()) break;
    Sent counted = count(piece->size(), framing);
    if (!counted) co_return counted;
    if (chunked) http1::write_chunk_size(out_, piece->size());
    const std::string_view behind = chunked ? "\r\n" : "";
    if (piece->size() <= kCopiedPiece) {
      out_.append(*piece).append(behind);
      continue;
    }
    Sent flushed = co_await flush(*piece, behind);
    if (!flushed) co_return flushed;
  }
  if (sized && sent_ != framing.length) co_return wrong_length();
  if (chunked) http1::write_last_chunk(out_, body.trailers());
  Sent flushed = co_await flush();
  co_return flushed;
}

Task<BodySender::Sent> BodySender::move(Splice& splice, http::SocketBytes& source,
                                        Framing framing) {
  Sent outcome = co_await flush();
  if (!outcome) co_return outcome;
  CancellableRead taking(loop_, splice.take(source), cancellation_);
  Result<std::size_t> taken = co_await taking;
  if (!taken) co_return not_read(std::move(taken).error());
  outcome = count(*taken, framing);
  if (!outcome) co_return outcome;
  Result<void> sent = co_await splice.send(*taken);
  co_return sent_or_not(std::move(sent));
}

Task<BodySender::Sent> BodySender::flush(std::string_view piece, std::string_view behind) {
  Pieces pieces;
  pieces.add(out_);
  pieces.add(piece);
  pieces.add(behind);
  Result<void> sent = co_await send_rest(loop_, to_, pieces, idle_timeout_);
  out_.clear();
  co_return sent_or_not(std::move(sent));
}

BodySender::Sent BodySender::count(std::size_t bytes, const Framing& framing) {
  sent_ += bytes;
  const bool too_long = framing.kind == Framing::Kind::kLength && sent_ > framing.length;
  if (too_long) return wrong_length();
  return {};
}

}  // namespace gatehouse::net
