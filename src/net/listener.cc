#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "net/file_descriptor.h"
#include "net/socket_address.h"
#include "net/socket_stream.h"
#include "net/tcp.h"
#include "net/tls_stream.h"

namespace gatehouse::net {

namespace {

/// Accepted in one turn, so that a flood of newcomers does not starve who is there already.
constexpr int kAcceptsPerTurn = 64;
/// Connections that the kernel keeps while we accept none; it takes at most net.core.somaxconn.
constexpr int kBacklog = 4096;
/// After accept() found no descriptor or memory to be had: trying sooner would only burn the CPU.
constexpr std::chrono::milliseconds kPauseWhenExhausted{100};

enum class Sharing { kAlone, kWithOtherLoops };

Result<FileDescriptor> open_socket(SocketAddress& address) {
  const auto open = [](int family) {
    return FileDescriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  };
  FileDescriptor socket = open(address.family());
  if (!socket.valid() && errno == EAFNOSUPPORT && to_endpoint(address).host == "::") {
    // A system without IPv6: all addresses are then those of IPv4.
    address = *to_socket_address({.host = "0.0.0.0", .port = to_endpoint(address).port});
    socket = open(address.family());
  }
  if (socket.valid()) return socket;
  return fail(ErrorCode::kUnavailable,
              std::string("no socket can be made: ") + std::strerror(errno));
}

void set_option(const FileDescriptor& socket, int level, int name, int value) {
  ::setsockopt(socket.get(), level, name, &value, sizeof value);
}

std::unexpected<Error> cannot_listen(const Endpoint& endpoint, int error) {
  const std::string what = "cannot listen on " + endpoint.str() + ": ";
  const std::string port = std::to_string(endpoint.port);
  switch (error) {
    case EADDRINUSE:
      return fail(ErrorCode::kConflict,
                  what + "port " + port +
                      " is in use; stop what serves there (`ss -ltnp sport = :" + port +
                      "` names it) or choose another port");
    case EACCES:
      return fail(ErrorCode::kDenied, what + "ports below 1024 need the capability " +
                                          "CAP_NET_BIND_SERVICE; grant it or choose a higher port");
    case EADDRNOTAVAIL:
      return fail(ErrorCode::kInvalid, what + "this machine has no such address");
    default:
      return fail(ErrorCode::kUnavailable, what + std::strerror(error));
  }
}

Result<FileDescriptor> open_listening(const Endpoint& endpoint, Sharing sharing) {
  Result<SocketAddress> address = to_socket_address(endpoint);
  if (!address) return fail(std::move(address));
  Result<FileDescriptor> socket = open_socket(*address);
  if (!socket) return fail(std::move(socket));
  set_option(*socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (sharing == Sharing::kWithOtherLoops) set_option(*socket, SOL_SOCKET, SO_REUSEPORT, 1);
  if (address->family() == AF_INET6) {
    set_option(*socket, IPPROTO_IPV6, IPV6_V6ONLY, endpoint.host.empty() ? 0 : 1);
  }
  if (::bind(socket->get(), address->get(), address->length) != 0 ||
      ::listen(socket->get(), kBacklog) != 0) {
    return cannot_listen(endpoint, errno);
  }
  return socket;
}

std::uint16_t port_of(const FileDescriptor& socket) {
  SocketAddress bound;
  ::getsockname(socket.get(), bound.get(), &bound.length);
  return to_endpoint(bound).port;
}

class TcpListener;

/// What a listener shares with its handshakes, which may outlive it for a moment.
struct Handshakes {
  struct UnderWay : Link {
    explicit UnderWay(TlsStream& connection) : stream(connection) {}
    TlsStream& stream;
  };
  TcpListener* listener = nullptr;  // null once it has gone
  LinkedList<UnderWay> under_way;
};

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
  void release() override;

 private:
  void on_events(std::uint32_t /*events*/) override { accept_some(); }
  void run() override { accept_some(); }
  void accept_some();
  Result<void> take(FileDescriptor socket, const SocketAddress& from);
  static Task<void> shake_hands(std::shared_ptr<Handshakes> handshakes,
                                std::unique_ptr<TlsStream> stream, http::Peer peer);

  Loop& loop_;
  Options options_;
  FileDescriptor socket_;
  Accept accept_;
  std::size_t open_ = 0;  // connections, those in their handshake included
  std::shared_ptr<Handshakes> handshakes_ = std::make_shared<Handshakes>();
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

void TcpListener::release() {
  if (open_-- == options_.connection_limit && socket_.valid()) loop_.schedule(*this);
}

void TcpListener::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    // Accept may close the listener.
    if (!socket_.valid() || open_ >= options_.connection_limit) return;
    SocketAddress from;
    FileDescriptor socket(
        ::accept4(socket_.get(), from.get(), &from.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.valid()) {
      static_cast<void>(take(std::move(socket), from));
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

/// A connection that cannot be taken is closed; nobody else is concerned.
Result<void> TcpListener::take(FileDescriptor socket, const SocketAddress& from) {
  Endpoint address = to_endpoint(from);
  http::Peer peer{.address = std::move(address.host), .port = address.port};
  if (!options_.tls) {
    Result<std::unique_ptr<SocketStream>> stream =
        SocketStream::make(loop_, std::move(socket), /*connecting=*/false);
    if (!stream) return fail(std::move(stream));
    ++open_;
    accept_(*std::move(stream), std::move(peer));
    return {};
  }
  Result<std::unique_ptr<TlsStream>> stream =
      TlsStream::accept(loop_, std::move(socket), options_.tls);
  if (!stream) return fail(std::move(stream));
  ++open_;
  (*stream)->set_deadline(Stream::Direction::kRead, loop_.now() + options_.handshake_timeout);
  loop_.spawn(shake_hands(handshakes_, *std::move(stream), std::move(peer)));
  return {};
}

Task<void> TcpListener::shake_hands(std::shared_ptr<Handshakes> handshakes,
                                    std::unique_ptr<TlsStream> stream, http::Peer peer) {
  Handshakes::UnderWay under_way(*stream);
  handshakes->under_way.push_back(under_way);
  const Result<void> done = co_await stream->handshake();
  under_way.unlink();
  if (handshakes->listener == nullptr) co_return;
  if (!done) {
    handshakes->listener->release();
    co_return;
  }
  stream->set_deadline(Stream::Direction::kRead, std::nullopt);
  peer.tls = true;
  peer.server_name = stream->server_name();
  handshakes->listener->accept_(std::move(stream), std::move(peer));
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
