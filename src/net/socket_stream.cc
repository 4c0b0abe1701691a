#include "net/socket_stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

namespace gatehouse::net {

namespace {

/// The kernel's limit of pieces a call (UIO_MAXIOV).
constexpr std::size_t kPiecesPerCall = 1024;

std::size_t total_bytes(std::span<const iovec> pieces) {
  return std::accumulate(pieces.begin(), pieces.end(), std::size_t{0},
                         [](std::size_t sum, const iovec& piece) { return sum + piece.iov_len; });
}

ssize_t send_pieces(int socket, std::span<const iovec> pieces) {
  if (pieces.size() == 1) {  // costs the kernel less
    return ::send(socket, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());  // the kernel reads only
  message.msg_iovlen = pieces.size();
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t splice(int from, int to, std::size_t bytes) {
  ssize_t count = 0;
  do {
    count = ::splice(from, nullptr, to, nullptr, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  } while (count < 0 && errno == EINTR);
  return count;
}

/// Takes what goes off the beginning of `text`. The pipe is empty.
IoResult move_into_pipe(int pipe, std::string& text, std::size_t limit) {
  const ssize_t count = ::write(pipe, text.data(), std::min(limit, text.size()));
  if (count <= 0) return {IoResult::Kind::kFailed};
  text.erase(0, static_cast<std::size_t>(count));
  return {IoResult::Kind::kDone, static_cast<std::size_t>(count)};
}

/// Answers are sent whole; waiting for more to send with them (RFC 896) would only delay them.
void send_at_once(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

void reset(FileDescriptor socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

Result<std::unique_ptr<SocketStream>> SocketStream::make(Loop& loop, FileDescriptor socket,
                                                         bool connecting) {
  std::unique_ptr<SocketStream> stream(new SocketStream(loop, std::move(socket), connecting));
  auto started = stream->start();
  if (!started) return fail(std::move(started));
  return stream;
}

SocketStream::SocketStream(Loop& loop, FileDescriptor socket, bool connecting)
    : loop_(loop), socket_(std::move(socket)), timer_(loop, [this] { on_timer(); }) {
  for (Side& each : sides_) each.open = !connecting;
}

Result<void> SocketStream::start() {
  // One that was accepted has it from the socket that listens.
  const bool connecting = !side(Direction::kWrite).open;
  if (connecting) send_at_once(socket_.get());
  return loop_.watch(socket_.get(), *this);
}

SocketStream::~SocketStream() {
  if (socket_.valid()) loop_.forget(socket_.get());
}

IoResult SocketStream::try_read(std::span<char> into) {
  return receive(into);
}

IoResult SocketStream::try_write(std::span<const iovec> pieces) {
  return send(pieces);
}

IoResult SocketStream::receive(std::span<char> into) {
  Side& reading = side(Direction::kRead);
  if (aborted_ || reading.failed) return {IoResult::Kind::kFailed};
  if (!reading.open || into.empty()) return {IoResult::Kind::kWouldBlock};
  if (put_back_) return take_put_back(into);
  ssize_t count = 0;
  do {
    count = ::recv(socket_.get(), into.data(), into.size(), 0);
  } while (count < 0 && errno == EINTR);
  const IoResult got = outcome_of_reading(count);
  const bool emptied = got.kind == IoResult::Kind::kDone && got.bytes < into.size();
  if (emptied && !hung_up_) reading.open = false;
  return got;
}

IoResult SocketStream::outcome_of_reading(ssize_t count) {
  if (count < 0) return blocked_or_failed(side(Direction::kRead));
  if (count == 0) {
    hung_up_ = true;
    return {IoResult::Kind::kEnd};
  }
  return {IoResult::Kind::kDone, static_cast<std::size_t>(count)};
}

IoResult SocketStream::take_put_back(std::span<char> into) {
  const std::size_t bytes = std::min(into.size(), put_back_->size());
  std::copy_n(put_back_->data(), bytes, into.data());
  put_back_->erase(0, bytes);
  if (put_back_->empty()) put_back_.reset();
  return {IoResult::Kind::kDone, bytes};
}

void SocketStream::put_back(std::string_view bytes) {
  if (bytes.empty()) return;
  put_back_ = std::make_unique<std::string>(bytes);
  // Whether the socket has more will be known from the next try.
  side(Direction::kRead).open = true;
}

SocketStream::Detached SocketStream::detach() {
  Detached detached{.socket = std::move(socket_), .put_back = {}, .place = std::move(place_)};
  if (put_back_) detached.put_back = *std::exchange(put_back_, nullptr);
  loop_.forget(detached.socket.get());
  hang_up_call_.unlink();
  hang_up_call_.call = nullptr;
  timer_.cancel();
  aborted_ = true;
  return detached;
}

IoResult SocketStream::send(std::span<const iovec> pieces) {
  Side& writing = side(Direction::kWrite);
  if (aborted_ || writing.failed) return {IoResult::Kind::kFailed};
  const std::span<const iovec> now = pieces.first(std::min(pieces.size(), kPiecesPerCall));
  const std::size_t wanted = total_bytes(now);
  if (!writing.open || wanted == 0) return {IoResult::Kind::kWouldBlock};
  ssize_t count = 0;
  do {
    count = send_pieces(socket_.get(), now);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return blocked_or_failed(writing);
  const auto bytes = static_cast<std::size_t>(count);
  if (bytes < wanted) writing.open = false;
  return {IoResult::Kind::kDone, bytes};
}

IoResult SocketStream::splice_into(int pipe, std::size_t limit) {
  Side& reading = side(Direction::kRead);
  if (aborted_ || reading.failed) return {IoResult::Kind::kFailed};
  if (!reading.open) return {IoResult::Kind::kWouldBlock};
  if (put_back_) {
    const IoResult moved = move_into_pipe(pipe, *put_back_, limit);
    if (put_back_->empty()) put_back_.reset();
    return moved;
  }
  // Fewer than asked for may mean that the pipe had no more places, so the socket may have more.
  return outcome_of_reading(splice(socket_.get(), pipe, limit));
}

IoResult SocketStream::splice_from(int pipe, std::size_t bytes) {
  Side& writing = side(Direction::kWrite);
  if (aborted_ || writing.failed) return {IoResult::Kind::kFailed};
  if (!writing.open) return {IoResult::Kind::kWouldBlock};
  const ssize_t count = splice(pipe, socket_.get(), bytes);
  if (count < 0) return blocked_or_failed(writing);
  return {IoResult::Kind::kDone, static_cast<std::size_t>(count)};
}

IoResult SocketStream::blocked_or_failed(Side& side) {
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    side.open = false;
    return {IoResult::Kind::kWouldBlock};
  }
  // The other direction finds out by itself: an answer that came before a reset can still be read.
  side.failed = true;
  return {IoResult::Kind::kFailed};
}

void SocketStream::finish() {
  if (aborted_ || std::exchange(finished_, true)) return;
  ::shutdown(socket_.get(), SHUT_WR);
}

void SocketStream::abort() {
  if (std::exchange(aborted_, true)) return;
  hang_up_call_.unlink();
  hang_up_call_.call = nullptr;
  timer_.cancel();
  loop_.forget(socket_.get());
  reset(std::move(socket_));
  for (Side& each : sides_) resume(each);
}

void SocketStream::break_off() {
  for (Side& each : sides_) {
    each.failed = true;
    resume(each);
  }
}

void SocketStream::on_hang_up(std::move_only_function<void()> call) {
  hang_up_call_.unlink();
  hang_up_call_.call = std::move(call);
  if (hang_up_call_.call && hung_up_ && !aborted_) loop_.schedule(hang_up_call_);
}

void SocketStream::on_events(std::uint32_t events) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) gone_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    hung_up_ = true;
    if (hang_up_call_.call) loop_.schedule(hang_up_call_);
  }
  if ((events & EPOLLIN) != 0 || hung_up_) open(Direction::kRead);
  if ((events & EPOLLOUT) != 0 || gone_) open(Direction::kWrite);
}

void SocketStream::open(Direction direction) {
  side(direction).open = true;
  if (direction == Direction::kWrite) on_writable();
  for (Side& each : sides_) {
    if (each.needs == direction) resume(each);
  }
}

void SocketStream::resume(Side& side) {
  if (Runnable* const waiting = side.waiting.front()) loop_.schedule(*waiting);
}

bool SocketStream::wait_is_over(Direction direction) const {
  const Side& waited = side(direction);
  return side(waited.needs).open || waited.at_hand || waited.failed || aborted_ || expired(waited);
}

void SocketStream::suspend(Direction direction, Resumption& waiting) {
  side(direction).waiting.push_back(waiting);
}

Result<void> SocketStream::outcome(Direction direction) {
  if (aborted_) return fail(ErrorCode::kCancelled, "the connection was ended on this side");
  if (side(direction).failed)
    return fail(ErrorCode::kUnavailable, "the connection was broken by its peer");
  if (expired(side(direction))) return fail(ErrorCode::kTimeout, "the peer took too long");
  return {};
}

void SocketStream::set_deadline(Direction direction, std::optional<MonotonicTime> at) {
  Side& limited = side(direction);
  limited.deadline = at;
  if (expired(limited)) resume(limited);
  arm_timer();
}

void SocketStream::arm_timer() {
  std::optional<MonotonicTime> first;
  for (const Side& each : sides_) {
    if (each.deadline && !expired(each))
      first = first ? std::min(*first, *each.deadline) : each.deadline;
  }
  if (first) {
    timer_.set(*first);
  } else {
    timer_.cancel();
  }
}

void SocketStream::on_timer() {
  for (Side& each : sides_) {
    if (expired(each)) resume(each);
  }
  arm_timer();
}

}  // namespace gatehouse::net
