#include "net/proxy_protocol.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>

#include "net/socket_address.h"

namespace gatehouse::net {

namespace {

using State = ProxyHeader::State;

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixedBytes2 = 16;  // signature, command, family, length

// Of version 2 (§2.2).
constexpr unsigned kLocal = 0x20, kProxy = 0x21;
constexpr unsigned kUnspecified = 0x00, kTcp4 = 0x11, kTcp6 = 0x21, kUnixStream = 0x31;
constexpr std::size_t kAddressBytes4 = 12, kAddressBytes6 = 36, kAddressBytesUnix = 216;

ProxyHeader invalid() {
  return {.state = State::kInvalid};
}

/// As the kernel would give it: one client has one name.
std::optional<Endpoint> canonical(int family, std::string_view address, std::uint16_t port) {
  const bool ipv6 = address.find(':') != std::string_view::npos;
  if (address.empty() || ipv6 != (family == AF_INET6)) return std::nullopt;
  const Result<SocketAddress> read =
      to_socket_address({.host = std::string(address), .port = port});
  if (!read) return std::nullopt;
  return to_endpoint(*read);
}

std::optional<std::uint16_t> port_number(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (error != std::errc() || stop != end || leading_zero) return std::nullopt;
  return port;
}

/// The fields of "TCP4 source destination source-port destination-port", single blanks between.
std::optional<std::array<std::string_view, 5>> five_fields(std::string_view line) {
  std::array<std::string_view, 5> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t blank = line.find(' ');
    const bool last = i + 1 == fields.size();
    if (last != (blank == std::string_view::npos)) return std::nullopt;
    fields[i] = line.substr(0, blank);
    if (!last) line.remove_prefix(blank + 1);
  }
  return fields;
}

ProxyHeader parse_line(std::string_view bytes) {
  const std::string_view allowed = bytes.substr(0, kProxyLineBytes);
  const std::size_t end = allowed.find('\n');
  if (end == std::string_view::npos) {
    if (allowed.size() == kProxyLineBytes) return invalid();
    return {};
  }
  std::string_view line = allowed.substr(kSignature1.size(), end - kSignature1.size());
  if (!line.ends_with('\r')) return invalid();
  line.remove_suffix(1);
  ProxyHeader header{.state = State::kComplete, .size = end + 1};
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return header;
  const auto fields = five_fields(line);
  if (!fields) return invalid();
  const auto& [protocol, source, destination, source_port, destination_port] = *fields;
  if (protocol != "TCP4" && protocol != "TCP6") return invalid();
  const int family = protocol == "TCP4" ? AF_INET : AF_INET6;
  const auto from = port_number(source_port);
  const auto to = port_number(destination_port);
  if (!from || !to || !canonical(family, destination, *to)) return invalid();
  header.source = canonical(family, source, *from);
  return header.source ? header : invalid();
}

unsigned byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

/// The source of a block of addresses: both addresses, then both ports.
Endpoint source_of(int family, std::string_view block) {
  const std::size_t size = family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
  SocketAddress address;
  if (family == AF_INET) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    std::memcpy(&in.sin_addr, block.data(), size);
    std::memcpy(&in.sin_port, block.data() + 2 * size, sizeof in.sin_port);
    std::memcpy(&address.storage, &in, sizeof in);
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    std::memcpy(&in.sin6_addr, block.data(), size);
    std::memcpy(&in.sin6_port, block.data() + 2 * size, sizeof in.sin6_port);
    std::memcpy(&address.storage, &in, sizeof in);
  }
  return to_endpoint(address);
}

ProxyHeader with_addresses(ProxyHeader header, unsigned family, std::string_view block) {
  switch (family) {
    case kUnspecified:
      return header;
    case kTcp4:
      if (block.size() < kAddressBytes4) return invalid();
      header.source = source_of(AF_INET, block);
      return header;
    case kTcp6:
      if (block.size() < kAddressBytes6) return invalid();
      header.source = source_of(AF_INET6, block);
      return header;
    case kUnixStream:
      return block.size() < kAddressBytesUnix ? invalid() : header;
    default:
      return invalid();
  }
}

ProxyHeader parse_binary(std::string_view bytes) {
  if (bytes.size() > 12 && byte_at(bytes, 12) != kLocal && byte_at(bytes, 12) != kProxy) {
    return invalid();
  }
  if (bytes.size() < kFixedBytes2) return {};
  const std::size_t length = byte_at(bytes, 14) << 8U | byte_at(bytes, 15);
  if (kFixedBytes2 + length > kProxyHeaderBytes) return invalid();
  if (bytes.size() < kFixedBytes2 + length) return {};
  const ProxyHeader header{.state = State::kComplete, .size = kFixedBytes2 + length};
  if (byte_at(bytes, 12) == kLocal) return header;
  return with_addresses(header, byte_at(bytes, 13), bytes.substr(kFixedBytes2, length));
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) {
  for (const std::string_view signature : {kSignature1, kSignature2}) {
    const std::size_t compared = std::min(bytes.size(), signature.size());
    if (bytes.substr(0, compared) != signature.substr(0, compared)) continue;
    if (compared < signature.size()) return {};
    return signature == kSignature1 ? parse_line(bytes) : parse_binary(bytes);
  }
  return invalid();
}

}  // namespace gatehouse::net
