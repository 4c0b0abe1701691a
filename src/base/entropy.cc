#include "base/entropy.h"

#include "base/encoding.h"

namespace gatehouse {

std::string Entropy::bytes(std::size_t count) {
  std::string out(count, '\0');
  fill({reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
  return out;
}

std::string Entropy::token(std::size_t count) {
  return base64url_encode(bytes(count));
}

}  // namespace gatehouse
