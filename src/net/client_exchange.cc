#include "net/client_exchange.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "net/response_body.h"
#include "net/upgraded_stream.h"
#include "net/websocket_handshake.h"

namespace gatehouse::net {
namespace {

// More 1xx answers than that are no information but a way to keep us busy.
constexpr std::size_t kInterimAnswers = 16;

/// RFC 9110 §8.6: these say a length even if there is no body.
bool expects_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

bool may_repeat(const http::Request& request) {
  constexpr std::array<std::string_view, 6> kIdempotent = {"GET", "HEAD",   "OPTIONS",
                                                           "PUT", "DELETE", "TRACE"};
  return request.changes_nothing ||
         std::ranges::find(kIdempotent, request.method) != kIdempotent.end();
}

ClientExchange::ClientExchange(Loop& loop, const std::shared_ptr<ConnectionPool>& pool,
                               const http1::Limits& limits, http1::ResponseHead& head,
                               http::Request& request, HttpClient::Timeouts timeouts,
                               std::unique_ptr<Connection> connection)
    : loop_(loop),
      pool_(pool),
      limits_(limits),
      head_(head),
      request_(request),
      timeouts_(timeouts),
      connection_(std::move(connection)) {
  add_websocket_key(request);
}

ClientExchange::~ClientExchange() {
  upload_.reset();
  if (!connection_) return;  // taken over, or kept
  if (request_.cancellation != nullptr) request_.cancellation->listen({});
  pool_->drop(std::move(connection_));
}

Task<Result<http::Response>> ClientExchange::run() {
  listen_for_cancellation();
  Pieces pieces = begin_request();
  if (!pieces.empty()) {
    const Result<void> sent =
        co_await send_rest(loop_, *connection_->stream, pieces, timeouts_.idle);
    sent_whole_ = sent.has_value();
  }
  if (!upload_) wait_for_answer_from_now();
  Look look = look_for_head();
  while (!look) {
    Result<void> readable = co_await connection_->stream->readable();
    look = readable ? look_for_head() : Look(std::move(readable));
  }
  if (!*look) {
    failure_ = look->error().code;
    co_return std::unexpected(explain(std::move(*look).error()));
  }
  co_return make_response();
}

bool ClientExchange::may_retry() const {
  return failure_ == ErrorCode::kUnavailable && connection_ && connection_->reused &&
         !anything_came_ && !request_.body.stream && may_repeat(request_);
}

void ClientExchange::listen_for_cancellation() {
  if (request_.cancellation == nullptr) return;
  request_.cancellation->listen([stream = connection_->stream.get()] { stream->abort(); });
}

http1::Framing ClientExchange::frame_request() const {
  const http::Body& body = request_.body;
  if (body.stream) {
    if (body.length) return {http1::Framing::Kind::kLength, *body.length};
    return {http1::Framing::Kind::kChunked, 0};
  }
  if (body.bytes.empty() && !expects_body(request_.method)) return {};
  return {http1::Framing::Kind::kLength, body.bytes.size()};
}

/// Sends what goes without waiting, and gives what is left. A failure to send is none of the
/// request yet: the upstream may have answered before it closed.
Pieces ClientExchange::begin_request() {
  std::string& out = connection_->workspace->out;
  const http1::Framing framing = frame_request();
  out.clear();
  http1::write_request_head(out, request_, framing, true);
  Stream& stream = *connection_->stream;
  Pieces pieces;
  if (request_.body.stream) {
    stream.set_deadline(Stream::Direction::kRead, std::nullopt);
    upload_ = std::make_unique<Upload>(loop_, *connection_, *request_.body.stream, framing,
                                       timeouts_.idle);
    upload_->start(timeouts_.response);
    return pieces;
  }
  pieces.add(out);
  pieces.add(request_.body.bytes);
  if (!try_send(stream, pieces)) return {};
  sent_whole_ = pieces.empty();
  return pieces;
}

void ClientExchange::wait_for_answer_from_now() {
  connection_->stream->set_deadline(Stream::Direction::kRead,
                                    deadline_after(loop_, timeouts_.response));
}

/// Reads on until there is the head of the final answer, or nothing to read.
ClientExchange::Look ClientExchange::look_for_head() {
  ReadBuffer& buffer = connection_->workspace->buffer;
  for (;;) {
    Look head = look_for_any_head();
    if (!head || !*head) return head;
    const int status = head_.response.status;
    if (status >= 200 || status == 101) return head;
    if (++interim_ > kInterimAnswers) {
      return fail(ErrorCode::kCorrupt, "the upstream sent too many interim answers");
    }
    unread_ = buffer.size();  // behind an interim answer
  }
}

ClientExchange::Look ClientExchange::look_for_any_head() {
  ReadBuffer& buffer = connection_->workspace->buffer;
  for (;;) {
    const std::size_t fresh = std::exchange(unread_, 0);
    if (fresh != 0 && http1::may_complete_head(buffer.text(), fresh, limits_)) {
      Look parsed = parse();
      if (parsed) return parsed;
    }
    const IoResult got = connection_->stream->try_read(buffer.space());
    switch (got.kind) {
      case IoResult::Kind::kDone:
        buffer.commit(got.bytes);
        unread_ = got.bytes;
        anything_came_ = true;
        break;
      case IoResult::Kind::kEnd:
        return fail(ErrorCode::kUnavailable, "the upstream closed the connection unanswered");
      case IoResult::Kind::kWouldBlock:
      case IoResult::Kind::kFailed:  // the wait says at once what it was
        return std::nullopt;
    }
  }
}

ClientExchange::Look ClientExchange::parse() {
  ReadBuffer& buffer = connection_->workspace->buffer;
  std::size_t consumed = 0;
  const auto parsed =
      http1::parse_response_head(buffer.text(), request_.method, limits_, head_, consumed);
  if (!parsed) return std::nullopt;
  if (!*parsed) return fail(ErrorCode::kCorrupt, std::string(parsed->error().reason));
  buffer.consume(consumed);
  return Result<void>();
}

Result<http::Response> ClientExchange::make_response() {
  if (upload_) upload_->answered();
  const bool connects = request_.upgrade == http::kConnect;
  const int status = head_.response.status;
  if (status == 101 || (connects && status < 300)) return make_upgrade();
  http::Response response = std::move(head_.response);
  give_body(response);
  return response;
}

Result<http::Response> ClientExchange::make_upgrade() {
  const bool connected = request_.upgrade == http::kConnect && head_.response.status != 101;
  const bool switched = request_.upgrade != http::kConnect && !request_.upgrade.empty() &&
                        head_.upgrade == request_.upgrade;
  if (!connected && !switched) {
    return fail(ErrorCode::kCorrupt, "the upstream switched to a protocol that was not asked for");
  }
  http::Response response = std::move(head_.response);
  // What says 101 without it is no WebSocket server, but something that its client can make say so,
  // and everything behind would pass unjudged.
  if (!accepts_websocket_key(request_, response.headers)) {
    return fail(ErrorCode::kCorrupt, "the upstream's Sec-WebSocket-Accept is not for the key");
  }
  response.status = 101;
  if (request_.cancellation != nullptr) request_.cancellation->listen({});
  response.upgrade =
      std::make_unique<UpgradedStream>(loop_, std::move(connection_), timeouts_.idle);
  return response;
}

/// A short body that is there already goes along whole, and its connection to the next request.
void ClientExchange::give_body(http::Response& response) {
  const http1::Framing framing = head_.framing;
  ReadBuffer& buffer = connection_->workspace->buffer;
  const bool whole =
      framing.kind == http1::Framing::Kind::kNone ||
      (framing.kind == http1::Framing::Kind::kLength && framing.length <= buffer.size());
  if (whole) {
    const auto length = static_cast<std::size_t>(framing.length);
    response.body.bytes.assign(buffer.text().substr(0, length));
    buffer.consume(length);
    finish();
    return;
  }
  const bool sized = framing.kind == http1::Framing::Kind::kLength;
  const bool may_reuse = head_.keep_alive && request_.upgrade.empty() && (upload_ || sent_whole_);
  response.body = http::Body(std::make_unique<ResponseBody>(
                                 loop_, pool_, std::move(connection_), std::move(upload_), framing,
                                 limits_, timeouts_.idle, may_reuse, request_.cancellation),
                             sized ? std::optional(framing.length) : std::nullopt);
}

bool ClientExchange::can_reuse() const {
  // A request that asked for an upgrade leaves it open who speaks what from then on.
  if (!head_.keep_alive || !request_.upgrade.empty()) return false;
  const bool sent = upload_ ? upload_->finished() : sent_whole_;
  return sent && connection_->workspace->buffer.empty() && !connection_->stream->broken();
}

void ClientExchange::finish() {
  if (!can_reuse()) return;  // the destructor drops it
  if (request_.cancellation != nullptr) request_.cancellation->listen({});
  upload_.reset();
  pool_->keep(std::move(connection_));
}

Error ClientExchange::explain(Error error) const {
  if (request_.cancellation != nullptr && request_.cancellation->cancelled()) {
    return {ErrorCode::kCancelled, "nobody waits for the answer any more"};
  }
  if (upload_ && upload_->failure()) return *upload_->failure();
  if (error.code == ErrorCode::kTimeout) error.message = "the upstream took too long to answer";
  return error;
}

}  // namespace gatehouse::net
