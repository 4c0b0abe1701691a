#include "gatekeeper/trusted_proxies.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace gatehouse::gatekeeper {
namespace {

constexpr unsigned kMappedBits = 96;  // before the IPv4 address in ::ffff:a.b.c.d

bool is_ipv4(std::string_view text) {
  return text.contains('.') && !text.contains(':');
}

}  // namespace

bool TrustedProxies::parse_address(std::string_view text, Address& out) {
  const std::string terminated(text);
  if (!is_ipv4(text)) return inet_pton(AF_INET6, terminated.c_str(), out.data()) == 1;
  out = {};
  out[10] = out[11] = 0xff;
  return inet_pton(AF_INET, terminated.c_str(), out.data() + 12) == 1;
}

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& entries) {
  TrustedProxies out;
  for (const std::string& entry : entries) {
    const std::string_view text = entry;
    const std::size_t slash = text.find('/');
    const unsigned family_bits = is_ipv4(text) ? 32 : 128;
    unsigned bits = family_bits;
    bool good = true;
    if (slash != std::string_view::npos) {
      const char* const end = text.data() + text.size();
      const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, bits);
      good = error == std::errc() && stop == end && bits <= family_bits;
    }
    Network network{};
    if (!good || !parse_address(text.substr(0, slash), network.address)) {
      return fail(ErrorCode::kInvalid, "trusted_proxies: \"" + entry +
                                           "\" is neither an IP address nor a network like "
                                           "10.0.0.0/8");
    }
    network.bits = family_bits == 32 ? kMappedBits + bits : bits;
    out.networks_.push_back(network);
  }
  return out;
}

bool TrustedProxies::contains(std::string_view address) const {
  Address wanted{};
  if (networks_.empty() || !parse_address(address, wanted)) return false;
  return std::ranges::any_of(networks_, [&wanted](const Network& network) {
    const std::size_t whole = network.bits / 8;
    const unsigned rest = network.bits % 8;
    if (std::memcmp(wanted.data(), network.address.data(), whole) != 0) return false;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return ((wanted[whole] ^ network.address[whole]) & mask) == 0;
  });
}

}  // namespace gatehouse::gatekeeper
