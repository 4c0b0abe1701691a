#include "net/http2/client_connection.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <utility>

#include "net/pieces.h"

namespace gatehouse::net::http2 {
namespace {

// Until the upstream's SETTINGS say it (RFC 9113 §6.5.2 recommends no fewer).
constexpr std::size_t kStreamsAtFirst = 100;
// Ids of one connection; the last ones are left, so that none is asked for in vain.
constexpr std::int32_t kLastStream = INT32_MAX - 1'000;
// An upstream that asks for more of our time than a busy one would is not served.
constexpr FrameWatch::Limits kLimits{
    .continuation_frames = 16, .control_frames_per_second = 1'000, .resets_per_second = 10'000};
// For an upgrade, if the caller sets no limit.
constexpr std::chrono::milliseconds kSettingsTimeout{10'000};
// An upstream that takes nothing for that long takes no RST_STREAM either.
constexpr std::chrono::milliseconds kBlockedLimit{30'000};

LocalSettings settings_of(const http1::Limits& limits) {
  LocalSettings settings;
  settings.connection_window = 16 * 1024 * 1024;
  settings.header_list_bytes = static_cast<std::uint32_t>(limits.head_bytes);
  return settings;
}

}  // namespace

ClientConnection::ClientConnection(Loop& loop, std::shared_ptr<Buffers> buffers,
                                   ConnectionPool::Place place, std::unique_ptr<Stream> stream,
                                   const http1::Limits& limits,
                                   std::chrono::milliseconds idle_timeout,
                                   std::weak_ptr<ClientPool> pool)
    : Connection(loop, std::move(stream), *buffers, Side::kClient, kLimits, settings_of(limits)),
      buffers_(std::move(buffers)),
      place_(std::move(place)),
      limits_(limits),
      idle_timeout_(idle_timeout),
      pool_(std::move(pool)),
      streams_allowed_(kStreamsAtFirst),
      opened_(loop.now()),
      idle_since_(loop.now()),
      timer_(loop, [this] { on_timer(); }) {}

ClientConnection::~ClientConnection() {
  task_.stop();
}

void ClientConnection::start() {
  tell_of_room();
  if (idle_timeout_.count() != 0) note_deadline(now() + idle_timeout_);
  task_.start(run(std::string()), [this] {
    break_off();
    run_ended();
  });
}

bool ClientConnection::has_room() const {
  return !retired_ && !ending() && !over_ && live_.size() < streams_allowed_ &&
         nghttp2_session_get_next_stream_id(session()) < static_cast<std::uint32_t>(kLastStream);
}

std::shared_ptr<ClientStream> ClientConnection::make_stream() {
  used_ = true;
  live_.push_back(std::make_shared<ClientStream>(*this));
  return live_.back();
}

void ClientConnection::stream_settled(ClientStream& stream) {
  stream.Link::unlink();
  const auto place = std::ranges::find(live_, &stream, &std::shared_ptr<ClientStream>::get);
  if (place == live_.end()) return;
  const std::shared_ptr<ClientStream> settled = std::move(*place);
  *place = std::move(live_.back());
  live_.pop_back();
  if (ConnectionCounts* const counts = place_.shared_counts()) counts->room_for_one();
  if (!live_.empty()) return;
  idle_since_ = now();
  if (retired_) {
    end_soon();
  } else if (idle_timeout_.count() != 0) {
    note_deadline(idle_since_ + idle_timeout_);
  }
}

void ClientConnection::retire() {
  retired_ = true;
  if (live_.empty()) terminate(FrameError::kNoError);
}

void ClientConnection::goaway_received(std::int32_t /*last_stream*/) {
  // nghttp2 closes what is above it as refused.
  retired_ = true;
}

void ClientConnection::settings_changed() {
  streams_allowed_ =
      nghttp2_session_get_remote_settings(session(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  settings_.wake(loop());
  tell_of_room();
}

/// For as many more as the upstream allows.
void ClientConnection::tell_of_room() {
  if (ConnectionCounts* const counts = place_.shared_counts()) counts->room_for_all();
}

Task<Result<void>> ClientConnection::may_upgrade(std::chrono::milliseconds timeout) {
  const MonotonicTime due = now() + (timeout.count() == 0 ? kSettingsTimeout : timeout);
  while (!settings_received() && !ending() && now() < due) {
    note_deadline(due);
    co_await settings_;
  }
  const bool allowed =
      settings_received() && session() != nullptr &&
      nghttp2_session_get_remote_settings(session(), NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
  if (!allowed) {
    co_return fail(ErrorCode::kUnavailable, "the upstream serves no WebSocket over HTTP/2");
  }
  co_return Result<void>();
}

void ClientConnection::run_ended() {
  over_ = true;
  close_streams();
  timer_.cancel();
  settings_.wake(loop());
  loop().schedule(end_);
}

void ClientConnection::End::run() {
  if (const std::shared_ptr<ClientPool> pool = connection_.pool_.lock()) pool->ended(connection_);
}

// Time.

void ClientConnection::watch_output() {
  if (blocked_since()) note_deadline(*blocked_since() + kBlockedLimit);
}

void ClientConnection::note_deadline(MonotonicTime at) {
  if (over_ || (due_ && *due_ <= at)) return;
  due_ = at;
  timer_.set(at);
}

void ClientConnection::on_timer() {
  due_.reset();
  const MonotonicTime time = now();
  if (idle_timeout_.count() != 0 && live_.empty()) {
    if (time >= idle_since_ + idle_timeout_) return retire();
    note_deadline(idle_since_ + idle_timeout_);
  }
  settings_.wake(loop());
  if (blocked_since()) {
    if (time >= *blocked_since() + kBlockedLimit) return break_off();
    note_deadline(*blocked_since() + kBlockedLimit);
  }
  for (const std::shared_ptr<ClientStream>& stream : live_) {
    if (const auto next = stream->check_deadlines(time)) note_deadline(*next);
  }
}

// The pool.

std::shared_ptr<ClientConnection> ClientPool::find() {
  for (const std::shared_ptr<ClientConnection>& connection : connections_) {
    const bool old =
        options_.lifetime.count() != 0 && loop_.now() - connection->opened() >= options_.lifetime;
    if (!old && connection->has_room()) return connection;
    if (old && connection->has_room()) connection->retire();
  }
  return nullptr;
}

std::shared_ptr<ClientConnection> ClientPool::adopt(ConnectionPool::Place place,
                                                    std::unique_ptr<Stream> stream) {
  auto connection =
      std::make_shared<ClientConnection>(loop_, buffers_, std::move(place), std::move(stream),
                                         options_.limits, options_.idle_timeout, weak_from_this());
  connections_.push_back(connection);
  connection->start();
  return connection;
}

bool ClientPool::close_idle() {
  ClientConnection* longest = nullptr;
  for (const std::shared_ptr<ClientConnection>& connection : connections_) {
    const bool better = connection->idles() && connection->has_room() &&
                        (longest == nullptr || connection->idle_since() < longest->idle_since());
    if (better) longest = connection.get();
  }
  if (longest == nullptr) return false;
  longest->retire();
  return true;
}

void ClientPool::ended(ClientConnection& connection) {
  std::erase_if(connections_, [&](const std::shared_ptr<ClientConnection>& one) {
    return one.get() == &connection;
  });
}

}  // namespace gatehouse::net::http2
