#include "net/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace gatehouse::net {

namespace {

SocketAddress from_ipv4(const in_addr& ip, std::uint16_t port) {
  SocketAddress address;
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr = ip;
  address.length = sizeof in;
  std::memcpy(&address.storage, &in, sizeof in);
  return address;
}

SocketAddress from_ipv6(const in6_addr& ip, std::uint16_t port) {
  SocketAddress address;
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  in.sin6_addr = ip;
  address.length = sizeof in;
  std::memcpy(&address.storage, &in, sizeof in);
  return address;
}

std::string to_text(int family, const void* ip) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(family, ip, text, sizeof text);
  return text;
}

Endpoint from_ipv6(const sockaddr_in6& in) {
  const auto port = ntohs(in.sin6_port);
  if (!IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
    return {.host = to_text(AF_INET6, &in.sin6_addr), .port = port};
  }
  return {.host = to_text(AF_INET, &in.sin6_addr.s6_addr[12]), .port = port};
}

std::unexpected<Error> not_an_endpoint(std::string_view text, std::string_view rule) {
  return fail(ErrorCode::kInvalid,
              "\"" + std::string(text) + "\" is no address to listen on: " + std::string(rule));
}

}  // namespace

Result<SocketAddress> to_socket_address(const Endpoint& endpoint) {
  if (endpoint.host.empty()) return from_ipv6(in6addr_any, endpoint.port);
  in_addr ipv4{};
  if (::inet_pton(AF_INET, endpoint.host.c_str(), &ipv4) == 1) {
    return from_ipv4(ipv4, endpoint.port);
  }
  in6_addr ipv6{};
  if (::inet_pton(AF_INET6, endpoint.host.c_str(), &ipv6) == 1) {
    return from_ipv6(ipv6, endpoint.port);
  }
  return fail(ErrorCode::kInvalid, "\"" + endpoint.host + "\" is not an IP address");
}

Endpoint to_endpoint(const SocketAddress& address) {
  if (address.family() == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address.storage, sizeof in);
    return {.host = to_text(AF_INET, &in.sin_addr), .port = ntohs(in.sin_port)};
  }
  sockaddr_in6 in{};
  std::memcpy(&in, &address.storage, sizeof in);
  return from_ipv6(in);
}

bool is_ip_address(const std::string& text) {
  return !text.empty() && to_socket_address({.host = text, .port = 0}).has_value();
}

std::string Endpoint::str() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return not_an_endpoint(text, "it has no \":port\"");
  const std::string_view digits = text.substr(colon + 1);
  Endpoint endpoint;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return not_an_endpoint(text, "the port must be a number from 0 to 65535");
  }
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (brackets) host = host.substr(1, host.size() - 2);
  endpoint.host = host;
  const bool ipv6 = host.find(':') != std::string_view::npos;
  if (ipv6 != brackets) return not_an_endpoint(text, "an IPv6 address, and no other, has brackets");
  if (!to_socket_address(endpoint)) {
    return not_an_endpoint(text, "the host must be an IP address, or empty for all of them");
  }
  return endpoint;
}

}  // namespace gatehouse::net
