#include "net/tunnel.h"

#include <algorithm>
#include <string_view>

#include "net/pieces.h"

namespace gatehouse::net {

Tunnel::Tunnel(Loop& loop, Stream& client, ReadBuffer& early, http::ByteStream& upstream,
               std::chrono::milliseconds idle_timeout, std::chrono::milliseconds half_closed_idle)
    : loop_(loop),
      client_(client),
      buffer_(early),
      upstream_(upstream),
      idle_timeout_(idle_timeout),
      half_closed_idle_(half_closed_idle),
      idle_(loop, [this] { time_out(); }),
      to_client_ended_(loop) {}

Task<void> Tunnel::run() {
  client_.set_deadline(Stream::Direction::kRead, std::nullopt);
  client_.set_deadline(Stream::Direction::kWrite, std::nullopt);
  progress();
  to_client_.start(relay_to_client(), [this] {
    end_by_exception();
    to_client_ended_.happen();
  });
  try {
    co_await relay_to_upstream();
  } catch (...) {
    end_by_exception();
  }
  co_await to_client_ended_;
}

void Tunnel::end_by_exception() {
  threw_ = true;
  abort();
}

void Tunnel::abort() {
  if (std::exchange(aborted_, true)) return;
  client_.abort();
  upstream_.abort();
}

void Tunnel::progress() {
  if (idle_timeout_.count() != 0) idle_.set_after(idle_timeout_);
}

void Tunnel::one_side_finished() {
  const bool unlimited = idle_timeout_.count() == 0;
  if (half_closed_idle_.count() != 0) {
    idle_timeout_ = unlimited ? half_closed_idle_ : std::min(idle_timeout_, half_closed_idle_);
  }
  progress();
}

void Tunnel::time_out() {
  timed_out_ = !aborted_;
  abort();
}

Task<bool> Tunnel::more_from_client() {
  while (buffer_.empty()) {
    const IoResult got = client_.try_read(buffer_.space());
    if (got.kind == IoResult::Kind::kEnd) co_return false;
    if (got.kind == IoResult::Kind::kDone) {
      buffer_.commit(got.bytes);
      continue;
    }
    const Result<void> readable = co_await client_.readable();
    if (!readable) {
      abort();
      co_return false;
    }
  }
  co_return true;
}

Task<void> Tunnel::relay_to_upstream() {
  for (;;) {
    const bool more = co_await more_from_client();
    if (!more) break;
    const std::string_view piece = buffer_.text();
    const Result<void> written = co_await upstream_.write(piece);
    if (!written) co_return abort();
    received_ += piece.size();
    buffer_.consume(piece.size());
    progress();
  }
  if (aborted_) co_return;
  upstream_.finish();
  one_side_finished();
}

Task<void> Tunnel::relay_to_client() {
  for (;;) {
    const Result<std::string_view> piece = co_await upstream_.read();
    if (!piece) {
      abort();
      break;
    }
    if (piece->empty()) {
      client_.finish();
      one_side_finished();
      break;
    }
    Pieces pieces;
    pieces.add(*piece);
    const Result<void> sent =
        co_await send_rest(loop_, client_, pieces, std::chrono::milliseconds(0));
    if (!sent) {
      abort();
      break;
    }
    sent_ += piece->size();
    progress();
  }
  to_client_ended_.happen();
}

}  // namespace gatehouse::net
