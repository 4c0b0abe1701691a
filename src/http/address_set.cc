#include "http/address_set.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace gatehouse::http {
namespace {

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96, where IPv4 lies
constexpr Address kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// The bits of that byte which a prefix of `bits` leaves open.
std::uint8_t open_bits(std::size_t byte, unsigned bits) {
  const auto before = static_cast<unsigned>(byte * 8);
  if (bits <= before) return 0xff;
  return bits - before >= 8 ? 0 : static_cast<std::uint8_t>(0xff >> (bits - before));
}

/// How long the prefix of "address/bits" is, in the mapped form; nullopt if it is ill-formed.
std::optional<unsigned> prefix_bits(std::string_view address, std::string_view entry) {
  const unsigned least = address.contains(':') ? 0 : kMappedBits;
  if (address.size() == entry.size()) return 128;
  unsigned bits = 0;
  const char* const end = entry.data() + entry.size();
  const auto [stop, error] = std::from_chars(entry.data() + address.size() + 1, end, bits);
  if (error != std::errc() || stop != end || bits > 128 - least) return std::nullopt;
  return least + bits;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.contains('\0')) return std::nullopt;
  std::ranges::copy(text, terminated.begin());
  Address address = kMapped;
  if (text.contains(':')) {
    if (inet_pton(AF_INET6, terminated.data(), address.data()) != 1) return std::nullopt;
  } else if (inet_pton(AF_INET, terminated.data(), address.data() + 12) != 1) {
    return std::nullopt;
  }
  return address;
}

bool is_ipv4(const Address& address) {
  return std::ranges::equal(address.begin(), address.begin() + 12, kMapped.begin(),
                            kMapped.begin() + 12);
}

Result<AddressSet> AddressSet::parse(const std::vector<std::string>& entries,
                                     std::string_view where) {
  AddressSet out;
  for (const std::string_view entry : entries) {
    const std::string_view text = entry.substr(0, entry.find('/'));
    const std::optional<Address> address = parse_address(text);
    const std::optional<unsigned> bits = prefix_bits(text, entry);
    if (!address || !bits) {
      return fail(ErrorCode::kInvalid, std::string(where) + ": \"" + std::string(entry) +
                                           "\" is neither an IP address nor a network such as "
                                           "10.0.0.0/8");
    }
    Range range{*address, *address};
    for (std::size_t i = 0; i < address->size(); ++i) {
      range.first[i] &= static_cast<std::uint8_t>(~open_bits(i, *bits));
      range.last[i] |= open_bits(i, *bits);
    }
    out.ranges_.push_back(range);
  }
  out.sort_and_join();
  return out;
}

void AddressSet::sort_and_join() {
  std::ranges::sort(ranges_, {}, &Range::first);
  std::size_t kept = 0;
  for (const Range& range : ranges_) {
    if (kept > 0 && range.first <= ranges_[kept - 1].last) {
      ranges_[kept - 1].last = std::max(ranges_[kept - 1].last, range.last);
    } else {
      ranges_[kept++] = range;
    }
  }
  ranges_.resize(kept);
}

bool AddressSet::contains(std::string_view address) const {
  if (ranges_.empty()) return false;
  const std::optional<Address> wanted = parse_address(address);
  if (!wanted) return false;
  const auto after = std::ranges::upper_bound(ranges_, *wanted, {}, &Range::first);
  return after != ranges_.begin() && *wanted <= std::prev(after)->last;
}

}  // namespace gatehouse::http
