// SipHash-2-4 (Aumasson and Bernstein, 2012): a hash that who does not know its key cannot steer.
// For tables whose keys come from clients; not for signatures.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatehouse::gateway {

struct HashKey {
  std::uint64_t first = 0, second = 0;
};

std::uint64_t keyed_hash(const HashKey& key, std::string_view bytes);

}  // namespace gatehouse::gateway
