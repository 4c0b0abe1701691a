#include "net/server_connection.h"

#include <string>
#include <string_view>
#include <utility>

#include "net/error_answer.h"
#include "net/http2/frames.h"
#include "net/pieces.h"
#include "net/tunnel.h"
#include "net/websocket_handshake.h"

namespace gatehouse::net {
namespace {

// A connection that is closed while bytes of the client lie unread is reset, and the reset may
// overtake the answer. So we read on for a while after the last answer (RFC 9112 §9.6).
constexpr std::chrono::milliseconds kLingerTime{2'000};
constexpr std::size_t kLingerBytes = 1024 * 1024;

}  // namespace

/// What a handler reads a body by that was not whole when its head came.
class ServerConnection::RequestBody final : public http::BodyReader {
 public:
  explicit RequestBody(ServerConnection& connection) : connection_(connection) {}

  Task<Result<std::string_view>> read() override {
    if (connection_.must_continue_) return continue_and_read();
    return connection_.body_->read();
  }
  bool ready() const override { return connection_.body_->ready(); }
  http::SocketBytes* in_socket() override {
    return connection_.must_continue_ ? nullptr : connection_.body_->in_socket();
  }
  const http::Headers& trailers() const override { return connection_.body_->trailers(); }

 private:
  Task<Result<std::string_view>> continue_and_read() {
    Result<void> sent = co_await connection_.send_continue();
    if (!sent) co_return fail(std::move(sent));
    Result<std::string_view> piece = co_await connection_.body_->read();
    co_return piece;
  }

  ServerConnection& connection_;
};

ServerConnection::ServerConnection(ServerContext& context, std::unique_ptr<Stream> stream,
                                   http::Peer peer, Owner& owner)
    : context_(context),
      owner_(owner),
      stream_(std::move(stream)),
      peer_(std::make_shared<const http::Peer>(std::move(peer))) {}

ServerConnection::~ServerConnection() {
  task_.stop();
}

void ServerConnection::start() {
  stream_->on_hang_up([this] { client_finished(); });
  task_.start(serve(), [this] { end_by_exception(); });
}

void ServerConnection::client_finished() {
  if (!exchanging_) return;
  if (stream_->gone()) return client_left();
  doubt_ = std::make_unique<Loop::Timer>(context_.loop, [this] { judge_doubt(); });
  doubt_->set_after(context_.options.half_closed_timeout);
}

/// What was sent since has not been answered by a reset: it is read.
void ServerConnection::judge_doubt() {
  const std::uint64_t sent = writer_ != nullptr ? writer_->sent() : 0;
  if (sent == std::exchange(sent_in_doubt_, sent)) return client_left();
  doubt_->set_after(context_.options.half_closed_timeout);
}

void ServerConnection::client_left() {
  if (!exchanging_) return;
  left_ = true;
  cancellation_.cancel();
}

void ServerConnection::drain() {
  const bool idle = !exchanging_ && !workspace_;
  // Its wait ends at once, as if it had been idle for too long.
  if (idle) stream_->set_deadline(Stream::Direction::kRead, context_.loop.now());
}

std::unique_ptr<Stream> ServerConnection::take_stream() {
  stream_->on_hang_up({});
  stream_->set_deadline(Stream::Direction::kRead, std::nullopt);
  return std::move(stream_);
}

void ServerConnection::abort() {
  stream_->abort();
  if (exchanging_) cancellation_.cancel();
}

Task<void> ServerConnection::serve() {
  bool in_order = true;
  while (in_order && keep_alive_) {
    HeadState head = look_for_head();
    while (head == HeadState::kIncomplete) {
      const Result<void> readable = co_await stream_->readable();
      head = look_again(readable);
    }
    if (head == HeadState::kClosed) break;
    if (head == HeadState::kHttp2) co_return context_.loop.schedule(end_);
    begin_exchange();
    http::Response response;
    if (!refusal_) {
      try {
        Task<http::Response> handling = context_.handler.handle(workspace_->head.request);
        response = co_await std::move(handling);
      } catch (...) {
        // What it says may hold anything, a secret too.
        workspace_->head.request.trace.failure = "the handler threw an exception";
        response = error_answer(500, "");
      }
    }
    check_answer(response);
    answered_ = context_.loop.now();
    const std::optional<bool> sent = answer_at_once(response);
    in_order = sent.value_or(false);
    if (!sent) in_order = co_await answer(response);
    exchanging_ = false;
    // An upload to an upstream that has answered early goes with the answer, and leaves the
    // request's body to us.
    response = {};
    if (in_order && keep_alive_ && body_is_left()) keep_alive_ = co_await drain_body();
    // Who sends many requests ahead gets one served a turn.
    if (!workspace_->buffer.empty()) co_await NextTurn(context_.loop);
  }
  if (in_order && workspace_) co_await linger();
  stream_->finish();
  context_.loop.schedule(end_);
}

/// Handlers, bodies and upgrades have had theirs caught: this one came out of the connection, for
/// want of memory or from the observer.
void ServerConnection::end_by_exception() {
  context_.loop.schedule(end_);
  abort();
}

// Reading a head.

ServerConnection::HeadState ServerConnection::look_again(const Result<void>& readable) {
  // A request that is there already when the server begins to drain is served.
  const bool look = readable || (context_.draining() && !head_begun_);
  return look ? look_for_head() : head_missed(readable.error().code);
}

ServerConnection::HeadState ServerConnection::look_for_head() {
  if (!workspace_) workspace_ = context_.workspaces.take();
  ReadBuffer& buffer = workspace_->buffer;
  // Pipelined behind the last request.
  if (!head_begun_ && !buffer.empty()) {
    const HeadState state = parse_head();
    if (state != HeadState::kIncomplete) return state;
  }
  for (;;) {
    const IoResult got = stream_->try_read(buffer.space());
    if (got.kind == IoResult::Kind::kWouldBlock) return wait_for_bytes();
    if (got.kind != IoResult::Kind::kDone) return head_missed(ErrorCode::kUnavailable);
    buffer.commit(got.bytes);
    if (!http1::may_complete_head(buffer.text(), got.bytes, context_.options.limits)) continue;
    const HeadState state = parse_head();
    if (state != HeadState::kIncomplete) return state;
  }
}

ServerConnection::HeadState ServerConnection::parse_head() {
  const std::string_view text = workspace_->buffer.text();
  // Over TLS it is ALPN that chooses HTTP/2 (RFC 9113 §3.2).
  const bool may_choose = requests_ == 0 && !stream_->secure() && context_.options.http2.enabled;
  if (may_choose && text.starts_with("PRI ")) {
    speaks_http2_ = text.starts_with(http2::kPreface);
    if (speaks_http2_) return HeadState::kHttp2;
    if (http2::kPreface.starts_with(text)) return HeadState::kIncomplete;
  }
  std::size_t consumed = 0;
  const auto parsed =
      http1::parse_request_head(workspace_->buffer.text(), stream_->secure(),
                                context_.options.limits, workspace_->head, consumed);
  if (!parsed) return HeadState::kIncomplete;
  head_begun_ = false;
  // RFC 9113 §3.4: an HTTP/2 client would take an answer in words for a frame.
  if (!*parsed && parsed->error().status == http1::kNotHttp) return HeadState::kClosed;
  if (!*parsed) return refuse(parsed->error());
  workspace_->buffer.consume(consumed);
  return HeadState::kComplete;
}

ServerConnection::HeadState ServerConnection::wait_for_bytes() {
  const ServerOptions& options = context_.options;
  if (workspace_->buffer.empty()) {
    if (context_.draining()) return HeadState::kClosed;
    give_workspace_back();
    stream_->set_deadline(Stream::Direction::kRead,
                          deadline_after(context_.loop, options.keep_alive_timeout));
  } else if (!std::exchange(head_begun_, true)) {
    stream_->set_deadline(Stream::Direction::kRead,
                          deadline_after(context_.loop, options.head_timeout));
  }
  return HeadState::kIncomplete;
}

/// RFC 9112 §2.2: an empty line in front of a head is none of it yet.
bool ServerConnection::head_has_begun() const {
  constexpr std::string_view kEmptyLine = "\r\n";
  return workspace_ && !kEmptyLine.starts_with(workspace_->buffer.text());
}

ServerConnection::HeadState ServerConnection::head_missed(ErrorCode why) {
  if (!head_has_begun()) {
    if (why == ErrorCode::kTimeout) struck(Limit::kKeepAliveTimeout);
    return HeadState::kClosed;
  }
  if (why == ErrorCode::kTimeout) return refuse({408, "the request's head took too long"});
  return refuse({400, "the request's head was cut short"});
}

void ServerConnection::struck(Limit limit) const {
  if (context_.options.limit_counts != nullptr) context_.options.limit_counts->struck(limit);
}

/// The limit behind an answer that only a limit gives, or an upstream.
std::optional<Limit> ServerConnection::limit_behind(int status) const {
  const bool failed =
      !workspace_->head.request.trace.failure.empty() || (body_ && body_->failure());
  if (!refusal_ && !failed) return std::nullopt;
  switch (status) {
    case 408:
      return body_ ? Limit::kBodyTimeout : Limit::kHeadTimeout;
    case 413:
      return Limit::kBodyBytes;
    case 414:
      return Limit::kTargetBytes;
    case 431:
      return refusal_ && refusal_->reason == http1::kTooManyFields ? Limit::kHeaderFields
                                                                   : Limit::kHeadBytes;
    default:
      return std::nullopt;
  }
}

ServerConnection::HeadState ServerConnection::refuse(http1::Refusal refusal) {
  refusal_ = refusal;
  workspace_->head.keep_alive = false;
  return HeadState::kRefused;
}

// An exchange.

void ServerConnection::begin_exchange() {
  http::Request& request = workspace_->head.request;
  request.peer = peer_;
  request.received = context_.loop.now();
  request.cancellation = &cancellation_;
  request.trace.clear();
  cancellation_ = {};
  left_ = false;
  // Who has only finished sending by now may well read the answer.
  if (stream_->gone()) cancellation_.cancel();
  exchanging_ = true;
  ++requests_;
  body_.reset();
  request.body = {};
  must_continue_ = false;
  if (!refusal_) open_body();
}

void ServerConnection::open_body() {
  http1::RequestHead& head = workspace_->head;
  ReadBuffer& buffer = workspace_->buffer;
  if (head.framing.kind == http1::Framing::Kind::kNone) return;
  if (head.framing.kind == http1::Framing::Kind::kLength && head.framing.length <= buffer.size()) {
    const auto length = static_cast<std::size_t>(head.framing.length);
    head.request.body.bytes.assign(buffer.text().substr(0, length));
    buffer.consume(length);
    return;
  }
  must_continue_ = head.expects_continue && buffer.empty();
  body_.emplace(context_.loop, *stream_, buffer, head.framing, context_.options.limits,
                context_.options.body_idle_timeout, context_.options.body_bytes_per_second);
  if (!body_->fault().empty()) {
    refusal_ = http1::Refusal{400, body_->fault()};
    return;
  }
  const bool sized = head.framing.kind == http1::Framing::Kind::kLength;
  head.request.body = http::Body(std::make_unique<RequestBody>(*this),
                                 sized ? std::optional(head.framing.length) : std::nullopt);
}

/// Puts an error in the place of an answer that would be no answer.
void ServerConnection::check_answer(http::Response& response) const {
  std::optional<http1::Refusal> instead = refusal_;
  if (!instead && left_) instead = {kClientLeft, "the client left"};
  const bool switching = response.status == 101;
  const bool may_switch = response.upgrade && !workspace_->head.request.upgrade.empty();
  if (!instead && body_ && !body_->fault().empty()) instead = {400, body_->fault()};
  if (!instead && body_ && body_->failure() == ErrorCode::kTimeout) {
    instead = {408, "the request's body took too long"};
  }
  if (!instead && body_ && body_->failure()) instead = {400, "the request's body was cut short"};
  if (!instead && (switching ? !may_switch : response.status < 200 || response.status > 599)) {
    instead = {500, ""};
  }
  if (!instead && is_connect() && !switching && response.status < 300) instead = {500, ""};
  if (instead) response = error_answer(instead->status, instead->reason);
}

bool ServerConnection::is_connect() const {
  return workspace_->head.request.upgrade == http::kConnect;
}

bool ServerConnection::can_keep_alive(const http::Response& response) const {
  const std::size_t limit = context_.options.requests_per_connection;
  if (context_.phase != ServerContext::Phase::kServing) return false;
  if (!workspace_->head.keep_alive || response.close) return false;
  if (limit != 0 && requests_ >= limit) {
    struck(Limit::kRequestsPerConnection);
    return false;
  }
  if (!body_is_left()) return true;
  // The client may send the body or leave it; nobody can tell its bytes from the next request's.
  return !must_continue_ && body_->left() <= context_.options.undrained_body_limit;
}

http1::Framing ServerConnection::begin_answer(AnswerWriter& writer, http::Response& response) {
  if (!response.headers.has("date")) response.headers.add("Date", context_.date.value());
  workspace_->out.clear();
  const http1::Framing framing = writer.frame(workspace_->head.request, response);
  keep_alive_ = can_keep_alive(response) && framing.kind != http1::Framing::Kind::kUntilClose;
  must_continue_ = false;
  return framing;
}

bool ServerConnection::end_answer(const AnswerWriter& writer, const http::Response& response,
                                  bool complete) {
  if (const std::optional<Limit> limit = limit_behind(response.status)) struck(*limit);
  if (!complete) stream_->abort();
  tell_observer(response, writer.sent(), complete);
  return complete;
}

/// Sends an answer whose body is whole, if it goes without waiting, and says whether the connection
/// is in order. nullopt: it is for answer(), which finds what is left in the workspace.
std::optional<bool> ServerConnection::answer_at_once(http::Response& response) {
  if (response.status == 101 || response.body.stream) return std::nullopt;
  AnswerWriter writer = make_writer();
  const http1::Framing framing = begin_answer(writer, response);
  workspace_->unsent =
      writer.whole(response, framing, keep_alive_, workspace_->head.request.version);
  workspace_->unsent_body = writer.sent();
  const bool works = try_send(*stream_, workspace_->unsent);
  if (works && !workspace_->unsent.empty()) return std::nullopt;
  return end_answer(writer, response, works);
}

Task<bool> ServerConnection::answer(http::Response& response) {
  if (response.status == 101) {
    const bool ended = co_await tunnel(response);
    co_return ended;
  }
  AnswerWriter writer = make_writer();
  Result<void> written = fail(ErrorCode::kInternal, "the body threw an exception");
  if (response.body.stream) {
    const http1::Framing framing = begin_answer(writer, response);
    http::Request& request = workspace_->head.request;
    writer_ = &writer;
    try {
      written = co_await writer.write_stream(response, framing, keep_alive_, request.version);
    } catch (...) {
      request.trace.failure = "the answer's body threw an exception";
    }
    writer_ = nullptr;
  } else {
    written = co_await writer.write_rest(workspace_->unsent, workspace_->unsent_body);
  }
  if (!written && written.error().code == ErrorCode::kTimeout) struck(Limit::kWriteTimeout);
  co_return end_answer(writer, response, written.has_value());
}

AnswerWriter ServerConnection::make_writer() {
  return {context_.loop, *stream_, workspace_->out, context_.options.write_idle_timeout,
          cancellation_};
}

Task<bool> ServerConnection::tunnel(http::Response& response) {
  keep_alive_ = false;
  http::Request& request = workspace_->head.request;
  workspace_->out.clear();
  complete_websocket_answer(request, response);
  http1::write_upgrade_head(workspace_->out, response, request.upgrade);
  Pieces head;
  head.add(workspace_->out);
  const Result<void> sent =
      co_await send_rest(context_.loop, *stream_, head, context_.options.write_idle_timeout);
  stream_->on_hang_up({});  // the tunnel finds out by itself
  Tunnel tunnel(context_.loop, *stream_, workspace_->buffer, *response.upgrade,
                context_.options.tunnel_idle_timeout);
  cancellation_.listen([&tunnel] { tunnel.abort(); });
  if (!sent) tunnel.abort();
  co_await tunnel.run();
  cancellation_.listen({});
  if (tunnel.timed_out()) struck(Limit::kTunnelTimeout);
  if (tunnel.threw()) request.trace.failure = "the upgrade's stream threw an exception";
  body_.reset();
  if (is_connect()) response.status = 200;
  tell_observer(response, tunnel.sent(), tunnel.complete());
  co_return false;
}

Task<Result<void>> ServerConnection::send_continue() {
  must_continue_ = false;
  Pieces pieces;
  pieces.add("HTTP/1.1 100 Continue\r\n\r\n");
  Result<void> sent =
      co_await send_rest(context_.loop, *stream_, pieces, context_.options.write_idle_timeout);
  co_return sent;
}

void ServerConnection::tell_observer(const http::Response& response, std::uint64_t sent,
                                     bool complete) {
  if (context_.observer == nullptr) return;
  const http::Request& request = workspace_->head.request;
  Exchange exchange{.request = request};
  exchange.response = &response;
  exchange.status = response.status;
  exchange.received = body_ ? body_->received() : request.body.bytes.size();
  exchange.sent = sent;
  exchange.started = request.received;
  exchange.answered = answered_;
  exchange.finished = context_.loop.now();
  exchange.complete = complete;
  context_.observer->ended(exchange);
}

// After it.

Task<bool> ServerConnection::drain_body() {
  std::uint64_t passed = 0;
  while (body_is_left()) {
    const Result<std::string_view> piece = co_await body_->read();
    if (!piece) co_return false;
    passed += piece->size();
    if (passed > context_.options.undrained_body_limit) co_return false;
  }
  co_return true;
}

void ServerConnection::give_workspace_back() {
  body_.reset();
  workspace_->head.request.body = {};
  workspace_->buffer.shrink();
  context_.workspaces.give(std::move(workspace_));
}

Task<void> ServerConnection::linger() {
  ReadBuffer& buffer = workspace_->buffer;
  const bool more_may_come = refusal_ || body_is_left() || !buffer.empty();
  if (!more_may_come || context_.draining()) co_return;
  stream_->finish();
  stream_->set_deadline(Stream::Direction::kRead, context_.loop.now() + kLingerTime);
  std::size_t passed = 0;
  while (passed < kLingerBytes) {
    buffer.clear();
    const IoResult got = stream_->try_read(buffer.space());
    if (got.kind == IoResult::Kind::kEnd || got.kind == IoResult::Kind::kFailed) break;
    passed += got.bytes;
    if (got.kind == IoResult::Kind::kDone) continue;
    const Result<void> readable = co_await stream_->readable();
    if (!readable) break;
  }
}

}  // namespace gatehouse::net
