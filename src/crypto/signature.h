// Asymmetric keys and signatures, as JOSE uses them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace gatehouse::crypto {

enum class KeyKind { kRsa, kP256, kP384, kEd25519 };
enum class Scheme { kRs256, kPs256, kEs256, kEs384, kEd25519 };

class PublicKey {
 public:
  /// From numbers as JWK has them, big-endian bytes. Refuses RSA below 2048 or above 8192 bits,
  /// even or tiny exponents, and points off the curve.
  static Result<PublicKey> rsa(std::string_view modulus, std::string_view exponent);
  static Result<PublicKey> ec(KeyKind curve, std::string_view x, std::string_view y);
  static Result<PublicKey> ed25519(std::string_view x);

  KeyKind kind() const;
  /// The JWK numbers: {n, e}, {x, y} or {x, ""}.
  std::pair<std::string, std::string> numbers() const;
  /// ECDSA signatures are r ‖ s (RFC 7518 §3.4). False for a scheme that is not of this key's kind.
  bool verify(Scheme scheme, std::string_view message, std::string_view signature) const;

 private:
  friend class PrivateKey;
  std::shared_ptr<void> key_;  // EVP_PKEY
};

/// Signing may be called from several threads at a time.
class PrivateKey {
 public:
  static Result<PrivateKey> generate(KeyKind kind);
  /// PKCS #8 DER.
  static Result<PrivateKey> from_der(const Secret& der);
  Secret der() const;

  KeyKind kind() const;
  PublicKey public_key() const;
  Result<std::string> sign(Scheme scheme, std::string_view message) const;

 private:
  std::shared_ptr<void> key_;
};

}  // namespace gatehouse::crypto
