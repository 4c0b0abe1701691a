// Base64 that comes in pieces: each part of it may be padded by itself, as grpc-web-text sends it.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse::gateway {

class Base64Decoder {
 public:
  /// Adds what the text so far amounts to. kCorrupt if it is not base64; then no more can be said.
  Result<void> feed(std::string_view text, std::string& out);
  /// kCorrupt if the text ended within a group of four.
  Result<void> finish() const;

 private:
  std::array<char, 4> group_{};
  std::size_t held_ = 0;
};

}  // namespace gatehouse::gateway
