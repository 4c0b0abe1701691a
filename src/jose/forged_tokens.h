// Tokens that sign_jwt() would never make, for tests: any header and payload, under a right or a
// wrong signature.
#pragma once

#include <string>
#include <string_view>

#include "base/encoding.h"
#include "jose/algorithms.h"
#include "jose/jwk.h"

namespace gatehouse::jose {

inline std::string assemble(std::string_view header, std::string_view payload,
                            std::string_view signature) {
  return base64url_encode(header) + '.' + base64url_encode(payload) + '.' +
         base64url_encode(signature);
}

/// Rightly signed by the key, whatever the header says.
inline std::string forge(const SigningKey& key, std::string_view header, std::string_view payload) {
  std::string token = base64url_encode(header) + '.' + base64url_encode(payload);
  const auto signature = key.key.sign(scheme_of(key.algorithm).value(), token).value();
  return token + '.' + base64url_encode(signature);
}

/// The header that the key's own tokens have.
inline std::string header_of(const SigningKey& key) {
  return dump_json({{"alg", to_string(key.algorithm)}, {"typ", "JWT"}, {"kid", key.kid}});
}

}  // namespace gatehouse::jose
