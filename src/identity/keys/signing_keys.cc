#include "identity/keys/signing_keys.h"

#include <algorithm>

namespace gatehouse::identity {

SigningKeys::SigningKeys(std::vector<TimedKey> keys, WallTime now) : keys_(std::move(keys)) {
  std::erase_if(keys_, [&](const TimedKey& each) { return each.expires <= now; });
  std::ranges::sort(keys_, std::ranges::greater(), &TimedKey::active_from);

  const auto rank = [&](const TimedKey& each) {
    if (current(each.key.algorithm, now) == &each.key) return 0;
    return each.active_from > now ? 1 : 2;
  };
  for (int wanted = 0; wanted <= 2; ++wanted) {
    for (const TimedKey& each : keys_) {
      if (rank(each) == wanted) accepted_.push_back(jose::public_part(each.key));
    }
  }
  jwks_ = jose::to_jwks(accepted_);
}

const jose::SigningKey* SigningKeys::current(jose::Algorithm algorithm, WallTime now) const {
  for (const TimedKey& each : keys_) {
    if (each.key.algorithm == algorithm && each.active_from <= now) return &each.key;
  }
  return nullptr;
}

}  // namespace gatehouse::identity
