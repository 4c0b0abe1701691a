#include "net/http2/multiplexed_stream.h"

#include <algorithm>
#include <utility>

#include "net/http2/connection.h"

namespace gatehouse::net::http2 {
namespace {

// A stream that is kept for the next one keeps that much memory for content at most.
constexpr std::size_t kKeptContent = 16 * 1024;

void empty(std::string& text) {
  text.clear();
  if (text.capacity() > kKeptContent) text.shrink_to_fit();
}

}  // namespace

void MultiplexedStream::open(Connection& connection, std::int32_t id) {
  connection_ = &connection;
  id_ = id;
  closed_ = remote_ended_ = local_ended_ = reset_by_us_ = false;
  close_code_ = FrameError::kNoError;
  empty(arrived_);
  empty(given_);
  failure_.reset();
  received_ = sent_ = 0;
  received_trailers_.clear();
  piece_ = {};
  out_ended_ = deferred_ = false;
  trailers_ = nullptr;
  content_at_ = gone_at_ = connection.now();
}

void MultiplexedStream::take_data(std::string_view bytes) {
  received_ += bytes.size();
  content_at_ = connection_->now();
  arrived_.append(bytes);
  content_arrived();
  content_.wake(connection_->loop());
}

void MultiplexedStream::take_end() {
  remote_ended_ = true;
  content_.wake(connection_->loop());
}

void MultiplexedStream::take_close(FrameError code, bool by_us) {
  if (std::exchange(closed_, true)) return;
  close_code_ = code;
  reset_by_us_ = by_us;
  if (!remote_ended_ && !failure_) failure_ = cut_short();
  content_.wake(connection_->loop());
  piece_gone_.wake(connection_->loop());
  closed_now();
  settle_soon();
}

void MultiplexedStream::settle_soon() {
  connection_->loop().schedule(settle_);
}

// What has come.

void MultiplexedStream::give_back() {
  if (given_.empty()) return;
  connection_->give_back_window(*this, given_.size());
  given_.clear();
}

Task<Result<std::string_view>> MultiplexedStream::read_content() {
  give_back();
  while (arrived_.empty()) {
    if (failure_) co_return std::unexpected(*failure_);
    if (remote_ended_) co_return std::string_view();
    content_at_ = connection_->now();
    co_await content_;
  }
  given_.swap(arrived_);
  co_return std::string_view(given_);
}

void MultiplexedStream::fail_content(ErrorCode code, std::string_view reason) {
  if (!failure_) failure_ = Error{code, std::string(reason)};
  content_.wake(connection_->loop());
}

void MultiplexedStream::release_content() {
  const std::size_t unread = arrived_.size() + given_.size();
  if (unread != 0) connection_->give_back_window(*this, unread);
  empty(arrived_);
  empty(given_);
}

std::string MultiplexedStream::take_content() {
  if (!arrived_.empty()) connection_->give_back_window(*this, arrived_.size());
  return std::exchange(arrived_, {});
}

std::optional<MonotonicTime> MultiplexedStream::waiting_for_content_since() const {
  if (!content_.awaited()) return std::nullopt;
  return content_at_;
}

std::optional<MonotonicTime> MultiplexedStream::waiting_for_window_since() const {
  if (closed_ || piece_.empty()) return std::nullopt;
  return gone_at_;
}

MonotonicTime MultiplexedStream::last_progress() const {
  return std::max(content_at_, gone_at_);
}

// What is sent.

void MultiplexedStream::offer(std::string_view piece) {
  if (closed_) return;
  piece_ = piece;
  gone_at_ = connection_->now();
  resume_outgoing();
}

void MultiplexedStream::end_outgoing(const http::Headers* trailers) {
  out_ended_ = true;
  trailers_ = trailers != nullptr && !trailers->empty() ? trailers : nullptr;
  if (!closed_) resume_outgoing();
}

void MultiplexedStream::resume_outgoing() {
  if (std::exchange(deferred_, false)) connection_->resume_data(*this);
  connection_->send_soon();
}

void MultiplexedStream::outgoing_gone(std::size_t bytes) {
  piece_.remove_prefix(bytes);
  sent_ += bytes;
  gone_at_ = connection_->now();
  if (piece_.empty()) piece_gone_.wake(connection_->loop());
}

}  // namespace gatehouse::net::http2
