#include "crypto/key_checks.h"

#include <array>

namespace gatehouse::crypto {
namespace {

constexpr BN_ULONG kExponentMin = 65537;
// OpenSSL's own limit for large moduli; a longer one makes each verification slow.
constexpr int kExponentBitsMax = 64;

// The odd primes that divide the product by which the faulty generator worked (keys of 2048 bits
// and less; larger ones use these and more).
constexpr std::array<BN_ULONG, 38> kRocaPrimes = {
    3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
    73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

bool is_power_of_65537(BN_ULONG number, BN_ULONG prime) {
  BN_ULONG power = 1;
  do {
    if (power == number) return true;
    power = power * 65537 % prime;
  } while (power != 1);
  return false;
}

}  // namespace

bool has_roca_fingerprint(const BIGNUM* modulus) {
  for (const BN_ULONG prime : kRocaPrimes) {
    if (!is_power_of_65537(BN_mod_word(modulus, prime), prime)) return false;
  }
  return true;
}

Result<void> check_rsa(const BIGNUM* modulus, const BIGNUM* exponent) {
  const int bits = BN_num_bits(modulus);
  if (bits < kRsaBitsMin || bits > kRsaBitsMax) {
    return fail(ErrorCode::kInvalid, "an RSA key of " + std::to_string(bits) +
                                         " bits is refused; it must have 2048 to 8192");
  }
  if (!BN_is_odd(modulus)) return fail(ErrorCode::kInvalid, "the RSA modulus is even");
  if (!BN_is_odd(exponent)) return fail(ErrorCode::kInvalid, "the RSA exponent is even");
  const bool is_tiny = BN_num_bits(exponent) <= 32 && BN_get_word(exponent) < kExponentMin;
  if (is_tiny || BN_num_bits(exponent) > kExponentBitsMax) {
    return fail(ErrorCode::kInvalid, "the RSA exponent must be from 65537 to 64 bits long");
  }
  if (has_roca_fingerprint(modulus)) {
    return fail(ErrorCode::kInvalid,
                "the RSA key comes from a faulty generator (ROCA, CVE-2017-15361)");
  }
  return {};
}

}  // namespace gatehouse::crypto
