// Between endpoints as text and addresses as the kernel takes them.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "http/message.h"
#include "net/stream.h"

namespace gatehouse::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

/// An IP address without brackets; "" is every address. kInvalid if it is neither.
Result<SocketAddress> to_socket_address(const Endpoint& endpoint);
/// IPv4 addresses that came mapped into IPv6 are given as IPv4, so that one client has one name.
Endpoint to_endpoint(const SocketAddress& address);
bool is_ip_address(const std::string& text);

}  // namespace gatehouse::net
