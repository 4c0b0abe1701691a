#include "net/http2/server_connection.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <utility>

namespace gatehouse::net::http2 {
namespace {

// How long the announcement of the end (GOAWAY) may take to reach a client, if it does not say.
constexpr std::chrono::milliseconds kLastWordAfter{1'000};
// The timer comes that often at least, and so needs no setting for each new deadline.
constexpr std::chrono::milliseconds kLongestCheck{60'000};
constexpr std::chrono::milliseconds kShortestCheck{16};

FrameWatch::Limits limits_of(const ServerOptions::Http2& options) {
  return {.continuation_frames = options.continuation_frames,
          .control_frames_per_second = options.control_frames_per_second,
          .resets_per_second = options.resets_per_second};
}

LocalSettings settings_of(const ServerOptions& options) {
  LocalSettings settings;
  settings.streams = static_cast<std::uint32_t>(options.http2.streams);
  settings.header_list_bytes = static_cast<std::uint32_t>(options.limits.head_bytes);
  return settings;
}

std::optional<MonotonicTime> earlier(std::optional<MonotonicTime> a,
                                     std::optional<MonotonicTime> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

ServerConnection::ServerConnection(ServerContext& context, ServerResources& resources,
                                   std::unique_ptr<Stream> stream,
                                   std::shared_ptr<const http::Peer> peer, std::string early,
                                   Owner& owner)
    : Connection(context.loop, std::move(stream), resources.buffers, Side::kServer,
                 limits_of(context.options.http2), settings_of(context.options)),
      context_(context),
      resources_(resources),
      owner_(owner),
      peer_(std::move(peer)),
      early_(std::move(early)),
      refusals_(std::max(context.options.http2.streams, context.options.http2.resets_per_second)),
      began_(context.loop.now()),
      idle_since_(began_),
      timer_(context.loop, [this] { on_timer(); }) {}

ServerConnection::~ServerConnection() {
  task_.stop();
}

void ServerConnection::start() {
  set_timer(shortest_timeout());
  task_.start(run(std::move(early_)), [this] {
    break_off();
    run_ended();
  });
}

void ServerConnection::struck(Limit limit) const {
  if (context_.options.limit_counts != nullptr) context_.options.limit_counts->struck(limit);
}

// Streams.

MultiplexedStream* ServerConnection::stream_began(std::int32_t id) {
  const ServerOptions& options = context_.options;
  if (open_ >= options.http2.streams) {
    struck(Limit::kStreams);
    if (!refusals_.take(now())) {
      fault_found({FrameError::kEnhanceYourCalm, "too many streams", Limit::kResets});
      terminate(FrameError::kEnhanceYourCalm);
    }
    return nullptr;
  }
  std::unique_ptr<ServerStream> stream = resources_.streams.take();
  ServerStream& begun = *stream;
  owned_.push_back(std::move(stream));
  ++open_;
  ++requests_;
  begun.begin(*this, id);
  if (options.requests_per_connection != 0 && requests_ == options.requests_per_connection) {
    struck(Limit::kRequestsPerConnection);
    drain();
  }
  return &begun;
}

void ServerConnection::stream_closed(std::int32_t id, bool reset_by_us) {
  closed_.add(static_cast<std::uint32_t>(id), reset_by_us);
}

void ServerConnection::stream_ended(ServerStream& stream) {
  const auto place = std::ranges::find(owned_, &stream, &std::unique_ptr<ServerStream>::get);
  resources_.streams.give(std::move(*place));
  *place = std::move(owned_.back());
  owned_.pop_back();
  if (--open_ != 0) return;
  idle_since_ = now();
  end_if_over();
}

void ServerConnection::fed() {
  if (!ending()) {
    for (ServerStream* const stream : resources_.whole_heads) stream->start();
  }
  resources_.whole_heads.clear();
}

/// RFC 9113 §5.1: what may still come on a stream that is not new.
std::optional<FrameWatch::Fault> ServerConnection::check_stream(const FrameHead& frame) {
  using Fault = FrameWatch::Fault;
  if (nghttp2_session_find_stream(session(), static_cast<std::int32_t>(frame.stream)) != nullptr) {
    return {};
  }
  const bool headers = frame.type == FrameType::kHeaders;
  switch (closed_.find(frame.stream)) {
    case ClosedStreams::Kind::kReset:
      return {};
    case ClosedStreams::Kind::kEnded:
      return Fault{FrameError::kStreamClosed, "a frame on a closed stream"};
    case ClosedStreams::Kind::kNeverOpen:
      if (headers) return Fault{FrameError::kProtocolError, "a stream below the last one"};
      return Fault{FrameError::kStreamClosed, "content on a closed stream"};
    case ClosedStreams::Kind::kForgotten:
      if (headers) return Fault{FrameError::kStreamClosed, "a header block on a closed stream"};
      return {};  // of a stream that was reset long ago, or a fault that costs nothing
  }
  return {};
}

/// A client that has its streams reset by faults costs as much as one that resets them itself.
void ServerConnection::fault_was_reset() {
  const std::optional<FrameWatch::Fault> fault = watch().provoked_reset(now());
  if (!fault || ending()) return;
  fault_found(*fault);
  terminate(fault->code);
}

void ServerConnection::fault_found(const FrameWatch::Fault& fault) {
  if (fault.limit) struck(*fault.limit);
}

// How it ends.

void ServerConnection::drain() {
  if (std::exchange(draining_, true) || ending()) return;
  announce_end();
  last_word_due_ = now() + kLastWordAfter;
  check_by(*last_word_due_);
}

/// The client has read the announcement, and opens no more streams.
void ServerConnection::ping_acknowledged() {
  if (draining_) say_last_word();
}

void ServerConnection::say_last_word() {
  last_word_due_.reset();
  if (!std::exchange(last_word_said_, true)) refuse_new_streams();
}

void ServerConnection::abort() {
  break_off();
}

void ServerConnection::run_ended() {
  run_ended_ = true;
  close_streams();
  timer_.cancel();
  end_if_over();
}

void ServerConnection::end_if_over() {
  if (run_ended_ && open_ == 0) context_.loop.schedule(end_);
}

// Deadlines.

/// No deadline that begins from now on ends before that.
MonotonicTime ServerConnection::shortest_timeout() const {
  const ServerOptions& options = context_.options;
  std::chrono::milliseconds shortest = kLongestCheck;
  for (const std::chrono::milliseconds timeout :
       {options.head_timeout, options.keep_alive_timeout, options.body_idle_timeout,
        options.write_idle_timeout, options.tunnel_idle_timeout}) {
    if (timeout.count() != 0) shortest = std::min(shortest, timeout);
  }
  return now() + std::max(shortest, kShortestCheck);
}

void ServerConnection::on_timer() {
  const MonotonicTime time = now();
  const std::optional<MonotonicTime> connection = check_connection(time);
  if (ending()) return;
  const std::optional<MonotonicTime> next = earlier(connection, check_streams(time));
  set_timer(*earlier(next, shortest_timeout()));
}

void ServerConnection::set_timer(MonotonicTime at) {
  next_check_ = at;
  timer_.set(at);
}

void ServerConnection::check_by(MonotonicTime at) {
  if (at < next_check_) set_timer(at);
}

std::optional<MonotonicTime> ServerConnection::check_connection(MonotonicTime now) {
  const ServerOptions& options = context_.options;
  std::optional<MonotonicTime> next;
  // True if the wait since then has been too long.
  const auto expired = [&](std::optional<MonotonicTime> since, std::chrono::milliseconds limit) {
    if (!since || limit.count() == 0) return false;
    if (now >= *since + limit) return true;
    next = earlier(next, *since + limit);
    return false;
  };
  if (last_word_due_ && now >= *last_word_due_) say_last_word();
  if (expired(blocked_since(), options.write_idle_timeout)) {
    struck(Limit::kWriteTimeout);
    break_off();
    return std::nullopt;
  }
  const std::optional<MonotonicTime> head_since =
      settings_received() ? within_since() : std::optional(began_);
  if (expired(head_since, options.head_timeout)) {
    struck(Limit::kHeadTimeout);
    terminate(FrameError::kEnhanceYourCalm);
    return std::nullopt;
  }
  const bool idle = open_ == 0 && !within_since();
  if (expired(idle ? std::optional(idle_since_) : std::nullopt, options.keep_alive_timeout)) {
    struck(Limit::kKeepAliveTimeout);
    terminate(FrameError::kNoError);
    return std::nullopt;
  }
  return earlier(next, last_word_due_);
}

std::optional<MonotonicTime> ServerConnection::check_streams(MonotonicTime now) {
  std::optional<MonotonicTime> next;
  for (const std::unique_ptr<ServerStream>& stream : owned_) {
    next = earlier(next, stream->check_deadlines(now));
  }
  return next;
}

}  // namespace gatehouse::net::http2
