// Authenticated encryption of small values: cookies, stored keys, requests in progress.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"

namespace gatehouse::crypto {

/// AES-256-GCM with a fresh random nonce each time: nonce ‖ ciphertext ‖ tag. The context is bound
/// in as associated data, so that what was sealed for one purpose does not open for another.
/// One a thread.
class Sealer {
 public:
  /// `key` has 32 bytes.
  Sealer(const Secret& key, Entropy& entropy);
  Sealer(Sealer&&) noexcept;
  ~Sealer();

  std::string seal(std::string_view plain, std::string_view context);
  /// kInvalid for whatever this key did not seal in this context; the message does not say why.
  Result<std::string> open(std::string_view sealed, std::string_view context);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse::crypto
