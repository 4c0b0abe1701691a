#include "net/answer_writer.h"

#include <string_view>

#include "net/cancellable_read.h"

namespace gatehouse::net {
namespace {

using http1::Framing;

// Copying that much is cheaper than one more piece in a gathered send, or one more send.
constexpr std::size_t kCopiedPiece = 4 * 1024;
// What is gathered is sent when it is that long, even if more is there already.
constexpr std::size_t kGathered = 16 * 1024;

bool never_has_body(int status) {
  return status == 204 || status == 304;
}

std::optional<std::uint64_t> known_length(const http::Body& body) {
  return body.stream ? body.length : std::optional<std::uint64_t>(body.bytes.size());
}

}  // namespace

Framing AnswerWriter::frame(const http::Request& request, http::Response& response) {
  const std::optional<std::uint64_t> length = known_length(response.body);
  without_body_ = request.method == "HEAD" || never_has_body(response.status);
  if (without_body_) {
    if (response.status == 204) response.headers.remove("content-length");
    const bool tells_length = request.method == "HEAD" && length.value_or(0) != 0;
    if (tells_length) response.headers.set("Content-Length", std::to_string(*length));
    return {};
  }
  if (length) return {Framing::Kind::kLength, *length};
  const bool chunks = request.version != http::Version::kHttp10;
  return {chunks ? Framing::Kind::kChunked : Framing::Kind::kUntilClose, 0};
}

Pieces AnswerWriter::whole(const http::Response& response, const Framing& framing, bool keep_alive,
                           http::Version version) {
  http1::write_response_head(out_, response, framing, keep_alive, version);
  const std::string_view body =
      without_body_ ? std::string_view() : std::string_view(response.body.bytes);
  sent_ = body.size();
  Pieces pieces;
  if (body.size() <= kCopiedPiece) {
    out_.append(body);
    pieces.add(out_);
  } else {
    pieces.add(out_);
    pieces.add(body);
  }
  return pieces;
}

Task<Result<void>> AnswerWriter::send(std::string_view piece, std::string_view behind) {
  Pieces pieces;
  pieces.add(out_);
  pieces.add(piece);
  pieces.add(behind);
  Result<void> sent = co_await send_rest(loop_, stream_, pieces, idle_timeout_);
  out_.clear();
  co_return sent;
}

Task<Result<void>> AnswerWriter::write_rest(Pieces& unsent, std::uint64_t body_bytes) {
  sent_ = body_bytes;
  return send_rest(loop_, stream_, unsent, idle_timeout_);
}

Task<Result<void>> AnswerWriter::write_stream(http::Response& response, Framing framing,
                                              bool keep_alive, http::Version version) {
  http1::write_response_head(out_, response, framing, keep_alive, version);
  if (without_body_) return send({});
  return write_pieces(*response.body.stream, framing);
}

Result<void> AnswerWriter::count(std::uint64_t bytes, const Framing& framing) {
  sent_ += bytes;
  if (framing.kind == Framing::Kind::kLength && sent_ > framing.length) {
    return fail(ErrorCode::kCorrupt, "the body is longer than it was said to be");
  }
  return {};
}

Task<Result<void>> AnswerWriter::move(Splice& splice, http::SocketBytes& source, Framing framing) {
  Result<void> outcome = co_await send({});
  if (!outcome) co_return outcome;
  CancellableRead taking(loop_, splice.take(source), cancellation_);
  const Result<std::size_t> taken = co_await taking;
  if (!taken) co_return std::unexpected(taken.error());
  outcome = count(*taken, framing);
  if (outcome) outcome = co_await splice.send(*taken);
  co_return outcome;
}

Task<Result<void>> AnswerWriter::write_pieces(http::BodyReader& body, Framing framing) {
  const bool chunked = framing.kind == Framing::Kind::kChunked;
  const bool sized = framing.kind == Framing::Kind::kLength;
  Splice splice(loop_, stream_, idle_timeout_);
  for (;;) {
    http::SocketBytes* const source = sized ? splice.source(body) : nullptr;
    if (source != nullptr) {
      Result<void> moved = co_await move(splice, *source, framing);
      if (!moved) co_return moved;
      continue;
    }
    if ((!body.ready() && !out_.empty()) || out_.size() >= kGathered) {
      Result<void> flushed = co_await send({});
      if (!flushed) co_return flushed;
    }
    CancellableRead reading(loop_, body.read(), cancellation_);
    const Result<std::string_view> piece = co_await reading;
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    Result<void> counted = count(piece->size(), framing);
    if (!counted) co_return counted;
    if (chunked) http1::write_chunk_size(out_, piece->size());
    const std::string_view behind = chunked ? "\r\n" : "";
    if (piece->size() <= kCopiedPiece) {
      out_.append(*piece).append(behind);
      continue;
    }
    Result<void> sent = co_await send(*piece, behind);
    if (!sent) co_return sent;
  }
  if (sized && sent_ != framing.length) {
    co_return fail(ErrorCode::kCorrupt, "the body is shorter than it was said to be");
  }
  if (chunked) http1::write_last_chunk(out_, body.trailers());
  Result<void> sent = co_await send({});
  co_return sent;
}

}  // namespace gatehouse::net
