// What each signature algorithm of RFC 7518 §3.1 and RFC 8037 asks of its key.
#pragma once

#include <optional>

#include "crypto/signature.h"
#include "jose/jwk.h"

namespace gatehouse::jose {

/// nullopt for kHs256, which has no public key.
std::optional<crypto::Scheme> scheme_of(Algorithm algorithm);
std::optional<crypto::KeyKind> key_kind_of(Algorithm algorithm);
/// The one to take where a key does not say its own.
Algorithm default_algorithm(crypto::KeyKind kind);

}  // namespace gatehouse::jose
