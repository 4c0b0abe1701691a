#include "identity/grants/successor.h"

#include "crypto/digest.h"
#include "crypto/sealer.h"

namespace gatehouse::identity {
namespace {

constexpr std::string_view kContext = "identity/refresh-successor";

crypto::Sealer sealer(std::string_view predecessor, Entropy& entropy) {
  return {crypto::derive_key(Secret(std::string(predecessor)), kContext), entropy};
}

}  // namespace

std::string seal_successor(std::string_view successor, std::string_view predecessor,
                           Entropy& entropy) {
  return sealer(predecessor, entropy).seal(successor, kContext);
}

Result<std::string> open_successor(std::string_view sealed, std::string_view predecessor,
                                   Entropy& entropy) {
  return sealer(predecessor, entropy).open(sealed, kContext);
}

}  // namespace gatehouse::identity
