#include "base/secret.h"

#include <string.h>

#include <cstdint>
#include <cstring>

namespace gatehouse {
namespace {

/// The same value, of which the compiler knows nothing: it cannot leave a loop early for it.
std::uint64_t hidden(std::uint64_t value) {
  asm volatile("" : "+r"(value));
  return value;
}

}  // namespace

void wipe(std::string& bytes) {
  // A moved-from short string keeps its bytes inside the object, beyond size().
  bytes.resize(bytes.capacity());
  explicit_bzero(bytes.data(), bytes.size());
  bytes.clear();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  std::uint64_t difference = 0;
  std::size_t i = 0;
  for (; i + sizeof difference <= a.size(); i += sizeof difference) {
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    std::memcpy(&x, a.data() + i, sizeof x);
    std::memcpy(&y, b.data() + i, sizeof y);
    difference = hidden(difference | (x ^ y));
  }
  for (; i < a.size(); ++i)
    difference = hidden(difference | static_cast<unsigned char>(a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace gatehouse
