#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "net/listening_socket.h"
#include "net/proxied_connection.h"
#include "net/socket_address.h"
#include "net/socket_stream.h"
#include "net/tcp.h"
#include "net/tls_stream.h"

namespace gatehouse::net {

namespace {

/// Accepted in one turn, so that a flood of newcomers does not starve who is there already.
constexpr int kAcceptsPerTurn = 64;
/// After accept() found no descriptor or memory to be had: trying sooner would only burn the CPU.
constexpr std::chrono::milliseconds kPauseWhenExhausted{100};

class TcpListener;

/// What a listener shares with the beginnings of its connections, which may outlive it for a
/// moment.
struct Handshakes {
  struct UnderWay : Link {
    explicit UnderWay(SocketStream& connection) : stream(connection) {}
    SocketStream& stream;
  };
  TcpListener* listener = nullptr;  // null once it has gone
  LinkedList<UnderWay> under_way;
};
using HandshakesPtr = std::shared_ptr<Handshakes>;

class TcpListener final : public Listener, private EventListener, private Runnable {
 public:
  TcpListener(Loop& loop, Options options, FileDescriptor socket, Accept accept)
      : loop_(loop),
        options_(std::move(options)),
        socket_(std::move(socket)),
        accept_(std::move(accept)),
        resume_timer_(loop, [this] { accept_some(); }) {
    options_.endpoint.port = port_of(socket_);
    handshakes_->listener = this;
  }
  ~TcpListener() override;

  Result<void> start() { return loop_.watch(socket_.get(), *this); }
  Endpoint endpoint() const override { return options_.endpoint; }
  void close() override;
  void set_tls(std::shared_ptr<const ServerTls> tls) override;
  void set_limits(const Options& options) override;
  void release() override;

 private:
  void on_events(std::uint32_t /*events*/) override { accept_some(); }
  void run() override { accept_some(); }
  bool full();
  void accept_some();
  void take(FileDescriptor socket, const SocketAddress& from);
  Result<void> begin(FileDescriptor socket, http::Peer peer, AddressCounts::Place place);
  std::optional<AddressCounts::Place> place_for(const http::Peer& peer);
  void struck(Limit limit);
  void not_done(ErrorCode why);
  void done(std::unique_ptr<SocketStream> stream, http::Peer peer);

  static Task<void> begin_proxied(HandshakesPtr handshakes, std::unique_ptr<SocketStream> stream,
                                  http::Peer peer);
  static Task<void> begin_either(HandshakesPtr handshakes, std::unique_ptr<SocketStream> stream,
                                 http::Peer peer, MonotonicTime deadline);
  void begin_tls(std::unique_ptr<SocketStream> stream, http::Peer peer, MonotonicTime deadline);
  static Task<void> shake_hands(HandshakesPtr handshakes, std::unique_ptr<TlsStream> stream,
                                http::Peer peer);
  void after_header(std::unique_ptr<SocketStream> stream, http::Peer peer, MonotonicTime deadline);

  Loop& loop_;
  Options options_;
  FileDescriptor socket_;
  Accept accept_;
  std::size_t open_ = 0;  // connections, those in their handshake included
  bool was_full_ = false;
  HandshakesPtr handshakes_ = std::make_shared<Handshakes>();
  Loop::Timer resume_timer_;
};

TcpListener::~TcpListener() {
  close();
  handshakes_->listener = nullptr;
  while (auto* const handshake = handshakes_->under_way.pop_front()) handshake->stream.abort();
}

void TcpListener::close() {
  if (!socket_.valid()) return;
  Runnable::unlink();
  resume_timer_.cancel();
  loop_.forget(socket_.get());
  socket_.close();
}

void TcpListener::set_tls(std::shared_ptr<const ServerTls> tls) {
  if (options_.tls) options_.tls = std::move(tls);
}

void TcpListener::set_limits(const Options& options) {
  options_.connection_limit = options.connection_limit;
  options_.handshake_timeout = options.handshake_timeout;
  options_.connections_per_address = options.connections_per_address;
  options_.uncounted = options.uncounted;
  if (socket_.valid()) loop_.schedule(*this);
}

void TcpListener::release() {
  --open_;
  if (was_full_ && open_ < options_.connection_limit && socket_.valid()) loop_.schedule(*this);
}

void TcpListener::struck(Limit limit) {
  if (options_.limit_counts != nullptr) options_.limit_counts->struck(limit);
}

/// Counted once for each time that it fills up.
bool TcpListener::full() {
  const bool now = open_ >= options_.connection_limit;
  if (now && !std::exchange(was_full_, now)) struck(Limit::kConnections);
  was_full_ = now;
  return now;
}

void TcpListener::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    // Accept may close the listener.
    if (!socket_.valid() || full()) return;
    SocketAddress from;
    FileDescriptor socket(
        ::accept4(socket_.get(), from.get(), &from.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.valid()) {
      take(std::move(socket), from);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      resume_timer_.set_after(kPauseWhenExhausted);
      return;
    }
    // Otherwise that one connection failed before it was taken; the next may be sound.
  }
  if (socket_.valid()) loop_.schedule(*this);
}

/// Nullopt if the client has too many. An empty place where no limit holds.
std::optional<AddressCounts::Place> TcpListener::place_for(const http::Peer& peer) {
  const std::size_t limit = options_.connections_per_address;
  if (limit == 0 || !options_.address_counts) return AddressCounts::Place();
  if (options_.uncounted && options_.uncounted->contains(peer.address)) {
    return AddressCounts::Place();
  }
  std::optional<AddressCounts::Place> place =
      AddressCounts::take(options_.address_counts, peer.address, limit);
  if (!place) struck(Limit::kConnectionsPerAddress);
  return place;
}

void TcpListener::take(FileDescriptor socket, const SocketAddress& from) {
  Endpoint address = to_endpoint(from);
  http::Peer peer{.address = std::move(address.host), .port = address.port};
  peer.listener = options_.index;
  peer.local_port = options_.endpoint.port;
  // Behind a proxy it is the client who is counted, once its address is known.
  std::optional<AddressCounts::Place> place =
      options_.proxy_protocol ? AddressCounts::Place() : place_for(peer);
  if (!place) return reset(std::move(socket));
  // A connection that cannot be watched is closed; nobody else is concerned.
  static_cast<void>(begin(std::move(socket), std::move(peer), *std::move(place)));
}

Result<void> TcpListener::begin(FileDescriptor socket, http::Peer peer,
                                AddressCounts::Place place) {
  const MonotonicTime deadline = loop_.now() + options_.handshake_timeout;
  if (options_.tls && !options_.proxy_protocol && !options_.cleartext_too) {
    Result<std::unique_ptr<TlsStream>> stream =
        TlsStream::accept(loop_, std::move(socket), options_.tls);
    if (!stream) return fail(std::move(stream));
    ++open_;
    (*stream)->keep(std::move(place));
    (*stream)->set_deadline(Stream::Direction::kRead, deadline);
    loop_.spawn(shake_hands(handshakes_, *std::move(stream), std::move(peer)));
    return {};
  }
  Result<std::unique_ptr<SocketStream>> stream =
      SocketStream::make(loop_, std::move(socket), /*connecting=*/false);
  if (!stream) return fail(std::move(stream));
  ++open_;
  (*stream)->keep(std::move(place));
  if (!options_.proxy_protocol && !options_.tls) {
    done(*std::move(stream), std::move(peer));
    return {};
  }
  (*stream)->set_deadline(Stream::Direction::kRead, deadline);
  if (options_.proxy_protocol) {
    loop_.spawn(begin_proxied(handshakes_, *std::move(stream), std::move(peer)));
  } else {
    loop_.spawn(begin_either(handshakes_, *std::move(stream), std::move(peer), deadline));
  }
  return {};
}

void TcpListener::not_done(ErrorCode why) {
  if (why == ErrorCode::kTimeout) struck(Limit::kHandshakeTimeout);
  release();
}

void TcpListener::done(std::unique_ptr<SocketStream> stream, http::Peer peer) {
  stream->set_deadline(Stream::Direction::kRead, std::nullopt);
  accept_(std::move(stream), std::move(peer));
}

Task<void> TcpListener::begin_proxied(HandshakesPtr handshakes,
                                      std::unique_ptr<SocketStream> stream, http::Peer peer) {
  const MonotonicTime deadline =
      handshakes->listener->loop_.now() + handshakes->listener->options_.handshake_timeout;
  Handshakes::UnderWay under_way(*stream);
  handshakes->under_way.push_back(under_way);
  const Result<ProxyHeader> header = co_await read_proxy_header(*stream);
  under_way.unlink();
  TcpListener* const listener = handshakes->listener;
  if (listener == nullptr) co_return;
  if (!header) {
    listener->not_done(header.error().code);
    co_return;
  }
  if (header->source) {
    peer.address = header->source->host;
    peer.port = header->source->port;
  }
  listener->after_header(std::move(stream), std::move(peer), deadline);
}

void TcpListener::after_header(std::unique_ptr<SocketStream> stream, http::Peer peer,
                               MonotonicTime deadline) {
  std::optional<AddressCounts::Place> place = place_for(peer);
  if (!place) {
    stream->abort();
    return release();
  }
  stream->keep(*std::move(place));
  if (!options_.tls) return done(std::move(stream), std::move(peer));
  if (options_.cleartext_too) {
    loop_.spawn(begin_either(handshakes_, std::move(stream), std::move(peer), deadline));
    return;
  }
  begin_tls(std::move(stream), std::move(peer), deadline);
}

void TcpListener::begin_tls(std::unique_ptr<SocketStream> stream, http::Peer peer,
                            MonotonicTime deadline) {
  SocketStream::Detached detached = stream->detach();
  Result<std::unique_ptr<TlsStream>> secured =
      TlsStream::accept(loop_, std::move(detached.socket), options_.tls, detached.put_back);
  if (!secured) return release();
  (*secured)->keep(std::move(detached.place));
  (*secured)->set_deadline(Stream::Direction::kRead, deadline);
  loop_.spawn(shake_hands(handshakes_, *std::move(secured), std::move(peer)));
}

/// The first byte tells: a TLS handshake's record has a type that begins no HTTP request.
Task<void> TcpListener::begin_either(HandshakesPtr handshakes, std::unique_ptr<SocketStream> stream,
                                     http::Peer peer, MonotonicTime deadline) {
  constexpr char kHandshakeRecord = 22;  // RFC 8446 §5.1
  Handshakes::UnderWay under_way(*stream);
  handshakes->under_way.push_back(under_way);
  char first = 0;
  IoResult got = stream->try_read(std::span(&first, 1));
  Result<void> readable;
  while (readable && got.kind == IoResult::Kind::kWouldBlock) {
    readable = co_await stream->readable();
    if (readable) got = stream->try_read(std::span(&first, 1));
  }
  under_way.unlink();
  TcpListener* const listener = handshakes->listener;
  if (listener == nullptr) co_return;
  if (!readable || got.kind != IoResult::Kind::kDone) {
    listener->not_done(readable ? ErrorCode::kUnavailable : readable.error().code);
    co_return;
  }
  stream->put_back(std::string_view(&first, 1));
  if (first == kHandshakeRecord) {
    listener->begin_tls(std::move(stream), std::move(peer), deadline);
  } else {
    listener->done(std::move(stream), std::move(peer));
  }
}

Task<void> TcpListener::shake_hands(HandshakesPtr handshakes, std::unique_ptr<TlsStream> stream,
                                    http::Peer peer) {
  Handshakes::UnderWay under_way(*stream);
  handshakes->under_way.push_back(under_way);
  const Result<void> shaken = co_await stream->handshake();
  under_way.unlink();
  TcpListener* const listener = handshakes->listener;
  if (listener == nullptr) co_return;
  if (!shaken) {
    listener->not_done(shaken.error().code);
    co_return;
  }
  peer.tls = true;
  peer.tls_version = stream->version();
  peer.server_name = stream->server_name();
  peer.certificate = stream->client_certificate();
  listener->done(std::move(stream), std::move(peer));
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, Options options, Accept accept) {
  Result<FileDescriptor> socket = open_listening(options.endpoint, Sharing::kWithOtherLoops);
  if (!socket) return fail(std::move(socket));
  auto listener = std::make_unique<TcpListener>(loop, std::move(options), *std::move(socket),
                                                std::move(accept));
  Result<void> started = listener->start();
  if (!started) return fail(std::move(started));
  return listener;
}

Result<void> check_port_free(const Endpoint& endpoint) {
  Result<FileDescriptor> socket = open_listening(endpoint, Sharing::kAlone);
  if (!socket) return fail(std::move(socket));
  return {};
}

}  // namespace gatehouse::net
