#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "net/socket_address.h"
#include "net/socket_stream.h"
#include "net/tcp.h"

namespace gatehouse::net {

namespace {

std::unexpected<Error> cannot_connect(int error) {
  if (error == EMFILE || error == ENFILE) {
    return fail(ErrorCode::kExhausted, std::strerror(error));
  }
  return fail(ErrorCode::kUnavailable, std::strerror(error));
}

Result<std::unique_ptr<SocketStream>> start_connecting(Loop& loop, const SocketAddress& address) {
  FileDescriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return cannot_connect(errno);
  if (::connect(socket.get(), address.get(), address.length) != 0 && errno != EINPROGRESS) {
    return cannot_connect(errno);
  }
  return SocketStream::make(loop, std::move(socket), /*connecting=*/true);
}

Result<void> connection_outcome(const Stream& stream) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(stream.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return cannot_connect(error);
  return {};
}

Task<Result<void>> connected(Stream& stream) {
  Result<void> writable = co_await stream.writable();
  if (!writable) co_return fail(std::move(writable));
  co_return connection_outcome(stream);
}

Task<Result<std::unique_ptr<Stream>>> connect_within(Loop& loop, SocketAddress address,
                                                     ConnectOptions options) {
  Result<std::unique_ptr<SocketStream>> stream = start_connecting(loop, address);
  if (!stream) co_return fail(std::move(stream));
  SocketStream& socket = **stream;
  socket.set_deadline(Stream::Direction::kWrite, loop.now() + options.timeout);
  Result<void> outcome = co_await connected(socket);
  if (!outcome) co_return fail(std::move(outcome));
  socket.set_deadline(Stream::Direction::kWrite, std::nullopt);
  co_return *std::move(stream);
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect(Loop& loop, std::string address, std::uint16_t port,
                                              ConnectOptions options) {
  const Endpoint endpoint{.host = std::move(address), .port = port};
  const std::string what = "cannot connect to " + endpoint.str();
  if (!is_ip_address(endpoint.host)) {
    co_return fail(ErrorCode::kInvalid, what + ": that is not an IP address");
  }
  const Result<SocketAddress> to = to_socket_address(endpoint);
  Result<std::unique_ptr<Stream>> stream = co_await connect_within(loop, *to, std::move(options));
  if (!stream) co_return std::unexpected(std::move(stream).error().in(what));
  co_return std::move(stream);
}

}  // namespace gatehouse::net
