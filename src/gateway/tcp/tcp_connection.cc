#include "gateway/tcp/tcp_connection.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <utility>

#include "net/client_hello.h"

namespace gatehouse::gateway {

namespace {

using Direction = net::Stream::Direction;

/// Routes may be without a time-out: a peer whose machine is gone is noticed by this.
void keep_alive(const net::Stream& stream) {
  const int on = 1;
  ::setsockopt(stream.fd(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

}  // namespace

TcpConnection::TcpConnection(net::Loop& loop, const TcpProxy::Options& options,
                             std::shared_ptr<TcpEntrance> entrance,
                             std::unique_ptr<net::Stream> client, http::Peer peer, Owner& owner)
    : loop_(loop),
      options_(options),
      entrance_(std::move(entrance)),
      client_(std::move(client)),
      peer_(std::move(peer)),
      owner_(owner),
      started_(loop.now()) {}

TcpConnection::~TcpConnection() {
  task_.stop();
}

void TcpConnection::start() {
  task_.start(serve(), [this] {
    result_ = TcpResult::kInternalError;
    tell();
    loop_.schedule(end_);
    abort();
  });
}

void TcpConnection::abort() {
  aborted_ = true;
  if (tunnel_) return tunnel_->abort();
  // While TLS begins, its task has the client's stream, and ends by its time-out.
  if (client_) client_->abort();
}

bool TcpConnection::failed(TcpResult result, const Error& error) {
  result_ = result;
  reason_ = error.message;
  return false;
}

Task<void> TcpConnection::serve() {
  const bool chosen = co_await choose_group();
  bool ready = chosen;
  if (chosen && group_->ends_tls) ready = co_await begin_tls();
  if (ready) {
    WeightedChoice& choice =
        entrance_->choices[static_cast<std::size_t>(group_ - entrance_->listen->groups.data())];
    route_ = &group_->routes[choice.next(group_->shares)];
    Result<TcpProxy::Upstream> upstream = co_await options_.connect(*route_);
    if (upstream && !aborted_) {
      co_await join(*std::move(upstream));
    } else if (!upstream) {
      failed(TcpResult::kUpstreamConnect, upstream.error());
    }
  }
  if (aborted_ && result_ == TcpResult::kOk) result_ = TcpResult::kDrained;
  if (result_ != TcpResult::kOk && client_) client_->abort();
  tell();
  loop_.schedule(end_);
}

Task<bool> TcpConnection::choose_group() {
  const TcpRoutes::Listen& listen = *entrance_->listen;
  if (listen.one_for_all) {
    group_ = &listen.groups.front();
    co_return true;
  }
  const bool known = co_await read_server_name();
  if (!known) co_return false;
  const std::optional<std::size_t> index = listen.names.find(peer_.server_name);
  if (index) group_ = &listen.groups[*index];
  if (!index) result_ = TcpResult::kNoRoute;
  co_return index.has_value();
}

Task<bool> TcpConnection::read_server_name() {
  using State = net::ClientHello::State;
  client_->set_deadline(Direction::kRead, started_ + options_.listener.handshake_timeout);
  for (;;) {
    const net::IoResult got = client_->try_read(buffer_.space());
    if (got.kind == net::IoResult::Kind::kDone) {
      buffer_.commit(got.bytes);
      net::ClientHello hello = net::parse_client_hello(buffer_.text());
      if (hello.state == State::kIncomplete) continue;
      peer_.server_name = std::move(hello.server_name);
      client_->set_deadline(Direction::kRead, std::nullopt);
      // What is no TLS asks for no name; a route for all others may take it.
      if (hello.state == State::kInvalid) result_ = TcpResult::kBadClientHello;
      co_return hello.state != State::kInvalid;
    }
    if (got.kind == net::IoResult::Kind::kEnd) {
      result_ = TcpResult::kClientClosed;
      co_return false;
    }
    const Result<void> readable = co_await client_->readable();
    if (readable) continue;
    const bool late = readable.error().code == ErrorCode::kTimeout;
    if (late && options_.listener.limit_counts != nullptr) {
      options_.listener.limit_counts->struck(net::Limit::kHandshakeTimeout);
    }
    co_return failed(late ? TcpResult::kHandshakeTimeout : TcpResult::kClientClosed,
                     readable.error());
  }
}

Task<bool> TcpConnection::begin_tls() {
  Result<std::unique_ptr<net::Stream>> secured =
      co_await net::start_tls(loop_, std::move(client_), buffer_.text(), entrance_->listen->tls,
                              options_.listener.handshake_timeout);
  if (!secured) co_return failed(TcpResult::kHandshake, secured.error());
  client_ = *std::move(secured);
  buffer_.clear();
  peer_.tls = true;
  peer_.server_name = client_->server_name();
  co_return !aborted_;
}

Task<void> TcpConnection::join(TcpProxy::Upstream upstream) {
  keep_alive(*client_);
  keep_alive(*upstream.stream);
  counted_ = std::move(upstream.counted);
  upstream_address_ = std::move(upstream.address);
  upstream_.emplace(loop_, std::move(upstream.stream));
  tunnel_.emplace(loop_, *client_, buffer_, *upstream_, route_->idle_timeout,
                  /*half_closed_idle=*/std::chrono::milliseconds(0));
  co_await tunnel_->run();
  if (tunnel_->complete()) co_return;
  result_ = tunnel_->timed_out() ? TcpResult::kIdleTimeout
            : aborted_           ? TcpResult::kDrained
                                 : TcpResult::kReset;
  if (tunnel_->timed_out() && options_.listener.limit_counts != nullptr) {
    options_.listener.limit_counts->struck(net::Limit::kTunnelTimeout);
  }
}

void TcpConnection::tell() {
  if (!options_.observe) return;
  options_.observe({.peer = peer_,
                    .route = route_,
                    .upstream = upstream_address_,
                    .result = result_,
                    .reason = reason_,
                    .received = tunnel_ ? tunnel_->received() : 0,
                    .sent = tunnel_ ? tunnel_->sent() : 0,
                    .duration = loop_.now() - started_});
}

}  // namespace gatehouse::gateway
