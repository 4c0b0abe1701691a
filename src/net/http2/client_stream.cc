#include "net/http2/client_stream.h"

#include <charconv>
#include <utility>

#include "net/http1/codec.h"
#include "net/http1/syntax.h"
#include "net/http2/client_connection.h"
#include "net/http2/request_fields.h"

namespace gatehouse::net::http2 {
namespace {

// As of HTTP/1.1's: more of them are no information but a way to keep us busy.
constexpr std::size_t kInterimAnswers = 16;
constexpr std::size_t kFieldOverhead = 32;  // RFC 9113 §6.5.2

/// RFC 9110 §8.6: these say a length even if there is no body.
bool expects_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

std::optional<MonotonicTime> earlier(std::optional<MonotonicTime> a,
                                     std::optional<MonotonicTime> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// An answer's body; the stream goes with it.
class AnswerContent final : public http::BodyReader {
 public:
  explicit AnswerContent(StreamHold hold) : hold_(std::move(hold)) {}
  Task<Result<std::string_view>> read() override { return hold_.stream().read(); }
  bool ready() const override { return hold_.stream().content_ready(); }
  const http::Headers& trailers() const override { return hold_.stream().received_trailers(); }

 private:
  StreamHold hold_;
};

/// What a CONNECT gives (RFC 9113 §8.5), an extended one too (RFC 8441).
class ConnectedStream final : public http::ByteStream {
 public:
  explicit ConnectedStream(StreamHold hold) : hold_(std::move(hold)) {}
  Task<Result<std::string_view>> read() override { return hold_.stream().read(); }
  Task<Result<void>> write(std::string_view bytes) override { return hold_.stream().write(bytes); }
  void finish() override { hold_.stream().finish(); }
  void abort() override {
    hold_.stream().cancel(ErrorCode::kCancelled, "the stream was ended on this side");
  }

 private:
  StreamHold hold_;
};

}  // namespace

// Sending.

ClientStream::~ClientStream() {
  upload_.stop();
}

bool ClientStream::send(http::Request& request, HttpClient::Timeouts timeouts,
                        std::string_view scheme) {
  open(*client_, 0);
  timeouts_ = timeouts;
  method_ = request.method;
  cancellation_ = request.cancellation;
  write_head(request, scheme);
  http::Body& body = request.body;
  const bool upgrades = !request.upgrade.empty();
  const bool follows = upgrades || !body.empty();
  const std::int32_t id = connection().submit_request(
      *this, fields_, follows ? Connection::Content::kFollows : Connection::Content::kNone);
  fields_.clear();
  if (id < 0) return false;
  set_id(id);
  if (cancellation_ != nullptr) {
    cancellation_->listen(
        [this] { cancel(ErrorCode::kCancelled, "nobody waits for the answer any more"); });
  }
  if (!upgrades && body.stream) {
    upload_.start(upload(*body.stream, body.length), [this] {
      cancel(ErrorCode::kInternal, "sending the request's body threw an exception");
    });
    return true;
  }
  if (!upgrades && !body.bytes.empty()) {
    end_outgoing(nullptr);
    offer(body.bytes);
  }
  wait_for_answer_from_now();
  return true;
}

void ClientStream::write_head(const http::Request& request, std::string_view scheme) {
  const bool upgrades = !request.upgrade.empty();
  const bool connects = request.upgrade == http::kConnect;
  fields_.clear();
  fields_.add(":method", upgrades ? "CONNECT" : std::string_view(request.method));
  fields_.add(":authority", request.authority);
  if (!connects) {
    fields_.add(":scheme", scheme);
    fields_.add(":path", request.target.str());
  }
  if (upgrades && !connects) fields_.add(":protocol", request.upgrade);
  fields_.add_all(request.headers, {"sec-websocket-key", "expect"});
  if (request.headers.list_has("te", "trailers")) fields_.add("te", "trailers");
  if (upgrades) return;
  const http::Body& body = request.body;
  std::optional<std::uint64_t> length = body.length;
  if (!body.stream) {
    length.reset();
    const bool told = !body.bytes.empty() || expects_body(request.method);
    if (told) length = body.bytes.size();
  }
  if (length) fields_.add_copied("content-length", std::to_string(*length));
}

Task<void> ClientStream::upload(http::BodyReader& body, std::optional<std::uint64_t> length) {
  upload_begun_ = true;
  co_await send_pieces(body, length);
  if (!closed() && !error_) wait_for_answer_from_now();
}

Task<void> ClientStream::send_pieces(http::BodyReader& body, std::optional<std::uint64_t> length) {
  std::uint64_t passed = 0;
  for (;;) {
    const Result<std::string_view> piece = co_await body.read();
    if (closed()) co_return;
    if (!piece) co_return cancel(piece.error().code, piece.error().message);
    passed += piece->size();
    const bool as_said = !length || (piece->empty() ? passed == *length : passed <= *length);
    if (!as_said) {
      co_return cancel(ErrorCode::kCorrupt, "the request's body is not as long as it was said");
    }
    if (piece->empty()) break;
    offer(*piece);
    if (timeouts_.idle.count() != 0) client_->note_deadline(client_->now() + timeouts_.idle);
    connection().gather();
    while (!piece_gone()) co_await piece_signal();
    if (closed()) co_return;
  }
  end_outgoing(nullptr);
}

void ClientStream::wait_for_answer_from_now() {
  if (head_whole_ || timeouts_.response.count() == 0) return;
  head_due_ = client_->now() + timeouts_.response;
  client_->note_deadline(*head_due_);
}

void ClientStream::cancel(ErrorCode code, std::string_view reason) {
  if (!error_) error_ = Error{code, std::string(reason)};
  fail_content(code, reason);
  connection().reset(*this, FrameError::kCancel);
  client_->watch_output();
  head_.wake(connection().loop());
}

void ClientStream::abandon() {
  if (cancellation_ != nullptr) std::exchange(cancellation_, nullptr)->listen({});
  upload_.stop();
  withdraw();
  fail_content(ErrorCode::kCancelled, "nobody waits for the answer any more");
  release_content();
  connection().reset(*this, FrameError::kCancel);
}

// The answer's head.

void ClientStream::corrupt(std::string_view reason) {
  cancel(ErrorCode::kCorrupt, reason);
}

void ClientStream::take_field(std::string_view name, std::string_view value) {
  anything_came_ = true;
  const http1::Limits& limits = client_->limits();
  head_bytes_ += name.size() + value.size() + kFieldOverhead;
  if (error_) return;
  if (head_bytes_ > limits.head_bytes || ++fields_seen_ > limits.fields + 1) {
    return corrupt("the answer's head is too long");
  }
  if (http::skip_value_bytes(value, 0) != value.size())
    return corrupt("the answer has a control byte in a field");
  if (head_whole_) return take_trailer(name, value);
  if (name.starts_with(':')) return take_status(value);  // nghttp2 lets no other pass
  take_header(name, value);
}

void ClientStream::refuse_field() {
  corrupt("the answer has a header field that is none");
}

void ClientStream::take_status(std::string_view value) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), status_);
  const bool number = error == std::errc() && end == value.data() + value.size();
  if (!number || value.size() != 3 || status_ < 100 || status_ > 599) {
    corrupt("the answer's status is unknown");
  }
}

void ClientStream::take_header(std::string_view name, std::string_view value) {
  if (name == "content-length") {
    length_ = parse_length(value);
    if (!length_) corrupt("a Content-Length that is not one number");
    return;
  }
  if (name == "content-type") any_trailer_ = http1::has_trailing_metadata(value);
  if (name != "te") headers_.add(name, http::trim(value));
}

void ClientStream::take_trailer(std::string_view name, std::string_view value) {
  if (http1::is_forbidden_trailer(name)) return corrupt("a trailer that no trailer may be");
  const bool passes = any_trailer_ || http1::is_allowed_trailer(name);
  if (passes) received_trailers_.add(name, http::trim(value));
}

void ClientStream::take_fields_end() {
  if (head_whole_ || error_) return;
  if (status_ < 200) {
    if (++interim_ > kInterimAnswers) corrupt("the upstream sent too many interim answers");
    headers_.clear();
    length_.reset();
    head_bytes_ = fields_seen_ = 0;
    return;
  }
  head_whole_ = true;
  head_bytes_ = fields_seen_ = 0;
  head_due_.reset();
  if (length_ && (method_ == "HEAD" || status_ == 304)) {
    headers_.add("content-length", std::to_string(*length_));
  }
  head_.wake(connection().loop());
}

void ClientStream::closed_now() {
  head_.wake(connection().loop());
}

Task<Result<void>> ClientStream::answered() {
  while (!head_whole_ && !error_ && !closed()) co_await head_;
  if (error_) co_return std::unexpected(*error_);
  if (!head_whole_) co_return std::unexpected(why_unanswered());
  co_return Result<void>();
}

bool ClientStream::was_refused() const {
  return closed() && !anything_came_ && close_code() == FrameError::kRefusedStream;
}

Error ClientStream::why_unanswered() const {
  if (was_refused()) return {ErrorCode::kUnavailable, "the upstream took no more requests"};
  if (reset_by_us()) return {ErrorCode::kCorrupt, "the upstream's answer is not HTTP/2"};
  return {ErrorCode::kUnavailable, "the upstream closed the stream unanswered"};
}

Error ClientStream::cut_short() const {
  return {ErrorCode::kCorrupt, "the answer was cut short"};
}

// Its content.

std::optional<std::string> ClientStream::whole_content() {
  if (method_ == "HEAD" || status_ == 204 || status_ == 304) return std::string();
  const bool whole = remote_ended() && received_trailers_.empty() && !content_failure();
  if (!whole) return std::nullopt;
  return take_content();
}

void ClientStream::become_tunnel() {
  tunnels_ = true;
  if (cancellation_ != nullptr) std::exchange(cancellation_, nullptr)->listen({});
  if (timeouts_.idle.count() != 0) client_->note_deadline(client_->now() + timeouts_.idle);
}

Task<Result<std::string_view>> ClientStream::read() {
  if (timeouts_.idle.count() != 0) client_->note_deadline(client_->now() + timeouts_.idle);
  return read_content();
}

Task<Result<void>> ClientStream::write(std::string_view bytes) {
  if (!closed()) {
    offer(bytes);
    connection().gather();
    while (!piece_gone()) co_await piece_signal();
  }
  if (closed()) co_return fail(ErrorCode::kUnavailable, "the upstream has closed the stream");
  co_return Result<void>();
}

// Time and end.

std::optional<MonotonicTime> ClientStream::check_deadlines(MonotonicTime now) {
  if (closed() || error_) return std::nullopt;
  std::optional<MonotonicTime> next = head_due_;
  if (head_due_ && now >= *head_due_) {
    cancel(ErrorCode::kTimeout, "the upstream took too long to answer");
    return std::nullopt;
  }
  if (timeouts_.idle.count() == 0) return next;
  const std::optional<MonotonicTime> waiting = waiting_for_content_since();
  std::optional<MonotonicTime> since = earlier(waiting, waiting_for_window_since());
  if (tunnels_) since = last_progress();
  if (!since) return next;
  if (now < *since + timeouts_.idle) return earlier(next, *since + timeouts_.idle);
  cancel(ErrorCode::kTimeout, "the upstream took too long");
  return std::nullopt;
}

void ClientStream::settle() {
  if (closed()) client_->stream_settled(*this);
}

StreamHold::StreamHold(std::shared_ptr<ClientConnection> connection,
                       std::shared_ptr<ClientStream> stream)
    : connection_(std::move(connection)), stream_(std::move(stream)) {}

StreamHold::~StreamHold() {
  if (stream_) stream_->abandon();
  stream_.reset();
}

Task<Result<http::Response>> exchange(std::shared_ptr<ClientConnection> connection,
                                      http::Request& request, HttpClient::Timeouts timeouts,
                                      std::string_view scheme, Attempt& attempt) {
  if (!request.upgrade.empty() && request.upgrade != http::kConnect) {
    Result<void> allowed = co_await connection->may_upgrade(timeouts.response);
    if (!allowed) co_return fail(std::move(allowed));
  }
  const std::shared_ptr<ClientStream> stream = connection->make_stream();
  StreamHold hold(connection, stream);
  if (!stream->send(request, timeouts, scheme)) {
    attempt.refused = true;
    connection->stream_settled(*stream);
    co_return fail(ErrorCode::kUnavailable, "the upstream's connection takes no more requests");
  }
  Result<void> answered = co_await stream->answered();
  attempt = {.anything_came = stream->anything_came(),
             .refused = stream->was_refused(),
             .lost = connection->over(),
             .body_untouched = stream->body_is_untouched()};
  if (!answered) co_return fail(std::move(answered));
  http::Response response;
  response.status = stream->status();
  response.headers = std::move(stream->headers());
  if (!request.upgrade.empty() && response.status < 300) {
    response.status = 101;
    stream->become_tunnel();
    response.upgrade = std::make_unique<ConnectedStream>(std::move(hold));
    co_return response;
  }
  if (std::optional<std::string> whole = stream->whole_content()) {
    response.body.bytes = *std::move(whole);
    co_return response;
  }
  response.body = http::Body(std::make_unique<AnswerContent>(std::move(hold)), stream->length());
  co_return response;
}

}  // namespace gatehouse::net::http2
