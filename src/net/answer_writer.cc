#include "net/answer_writer.h"

#include <string_view>
#include <utility>

namespace gatehouse::net {
namespace {

using http1::Framing;

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
  whole_ = body.size();
  Pieces pieces;
  if (body.size() <= BodySender::kCopiedPiece) {
    out_.append(body);
    pieces.add(out_);
  } else {
    pieces.add(out_);
    pieces.add(body);
  }
  return pieces;
}

Task<Result<void>> AnswerWriter::write_rest(Pieces& unsent, std::uint64_t body_bytes) {
  whole_ = body_bytes;
  return send_rest(loop_, stream_, unsent, idle_timeout_);
}

Task<Result<void>> AnswerWriter::write_stream(http::Response& response, Framing framing,
                                              bool keep_alive, http::Version version) {
  http1::write_response_head(out_, response, framing, keep_alive, version);
  if (without_body_) {
    Pieces head;
    head.add(out_);
    Result<void> sent = co_await send_rest(loop_, stream_, head, idle_timeout_);
    co_return sent;
  }
  BodySender::Sent sent =
      co_await sender_.send(*response.body.stream, framing, BodySender::End::kOwnWord);
  if (!sent) co_return std::unexpected(std::move(sent).error().error);
  co_return Result<void>();
}

}  // namespace gatehouse::net
