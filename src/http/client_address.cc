#include "http/client_address.h"

#include <arpa/inet.h>

#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace gatehouse::http {
namespace {

/// Proxies in a row: more is nobody's installation.
constexpr std::size_t kHopLimit = 16;

/// Without a port, which some proxies write too: "192.0.2.1:4711", "[2001:db8::1]:4711".
std::optional<std::string> read_address(std::string_view entry) {
  entry = trim(entry);
  const std::size_t colon = entry.find(':');
  if (entry.starts_with('[')) {
    entry = entry.substr(1, entry.find(']') - 1);
  } else if (colon != std::string_view::npos &&
             entry.find(':', colon + 1) == std::string_view::npos) {
    entry = entry.substr(0, colon);
  }
  std::string address(entry);
  std::array<char, sizeof(in6_addr)> bytes{};
  const bool valid = inet_pton(AF_INET, address.c_str(), bytes.data()) == 1 ||
                     inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
  if (!valid) return std::nullopt;
  return address;
}

/// The entries of all X-Forwarded-For fields, the last first.
std::vector<std::string_view> forwarded_for(const Headers& headers) {
  std::vector<std::string_view> fields;
  for (const Field field : headers) {
    if (equal_ignoring_case(field.name, "X-Forwarded-For")) fields.push_back(field.value);
  }
  std::vector<std::string_view> entries;
  while (!fields.empty() && entries.size() < kHopLimit) {
    const std::string_view rest = fields.back();
    const std::size_t comma = rest.rfind(',');
    const bool last = comma == std::string_view::npos;
    entries.push_back(last ? rest : rest.substr(comma + 1));
    if (last) {
      fields.pop_back();
    } else {
      fields.back() = rest.substr(0, comma);
    }
  }
  return entries;
}

}  // namespace

std::string client_address(const Request& request, const TrustedProxies& trusted) {
  std::string address = request.peer ? request.peer->address : std::string();
  if (!trusted.contains(address)) return address;
  for (const std::string_view entry : forwarded_for(request.headers)) {
    std::optional<std::string> next = read_address(entry);
    if (!next) return address;
    address = std::move(*next);
    if (!trusted.contains(address)) return address;
  }
  return address;
}

std::string client_address(const Request& request, std::size_t hops) {
  const std::vector<std::string_view> entries = forwarded_for(request.headers);
  std::optional<std::string> behind;
  if (hops > 0 && hops <= entries.size()) behind = read_address(entries[hops - 1]);
  if (behind) return std::move(*behind);
  return request.peer ? request.peer->address : std::string();
}

}  // namespace gatehouse::http
