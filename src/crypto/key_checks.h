// Which RSA public keys are taken: what FIPS 186-5 §A.1 asks of their numbers, and none that a
// known faulty generator made.
#pragma once

#include <openssl/bn.h>

#include <string>

#include "base/result.h"

namespace gatehouse::crypto {

/// Smaller ones can be factored.
inline constexpr int kRsaBitsMin = 2048;
/// Larger ones cost a verifier too much time.
inline constexpr int kRsaBitsMax = 8192;

/// The error's message says what is wrong with the numbers.
Result<void> check_rsa(const BIGNUM* modulus, const BIGNUM* exponent);

/// The fingerprint of ROCA (CVE-2017-15361): primes of Infineon's library are powers of 65537
/// modulo all small primes, and so is their product. A sound key looks so once in 2^27.
bool has_roca_fingerprint(const BIGNUM* modulus);

}  // namespace gatehouse::crypto
