#include "base/secret.h"

#include <string.h>

namespace gatehouse {

void wipe(std::string& bytes) {
  // A moved-from short string keeps its bytes inside the object, beyond size().
  bytes.resize(bytes.capacity());
  explicit_bzero(bytes.data(), bytes.size());
  bytes.clear();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const volatile unsigned char x = static_cast<unsigned char>(a[i]);
    difference |= static_cast<unsigned char>(x ^ static_cast<unsigned char>(b[i]));
  }
  return difference == 0;
}

}  // namespace gatehouse
