#include "http/trusted_proxies.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace gatehouse::http {
namespace {

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96, where IPv4 lies

bool share_prefix(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b,
                  unsigned bits) {
  for (unsigned i = 0; i < a.size() && bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    if (((a[i] ^ b[i]) >> (8 - here)) != 0) return false;
    bits -= here;
  }
  return true;
}

}  // namespace

bool TrustedProxies::read_address(std::string_view text, Address& out) {
  const std::string terminated(text);
  if (inet_pton(AF_INET6, terminated.c_str(), out.data()) == 1) return true;
  out = {};
  out[10] = out[11] = 0xff;
  return inet_pton(AF_INET, terminated.c_str(), out.data() + 12) == 1;
}

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& entries) {
  TrustedProxies out;
  for (const std::string& entry : entries) {
    const std::string_view text = entry;
    const std::string_view address = text.substr(0, text.find('/'));
    const unsigned least = address.contains(':') ? 0 : kMappedBits;
    unsigned bits = 128 - least;
    Network network{};
    bool good = read_address(address, network.address);
    if (address.size() < text.size()) {
      const char* const end = text.data() + text.size();
      const auto [stop, error] = std::from_chars(text.data() + address.size() + 1, end, bits);
      good = good && error == std::errc() && stop == end && bits <= 128 - least;
    }
    if (!good) {
      return fail(ErrorCode::kInvalid, "trusted_proxies: \"" + entry +
                                           "\" is neither an IP address nor a network such as "
                                           "10.0.0.0/8");
    }
    network.bits = least + bits;
    out.networks_.push_back(network);
  }
  return out;
}

bool TrustedProxies::contains(std::string_view address) const {
  Address wanted{};
  if (networks_.empty() || !read_address(address, wanted)) return false;
  return std::ranges::any_of(networks_, [&wanted](const Network& network) {
    return share_prefix(wanted, network.address, network.bits);
  });
}

}  // namespace gatehouse::http
