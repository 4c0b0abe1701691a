#include "crypto/key_checks.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/openssl.h"
#include "crypto/signature.h"

namespace gatehouse::crypto {
namespace {

const std::string kF4("\x01\x00\x01", 3);

/// An odd number of that many bits. Nobody can tell quickly that it is no product of two primes.
std::string modulus_of(int bits) {
  const OwnedNumber number(BN_new());
  BN_zero(number.get());
  BN_set_bit(number.get(), bits - 1);
  BN_set_bit(number.get(), bits / 3);
  BN_set_bit(number.get(), 0);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2bin(number.get(), bytes_of(bytes));
  return bytes;
}

std::string refusal(std::string_view modulus, std::string_view exponent) {
  const auto key = PublicKey::rsa(modulus, exponent);
  return key ? "" : key.error().message;
}

TEST(RsaKeys, AreTakenFrom2048To8192Bits) {
  EXPECT_EQ(refusal(modulus_of(2048), kF4), "");
  EXPECT_EQ(refusal(modulus_of(8192), kF4), "");
  EXPECT_EQ(refusal(modulus_of(1024), kF4),
            "an RSA key of 1024 bits is refused; it must have 2048 to 8192");
  EXPECT_NE(refusal(modulus_of(2047), kF4), "");
  EXPECT_NE(refusal(modulus_of(8193), kF4), "");
  EXPECT_NE(refusal("", kF4), "");
}

TEST(RsaKeys, AreNotMadeLargerByLeadingZeros) {
  EXPECT_EQ(refusal(std::string(128, '\0') + modulus_of(1024), kF4),
            "an RSA key of 1024 bits is refused; it must have 2048 to 8192");
  const auto key = PublicKey::rsa('\0' + modulus_of(2048), '\0' + kF4);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->numbers(), std::pair(modulus_of(2048), kF4));
}

TEST(RsaKeys, AreRefusedWithAnAbsurdLength) {
  EXPECT_NE(refusal(std::string(1 << 20, '\x7f'), kF4), "");
  EXPECT_NE(refusal(modulus_of(2048), std::string(1 << 20, '\x7f')), "");
}

TEST(RsaKeys, AreRefusedWithAnEvenModulus) {
  std::string modulus = modulus_of(2048);
  modulus.back() = '\x02';
  EXPECT_EQ(refusal(modulus, kF4), "the RSA modulus is even");
}

TEST(RsaKeys, AreRefusedWithAnEvenTinyOrHugeExponent) {
  const std::string modulus = modulus_of(2048);
  EXPECT_EQ(refusal(modulus, std::string("\x01\x00\x02", 3)), "the RSA exponent is even");
  EXPECT_EQ(refusal(modulus, ""), "the RSA exponent is even");
  const std::string unfit = "the RSA exponent must be from 65537 to 64 bits long";
  EXPECT_EQ(refusal(modulus, "\x01"), unfit);
  EXPECT_EQ(refusal(modulus, "\x03"), unfit);
  EXPECT_EQ(refusal(modulus, "\xff\xff"), unfit);
  EXPECT_EQ(refusal(modulus, std::string(9, '\x01')), unfit);
  EXPECT_EQ(refusal(modulus, std::string(8, '\x01')), "");
}

TEST(RsaKeys, AreRefusedWithTheFingerprintOfRoca) {
  // A power of 65537 modulo every small prime, as the faulty generator's products are.
  const OwnedNumber number(BN_new());
  BN_set_word(number.get(), 65537);
  while (BN_num_bits(number.get()) < 2048) BN_mul_word(number.get(), 65537);
  EXPECT_TRUE(has_roca_fingerprint(number.get()));
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2bin(number.get(), bytes_of(bytes));
  EXPECT_NE(refusal(bytes, kF4).find("ROCA"), std::string::npos);
}

TEST(RsaKeys, MadeHereHaveNoFingerprintOfRoca) {
  const auto [modulus, exponent] =
      PrivateKey::generate(KeyKind::kRsa).value().public_key().numbers();
  const OwnedNumber number(BN_bin2bn(bytes_of(modulus), static_cast<int>(modulus.size()), nullptr));
  EXPECT_FALSE(has_roca_fingerprint(number.get()));
}

}  // namespace
}  // namespace gatehouse::crypto
