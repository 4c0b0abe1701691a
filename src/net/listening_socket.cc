#include "net/listening_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "net/socket_address.h"

namespace gatehouse::net {

namespace {

/// Connections that the kernel keeps while we accept none; it takes at most net.core.somaxconn.
constexpr int kBacklog = 4096;

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

}  // namespace

Result<FileDescriptor> open_listening(const Endpoint& endpoint, Sharing sharing) {
  Result<SocketAddress> address = to_socket_address(endpoint);
  if (!address) return fail(std::move(address));
  Result<FileDescriptor> socket = open_socket(*address);
  if (!socket) return fail(std::move(socket));
  set_option(*socket, SOL_SOCKET, SO_REUSEADDR, 1);
  // For the connections that come of it: answers are sent whole.
  set_option(*socket, IPPROTO_TCP, TCP_NODELAY, 1);
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

}  // namespace gatehouse::net
