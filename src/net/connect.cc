#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "net/pieces.h"
#include "net/socket_address.h"
#include "net/socket_stream.h"
#include "net/tcp.h"
#include "net/tls_stream.h"

namespace gatehouse::net {

namespace {

std::unexpected<Error> cannot_connect(int error) {
  if (error == EMFILE || error == ENFILE) {
    return fail(ErrorCode::kExhausted, std::strerror(error));
  }
  return fail(ErrorCode::kUnavailable, std::strerror(error));
}

/// What the system will not have stays as it is: a connection without probes still serves.
void set_option(int socket, int level, int option, int value) {
  ::setsockopt(socket, level, option, &value, sizeof value);
}

/// The system's greatest for times (MAX_TCP_KEEPIDLE) and for probes (MAX_TCP_KEEPCNT).
constexpr std::int64_t kLongestKeepAlive = 32'767;
constexpr std::size_t kMostProbes = 127;

int whole_seconds(std::chrono::milliseconds time) {
  const std::int64_t count = std::chrono::ceil<std::chrono::seconds>(time).count();
  return static_cast<int>(std::min(count, kLongestKeepAlive));
}

void keep_alive(int socket, const TcpKeepAlive& wanted) {
  if (wanted == TcpKeepAlive{}) return;
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (wanted.idle.count() > 0) {
    set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, whole_seconds(wanted.idle));
  }
  if (wanted.interval.count() > 0) {
    set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, whole_seconds(wanted.interval));
  }
  if (wanted.probes > 0) {
    const auto probes = static_cast<int>(std::min(wanted.probes, kMostProbes));
    set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, probes);
  }
}

Result<FileDescriptor> start_connecting(const SocketAddress& address,
                                        const TcpKeepAlive& keep_alive_options) {
  FileDescriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return cannot_connect(errno);
  keep_alive(socket.get(), keep_alive_options);
  if (::connect(socket.get(), address.get(), address.length) != 0 && errno != EINPROGRESS) {
    return cannot_connect(errno);
  }
  return socket;
}

Result<void> connection_outcome(const Stream& stream) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(stream.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return cannot_connect(error);
  return {};
}

Task<Result<void>> connected(Stream& stream, std::optional<MonotonicTime> deadline) {
  stream.set_deadline(Stream::Direction::kWrite, deadline);
  Result<void> writable = co_await stream.writable();
  stream.set_deadline(Stream::Direction::kWrite, std::nullopt);
  if (!writable) co_return fail(std::move(writable));
  co_return connection_outcome(stream);
}

Task<Result<std::unique_ptr<Stream>>> connect_plain(Loop& loop, FileDescriptor socket,
                                                    std::optional<MonotonicTime> deadline) {
  Result<std::unique_ptr<SocketStream>> stream =
      SocketStream::make(loop, std::move(socket), /*connecting=*/true);
  if (!stream) co_return fail(std::move(stream));
  Result<void> outcome = co_await connected(**stream, deadline);
  if (!outcome) co_return fail(std::move(outcome));
  co_return *std::move(stream);
}

Task<Result<std::unique_ptr<Stream>>> connect_tls(Loop& loop, FileDescriptor socket,
                                                  std::optional<MonotonicTime> deadline,
                                                  std::shared_ptr<const ClientTls> tls,
                                                  TlsStream::Target target) {
  Result<std::unique_ptr<TlsStream>> stream =
      TlsStream::connect(loop, std::move(socket), std::move(tls), target);
  if (!stream) co_return fail(std::move(stream));
  Result<void> outcome = co_await connected(**stream, deadline);
  if (!outcome) co_return fail(std::move(outcome));
  (*stream)->set_deadline(Stream::Direction::kRead, deadline);
  Result<void> done = co_await (*stream)->handshake();
  if (!done) co_return std::unexpected(std::move(done).error().in("as " + target.name));
  (*stream)->set_deadline(Stream::Direction::kRead, std::nullopt);
  co_return *std::move(stream);
}

Task<Result<std::unique_ptr<Stream>>> connect_to(Loop& loop, const Endpoint& endpoint,
                                                 ConnectOptions options) {
  const Result<SocketAddress> address = to_socket_address(endpoint);
  if (!address || endpoint.host.empty()) {
    co_return fail(ErrorCode::kInvalid, "that is not an IP address");
  }
  Result<FileDescriptor> socket = start_connecting(*address, options.keep_alive);
  if (!socket) co_return fail(std::move(socket));
  const std::optional<MonotonicTime> deadline = deadline_after(loop, options.timeout);
  if (!options.tls) {
    Result<std::unique_ptr<Stream>> plain =
        co_await connect_plain(loop, *std::move(socket), deadline);
    co_return plain;
  }
  TlsStream::Target target{.name = options.server_name, .alpn = std::move(options.alpn)};
  if (target.name.empty()) target.name = endpoint.host;
  Result<std::unique_ptr<Stream>> secured = co_await connect_tls(
      loop, *std::move(socket), deadline, std::move(options.tls), std::move(target));
  co_return secured;
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect(Loop& loop, std::string address, std::uint16_t port,
                                              ConnectOptions options) {
  const Endpoint endpoint{.host = std::move(address), .port = port};
  Result<std::unique_ptr<Stream>> stream = co_await connect_to(loop, endpoint, std::move(options));
  if (!stream) {
    co_return std::unexpected(std::move(stream).error().in("cannot connect to " + endpoint.str()));
  }
  co_return stream;
}

}  // namespace gatehouse::net
