#include "net/http2/server_stream.h"

#include <algorithm>
#include <string>
#include <utility>

#include "net/cancellable_read.h"
#include "net/error_answer.h"
#include "net/http2/server_connection.h"
#include "net/tunnel.h"

namespace gatehouse::net::http2 {
namespace {

// A client whose request is all but sent may end it: only then is it told to stop.
constexpr std::chrono::milliseconds kUnwantedAfter{250};

bool never_has_body(int status) {
  return status == 204 || status == 304;
}

std::optional<std::uint64_t> known_length(const http::Body& body) {
  return body.stream ? body.length : std::optional<std::uint64_t>(body.bytes.size());
}

std::optional<MonotonicTime> earlier(std::optional<MonotonicTime> a,
                                     std::optional<MonotonicTime> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

/// What a handler reads a body by that was not whole when its head came.
class ServerStream::Content final : public http::BodyReader {
 public:
  explicit Content(ServerStream& stream) : stream_(stream) {}
  Task<Result<std::string_view>> read() override {
    if (stream_.must_continue_) stream_.send_continue();
    return stream_.read_content();
  }
  bool ready() const override { return stream_.content_ready(); }
  const http::Headers& trailers() const override { return stream_.received_trailers(); }

 private:
  ServerStream& stream_;
};

ServerStream::~ServerStream() {
  relay_.stop();
  task_.stop();
}

void ServerStream::begin(ServerConnection& connection, std::int32_t id) {
  open(connection, id);
  server_ = &connection;
  head_.begin(request_, connection.context().options.limits);
  refusal_.reset();
  cancellation_ = {};
  answered_ = {};
  rate_bytes_ = 0;
  trailer_bytes_ = 0;
  status_ = 0;
  head_whole_ = started_ = done_ = must_continue_ = tunnels_ = false;
  relayed_ = true;
  fault_ = {};
  unwanted_at_.reset();
}

// The head and the trailers.

void ServerStream::take_field(std::string_view name, std::string_view value) {
  if (head_whole_) return take_trailer(name, value);
  head_.take(name, value);
}

void ServerStream::refuse_field() {
  if (!head_whole_) return head_.refuse(400, "a header field that is none");
  fault_ = "a trailer that is none";
  fail_content(ErrorCode::kCorrupt, fault_);
}

void ServerStream::take_trailer(std::string_view name, std::string_view value) {
  trailer_bytes_ += name.size() + value.size();
  if (trailer_bytes_ > server_->context().options.limits.trailer_bytes) {
    fault_ = "too long trailers";
  } else if (http1::is_forbidden_trailer(name) || !http::is_field_value(value)) {
    fault_ = "a trailer that no trailer may be";
  } else if (http1::is_allowed_trailer(name)) {
    received_trailers_.add(name, value);
  }
  if (!fault_.empty()) fail_content(ErrorCode::kCorrupt, fault_);
}

void ServerStream::take_fields_end() {
  if (std::exchange(head_whole_, true)) return;
  refusal_ = head_.finish();
  const std::uint64_t limit = server_->context().options.body_bytes;
  if (!refusal_ && limit != 0 && head_.length().value_or(0) > limit) {
    server_->struck(Limit::kBodyBytes);
    refusal_ = http1::Refusal{413, "the request's body is too long"};
  }
  if (refusal_ && refusal_->status == 431) {
    const bool fields = refusal_->reason == http1::kTooManyFields;
    server_->struck(fields ? Limit::kHeaderFields : Limit::kHeadBytes);
  }
  if (refusal_ && refusal_->status == 414) server_->struck(Limit::kTargetBytes);
  server_->head_is_whole(*this);
}

void ServerStream::content_arrived() {
  const std::uint64_t limit = server_->context().options.body_bytes;
  if (limit == 0 || received() <= limit || !request_.upgrade.empty()) return;
  server_->struck(Limit::kBodyBytes);
  fail_content(ErrorCode::kExhausted, "the request's body is too long");
}

// The exchange.

void ServerStream::start() {
  if (closed()) return;
  request_.peer = server_->peer();
  request_.received = rate_at_ = connection().now();
  request_.cancellation = &cancellation_;
  request_.trace.clear();
  open_body();
  started_ = true;
  task_.start(serve(), [this] {
    exception_left("the exchange threw an exception");
    done_ = true;
    settle_soon();
  });
}

void ServerStream::open_body() {
  if (refusal_ || !request_.upgrade.empty()) return;
  if (remote_ended() && received_trailers().empty() && !content_failure()) {
    request_.body.bytes = take_content();
    return;
  }
  must_continue_ = head_.expects_continue() && !content_ready();
  request_.body = http::Body(std::make_unique<Content>(*this), head_.length());
}

void ServerStream::send_continue() {
  must_continue_ = false;
  FieldList fields;
  fields.add(":status", "100");
  connection().submit_interim(*this, fields);
}

Task<void> ServerStream::serve() {
  if (!refusal_) {
    try {
      Task<http::Response> handling = server_->context().handler.handle(request_);
      response_ = co_await std::move(handling);
    } catch (...) {
      // What it says may hold anything, a secret too.
      request_.trace.failure = "the handler threw an exception";
      response_ = error_answer(500, "");
    }
  }
  // An upstream's own 413 comes without a failure.
  if (response_.status == 413 && !request_.trace.failure.empty()) {
    server_->struck(Limit::kBodyBytes);
  }
  answered_ = connection().now();
  check_answer();
  must_continue_ = false;
  status_ = closed() ? kClientLeft : response_.status;
  try {
    if (!closed() && response_.status == 101) {
      co_await tunnel();
    } else if (!closed()) {
      co_await answer();
    }
  } catch (...) {
    exception_left(tunnels_ ? "the upgrade's stream threw an exception"
                            : "the answer's body threw an exception");
  }
  // An upstream's connection goes back to its pool at once; bytes may be on their way still.
  response_.body.stream.reset();
  response_.upgrade.reset();
  done_ = true;
  if (closed()) settle_soon();
}

void ServerStream::exception_left(std::string_view what) {
  request_.trace.failure = what;
  connection().reset(*this, FrameError::kInternalError);
}

/// Puts an error in the place of an answer that would be no answer.
void ServerStream::check_answer() {
  std::optional<http1::Refusal> instead = refusal_;
  const bool switching = response_.status == 101;
  const bool may_switch = response_.upgrade && !request_.upgrade.empty();
  if (!instead && !fault_.empty()) instead = {400, fault_};
  const std::optional<ErrorCode> failure = content_failure();
  if (!instead && failure == ErrorCode::kTimeout) {
    instead = {408, "the request's body took too long"};
  }
  if (!instead && failure == ErrorCode::kExhausted) {
    instead = {413, "the request's body is too long"};
  }
  if (!instead && failure) instead = {400, "the request's body was cut short"};
  if (!instead && (switching ? !may_switch : response_.status < 200 || response_.status > 599)) {
    instead = {500, ""};
  }
  // RFC 8441 §5, RFC 9110 §9.3.6: the client would take it for what it asked for.
  if (!instead && !request_.upgrade.empty() && !switching && response_.status < 300) {
    instead = {500, ""};
  }
  if (instead) response_ = error_answer(instead->status, instead->reason);
}

void ServerStream::write_head(int status, std::optional<std::uint64_t> length) {
  fields_.clear();
  fields_.add_copied(":status", std::to_string(status));
  if (!response_.headers.has("date")) {
    response_.headers.add("date", server_->context().date.value());
  }
  fields_.add_all(response_.headers, {"sec-websocket-accept"});
  if (length) fields_.add_copied("content-length", std::to_string(*length));
}

Task<void> ServerStream::answer() {
  const std::optional<std::uint64_t> length = known_length(response_.body);
  const bool head = request_.method == "HEAD";
  if (head || never_has_body(response_.status)) {
    // What a GET would have been told, by whoever made the answer or by its body.
    std::optional<std::uint64_t> told;
    if (response_.status != 204) {
      told = parse_length(response_.headers.get("content-length").value_or(""));
    }
    if (head && length.value_or(0) != 0) told = length;
    write_head(response_.status, told);
    connection().submit_answer(*this, fields_, Connection::Content::kNone);
    co_return;
  }
  write_head(response_.status, length);
  if (response_.body.stream) {
    connection().submit_answer(*this, fields_, Connection::Content::kFollows);
    co_await send_stream(*response_.body.stream, length);
    co_return;
  }
  if (response_.body.bytes.empty()) {
    connection().submit_answer(*this, fields_, Connection::Content::kNone);
    co_return;
  }
  end_outgoing(nullptr);
  offer(response_.body.bytes);
  connection().submit_answer(*this, fields_, Connection::Content::kFollows);
}

Task<void> ServerStream::send_stream(http::BodyReader& body, std::optional<std::uint64_t> length) {
  std::uint64_t passed = 0;
  for (;;) {
    CancellableRead reading(connection().loop(), body.read(), &cancellation_);
    const Result<std::string_view> piece = co_await reading;
    if (closed()) co_return;
    const bool sound = piece && (!length || passed + piece->size() <= *length) &&
                       (!piece->empty() || !length || passed == *length);
    // What came of it must not look whole.
    if (!sound) co_return connection().reset(*this, FrameError::kInternalError);
    if (piece->empty()) break;
    passed += piece->size();
    offer(*piece);
    connection().gather();
    while (!piece_gone()) co_await piece_signal();
    if (closed()) co_return;
  }
  // Copied, because they go when the body has.
  received_trailers_ = {};
  const bool any = http1::has_trailing_metadata(response_.headers.get("content-type").value_or(""));
  for (const http::Field field : body.trailers()) {
    const bool passes =
        any ? !http1::is_forbidden_trailer(field.name) : http1::is_allowed_trailer(field.name);
    if (passes) received_trailers_.add(field.name, field.value);
  }
  end_outgoing(&received_trailers_);
}

// An upgrade.

Task<void> ServerStream::tunnel() {
  tunnels_ = true;
  relayed_ = false;
  write_head(200, std::nullopt);
  connection().submit_answer(*this, fields_, Connection::Content::kFollows);
  cancellation_.listen([this] { response_.upgrade->abort(); });
  relay_.start(relay_to_upgrade(), [this] {
    exception_left("the upgrade's stream threw an exception");
    response_.upgrade->abort();
    relayed_ = true;
    relay_ended_.wake(connection().loop());
  });
  std::exception_ptr exception;
  try {
    co_await relay_to_client();
  } catch (...) {
    exception = std::current_exception();
    response_.upgrade->abort();
    exception_left("the upgrade's stream threw an exception");
  }
  while (!relayed_) co_await relay_ended_;
  cancellation_.listen({});
}

Task<void> ServerStream::relay_to_client() {
  for (;;) {
    const Result<std::string_view> piece = co_await response_.upgrade->read();
    if (closed()) co_return;
    if (!piece) {
      connection().reset(*this, FrameError::kConnectError);
      co_return;
    }
    if (piece->empty()) break;
    offer(*piece);
    connection().gather();
    while (!piece_gone()) co_await piece_signal();
    if (closed()) co_return;
  }
  end_outgoing(nullptr);
}

Task<void> ServerStream::relay_to_upgrade() {
  bool more = true;
  while (more) {
    const Result<std::string_view> piece = co_await read_content();
    more = piece && !piece->empty();
    if (!piece) {
      response_.upgrade->abort();
    } else if (piece->empty()) {
      response_.upgrade->finish();
    } else {
      const Result<void> written = co_await response_.upgrade->write(*piece);
      more = written.has_value();
      if (!written) connection().reset(*this, FrameError::kConnectError);
    }
  }
  relayed_ = true;
  relay_ended_.wake(connection().loop());
}

// After it.

/// RFC 9113 §8.1: what is left of the request is not wanted any more. It is checked and dropped for
/// a while: a reset that meets a request's last frames makes some clients lose the answer, and what
/// is wrong with those frames must be told.
void ServerStream::take_local_end() {
  MultiplexedStream::take_local_end();
  answer_gone_ = connection().now();
  if (remote_ended() || tunnels_) return;
  fail_content(ErrorCode::kCancelled, "the request is answered");
  unwanted_at_ = answer_gone_ + kUnwantedAfter;
  server_->check_by(*unwanted_at_);
}

void ServerStream::settle() {
  if (!closed()) return;
  if (started_ && !done_) return cancellation_.cancel();
  finish();
}

void ServerStream::finish() {
  if (head_whole_) tell_observer();
  release_content();
  relay_.stop();
  task_.stop();
  response_ = {};
  request_.body = {};
  request_.peer.reset();
  cancellation_ = {};
  Link::unlink();
  server_->stream_ended(*this);
}

void ServerStream::tell_observer() {
  ServerContext& context = server_->context();
  if (context.observer == nullptr) return;
  Exchange exchange{.request = request_};
  const int joined = request_.upgrade == http::kConnect ? 200 : 101;
  exchange.status = tunnels_ ? joined : status_;
  if (exchange.status != 0) exchange.response = &response_;
  exchange.received = received();
  exchange.sent = sent();
  exchange.started = request_.received;
  exchange.answered = answered_;
  exchange.finished = local_ended() && !tunnels_ ? answer_gone_ : connection().now();
  exchange.complete = local_ended() && (!tunnels_ || remote_ended());
  context.observer->ended(exchange);
}

// Deadlines.

std::optional<MonotonicTime> ServerStream::check_deadlines(MonotonicTime now) {
  if (closed()) return std::nullopt;
  if (tunnels_) return tunnel_deadline(now);
  if (unwanted_at_) return unwanted_deadline(now);
  return earlier(content_deadline(now), window_deadline(now));
}

std::optional<MonotonicTime> ServerStream::unwanted_deadline(MonotonicTime now) {
  if (now >= *unwanted_at_) {
    connection().reset(*this, FrameError::kNoError);
    unwanted_at_.reset();
  }
  return unwanted_at_;
}

std::optional<MonotonicTime> ServerStream::content_deadline(MonotonicTime now) {
  const ServerOptions& options = server_->context().options;
  const std::optional<MonotonicTime> since = waiting_for_content_since();
  const std::chrono::milliseconds limit = options.body_idle_timeout;
  if (!since || limit.count() == 0 || request_.may_pause) return std::nullopt;
  bool too_slow = now >= *since + limit;
  if (options.body_bytes_per_second != 0 && now - rate_at_ >= limit) {
    const double seconds = std::chrono::duration<double>(now - rate_at_).count();
    const auto due = seconds * static_cast<double>(options.body_bytes_per_second);
    too_slow = too_slow || static_cast<double>(received() - rate_bytes_) < due;
    rate_at_ = now;
    rate_bytes_ = received();
  }
  if (!too_slow) return std::min(*since, rate_at_) + limit;
  server_->struck(Limit::kBodyTimeout);
  fail_content(ErrorCode::kTimeout, "the peer took too long");
  return std::nullopt;
}

std::optional<MonotonicTime> ServerStream::window_deadline(MonotonicTime now) {
  const std::chrono::milliseconds limit = server_->context().options.write_idle_timeout;
  const std::optional<MonotonicTime> since = waiting_for_window_since();
  if (!since || limit.count() == 0) return std::nullopt;
  if (now < *since + limit) return *since + limit;
  server_->struck(Limit::kWriteTimeout);
  connection().reset(*this, FrameError::kCancel);
  return std::nullopt;
}

std::optional<MonotonicTime> ServerStream::tunnel_deadline(MonotonicTime now) {
  std::chrono::milliseconds limit = server_->context().options.tunnel_idle_timeout;
  const bool half_closed = local_ended() || remote_ended();
  if (half_closed && (limit.count() == 0 || limit > Tunnel::kHalfClosedIdle)) {
    limit = Tunnel::kHalfClosedIdle;
  }
  if (limit.count() == 0) return std::nullopt;
  if (now < last_progress() + limit) return last_progress() + limit;
  server_->struck(Limit::kTunnelTimeout);
  connection().reset(*this, FrameError::kCancel);
  return std::nullopt;
}

}  // namespace gatehouse::net::http2
