#include "crypto/signature.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <array>
#include <thread>
#include <vector>

#include "base/encoding.h"
#include "crypto/ecdsa_format.h"

namespace gatehouse::crypto {
namespace {

std::string unhex(std::string_view text) {
  return hex_decode(text).value();
}

struct Pair {
  KeyKind kind;
  Scheme scheme;
  std::size_t signature_size;
};

constexpr std::array<Pair, 5> kPairs = {{{KeyKind::kRsa, Scheme::kRs256, 256},
                                         {KeyKind::kRsa, Scheme::kPs256, 256},
                                         {KeyKind::kP256, Scheme::kEs256, 64},
                                         {KeyKind::kP384, Scheme::kEs384, 96},
                                         {KeyKind::kEd25519, Scheme::kEd25519, 64}}};

/// RSA keys take long to make: one for all tests here.
const PrivateKey& key_of(KeyKind kind) {
  static const std::array<PrivateKey, 4> keys = {PrivateKey::generate(KeyKind::kRsa).value(),
                                                 PrivateKey::generate(KeyKind::kP256).value(),
                                                 PrivateKey::generate(KeyKind::kP384).value(),
                                                 PrivateKey::generate(KeyKind::kEd25519).value()};
  return keys[static_cast<std::size_t>(kind)];
}

Result<PublicKey> from_numbers(KeyKind kind, const std::pair<std::string, std::string>& numbers) {
  if (kind == KeyKind::kRsa) return PublicKey::rsa(numbers.first, numbers.second);
  if (kind == KeyKind::kEd25519) return PublicKey::ed25519(numbers.first);
  return PublicKey::ec(kind, numbers.first, numbers.second);
}

TEST(Signature, VerifiesWhatItsKeySigned) {
  for (const Pair& pair : kPairs) {
    const auto signature = key_of(pair.kind).sign(pair.scheme, "message");
    ASSERT_TRUE(signature);
    EXPECT_EQ(signature->size(), pair.signature_size);
    const PublicKey key = key_of(pair.kind).public_key();
    EXPECT_TRUE(key.verify(pair.scheme, "message", *signature));
    EXPECT_FALSE(key.verify(pair.scheme, "messagE", *signature));
    EXPECT_FALSE(key.verify(pair.scheme, "message", ""));
    EXPECT_FALSE(key.verify(pair.scheme, "message", *signature + '\0'));
    EXPECT_FALSE(key.verify(pair.scheme, "message", '\0' + *signature));
    EXPECT_FALSE(key.verify(pair.scheme, "message", signature->substr(1)));
  }
}

TEST(Signature, RefusesAChangeOfAnyByte) {
  for (const Pair& pair : kPairs) {
    const std::string signature = key_of(pair.kind).sign(pair.scheme, "message").value();
    const PublicKey key = key_of(pair.kind).public_key();
    for (std::size_t i = 0; i < signature.size(); i += 7) {
      std::string changed = signature;
      changed[i] ^= 1;
      EXPECT_FALSE(key.verify(pair.scheme, "message", changed)) << i;
    }
  }
}

TEST(Signature, RefusesASchemeThatIsNotOfTheKeysKind) {
  for (const Pair& key : kPairs) {
    for (const Pair& other : kPairs) {
      if (key.kind == other.kind) continue;
      const std::string signature = key_of(other.kind).sign(other.scheme, "m").value();
      EXPECT_FALSE(key_of(key.kind).public_key().verify(other.scheme, "m", signature));
      const auto refused = key_of(key.kind).sign(other.scheme, "m");
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
    }
  }
}

TEST(Signature, KeepsPssAndPkcs1Apart) {
  const PrivateKey& key = key_of(KeyKind::kRsa);
  const std::string pss = key.sign(Scheme::kPs256, "m").value();
  const std::string pkcs1 = key.sign(Scheme::kRs256, "m").value();
  EXPECT_FALSE(key.public_key().verify(Scheme::kRs256, "m", pss));
  EXPECT_FALSE(key.public_key().verify(Scheme::kPs256, "m", pkcs1));
}

TEST(Signature, SaltsPssAndEcdsaAfresh) {
  for (const Pair& pair : {kPairs[1], kPairs[2], kPairs[3]}) {
    EXPECT_NE(key_of(pair.kind).sign(pair.scheme, "m").value(),
              key_of(pair.kind).sign(pair.scheme, "m").value());
  }
}

TEST(Signature, RefusesAnotherKey) {
  const PrivateKey other = PrivateKey::generate(KeyKind::kP256).value();
  const std::string signature = key_of(KeyKind::kP256).sign(Scheme::kEs256, "m").value();
  EXPECT_FALSE(other.public_key().verify(Scheme::kEs256, "m", signature));
}

TEST(Signature, LeavesNoErrorForOthersAfterARefusal) {
  for (const Pair& pair : kPairs) {
    EXPECT_FALSE(key_of(pair.kind).public_key().verify(pair.scheme, "m",
                                                       std::string(pair.signature_size, '\x01')));
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
  EXPECT_FALSE(PublicKey::ec(KeyKind::kP256, std::string(32, '\x01'), std::string(32, '\x01')));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(Ecdsa, RefusesZeroForROrS) {
  // CVE-2022-21449: with r = s = 0 some verifiers took any message.
  const PublicKey key = key_of(KeyKind::kP256).public_key();
  const std::string zero(32, '\0');
  const std::string one = std::string(31, '\0') + '\x01';
  const std::string order =
      unhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  for (const std::string& r : {zero, one, order}) {
    for (const std::string& s : {zero, one, order}) {
      EXPECT_FALSE(key.verify(Scheme::kEs256, "m", r + s));
    }
  }
}

TEST(Ecdsa, RefusesDer) {
  const PrivateKey& key = key_of(KeyKind::kP256);
  const std::string signature = key.sign(Scheme::kEs256, "m").value();
  const std::string der = ecdsa_to_der(signature, 32).value();
  EXPECT_TRUE(key.public_key().verify(Scheme::kEs256, "m", signature));
  EXPECT_FALSE(key.public_key().verify(Scheme::kEs256, "m", der));
}

TEST(Ed25519, GivesTheSignatureOfRfc8032) {
  // §7.1, TEST 2, the private key in PKCS #8 as RFC 8410 has it.
  const Secret der(
      unhex("302e020100300506032b657004220420"
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  const auto key = PrivateKey::from_der(der);
  ASSERT_TRUE(key);
  EXPECT_EQ(hex_encode(key->public_key().numbers().first),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(hex_encode(key->sign(Scheme::kEd25519, "\x72").value()),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(PublicKey, IsTheSameFromItsNumbers) {
  for (const Pair& pair : kPairs) {
    const PublicKey key = key_of(pair.kind).public_key();
    const auto rebuilt = from_numbers(pair.kind, key.numbers());
    ASSERT_TRUE(rebuilt) << rebuilt.error().message;
    EXPECT_EQ(rebuilt->kind(), pair.kind);
    EXPECT_EQ(rebuilt->numbers(), key.numbers());
    const std::string signature = key_of(pair.kind).sign(pair.scheme, "m").value();
    EXPECT_TRUE(rebuilt->verify(pair.scheme, "m", signature));
  }
}

TEST(PublicKey, RefusesAPointOffItsCurve) {
  for (const KeyKind kind : {KeyKind::kP256, KeyKind::kP384}) {
    auto [x, y] = key_of(kind).public_key().numbers();
    y.back() ^= 1;
    const auto key = PublicKey::ec(kind, x, y);
    ASSERT_FALSE(key);
    EXPECT_NE(key.error().message.find("not on its curve"), std::string::npos);
    EXPECT_FALSE(PublicKey::ec(kind, std::string(x.size(), '\0'), std::string(x.size(), '\0')));
    EXPECT_FALSE(PublicKey::ec(kind, std::string(x.size(), '\xff'), y));
  }
}

TEST(PublicKey, RefusesCoordinatesOfAnotherLengthOrCurve) {
  const auto [x, y] = key_of(KeyKind::kP256).public_key().numbers();
  EXPECT_FALSE(PublicKey::ec(KeyKind::kP384, x, y));
  EXPECT_FALSE(PublicKey::ec(KeyKind::kP256, x.substr(1), y));
  EXPECT_FALSE(PublicKey::ec(KeyKind::kP256, '\0' + x, y));
  EXPECT_FALSE(PublicKey::ec(KeyKind::kP256, "", ""));
  EXPECT_FALSE(PublicKey::ec(KeyKind::kRsa, x, y));
  EXPECT_FALSE(PublicKey::ec(KeyKind::kEd25519, x, y));
  EXPECT_FALSE(PublicKey::ed25519(x.substr(1)));
  EXPECT_FALSE(PublicKey::ed25519(x + '\0'));
}

TEST(PrivateKey, IsTheSameFromItsDer) {
  for (const Pair& pair : kPairs) {
    const PrivateKey& key = key_of(pair.kind);
    const auto rebuilt = PrivateKey::from_der(key.der());
    ASSERT_TRUE(rebuilt) << rebuilt.error().message;
    EXPECT_EQ(rebuilt->kind(), pair.kind);
    const std::string signature = rebuilt->sign(pair.scheme, "m").value();
    EXPECT_TRUE(key.public_key().verify(pair.scheme, "m", signature));
  }
}

TEST(PrivateKey, RefusesDerThatIsCutLengthenedOrForeign) {
  const std::string der(key_of(KeyKind::kP256).der().reveal());
  EXPECT_FALSE(PrivateKey::from_der(Secret()));
  EXPECT_FALSE(PrivateKey::from_der(Secret("not DER")));
  EXPECT_FALSE(PrivateKey::from_der(Secret(der.substr(0, der.size() - 1))));
  EXPECT_FALSE(PrivateKey::from_der(Secret(der + '\0')));
  // X25519, which agrees on keys and signs nothing (RFC 8410 §7).
  const auto x25519 = PrivateKey::from_der(
      Secret(unhex("302e020100300506032b656e04220420"
                   "77076d0a7318a57d3c16c17251b26645df4c2f92ebc099ac2a3a5d2a1bd2c2ba")));
  ASSERT_FALSE(x25519);
  EXPECT_EQ(x25519.error().code, ErrorCode::kInvalid);
}

TEST(PrivateKey, SignsOnSeveralThreadsAtATime) {
  for (const Pair& pair : kPairs) {
    const PrivateKey& key = key_of(pair.kind);
    std::vector<std::string> signatures(4);
    {
      std::vector<std::jthread> threads;
      for (std::string& signature : signatures) {
        threads.emplace_back([&] { signature = key.sign(pair.scheme, "m").value(); });
      }
    }
    for (const std::string& signature : signatures) {
      EXPECT_TRUE(key.public_key().verify(pair.scheme, "m", signature));
    }
  }
}

}  // namespace
}  // namespace gatehouse::crypto
