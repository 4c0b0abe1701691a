#include "crypto/signature.h"

#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <optional>

#include "crypto/ecdsa_format.h"
#include "crypto/key_checks.h"
#include "crypto/openssl.h"

namespace gatehouse::crypto {
namespace {

constexpr unsigned kRsaBitsMade = 2048;
constexpr std::size_t kEd25519KeySize = 32;

using ParameterBuilder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Parameters = Owned<OSSL_PARAM, OSSL_PARAM_free>;

EVP_PKEY* pkey(const std::shared_ptr<void>& key) {
  return static_cast<EVP_PKEY*>(key.get());
}

std::shared_ptr<void> shared(OwnedKey key) {
  return {key.release(), EVP_PKEY_free};
}

struct Curve {
  const char* group;  // OpenSSL's name
  std::size_t size;   // of a coordinate
};

Curve curve_of(KeyKind kind) {
  return kind == KeyKind::kP256 ? Curve{"prime256v1", 32} : Curve{"secp384r1", 48};
}

std::optional<KeyKind> kind_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA")) return KeyKind::kRsa;
  if (EVP_PKEY_is_a(key, "ED25519")) return KeyKind::kEd25519;
  if (!EVP_PKEY_is_a(key, "EC")) return std::nullopt;
  char group[64] = {};
  if (EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) != 1) return std::nullopt;
  for (const KeyKind kind : {KeyKind::kP256, KeyKind::kP384}) {
    if (std::string_view(group) == curve_of(kind).group) return kind;
  }
  return std::nullopt;
}

OwnedNumber to_number(std::string_view bytes) {
  OwnedNumber number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
  require(number != nullptr, "a number");
  return number;
}

OwnedNumber number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &number) == 1, name);
  return OwnedNumber(number);
}

/// Big-endian, of `size` bytes, or of as few as it takes if that is 0.
std::string to_bytes(const BIGNUM* number, std::size_t size = 0) {
  std::string bytes(size > 0 ? size : static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  const int written = BN_bn2binpad(number, bytes_of(bytes), static_cast<int>(bytes.size()));
  require(written >= 0, "a number's bytes");
  return bytes;
}

/// nullptr if OpenSSL does not take the numbers.
OwnedKey make_key(const char* type, OSSL_PARAM_BLD* builder) {
  const OwnedKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  require(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1, type);
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  require(parameters != nullptr, "key parameters");
  EVP_PKEY* key = nullptr;
  const int made = EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
  OwnedKey owned(key);
  return made == 1 ? std::move(owned) : nullptr;
}

KeyKind kind_for(Scheme scheme) {
  switch (scheme) {
    case Scheme::kEs256:
      return KeyKind::kP256;
    case Scheme::kEs384:
      return KeyKind::kP384;
    case Scheme::kEd25519:
      return KeyKind::kEd25519;
    case Scheme::kRs256:
    case Scheme::kPs256:
      break;
  }
  return KeyKind::kRsa;
}

const EVP_MD* digest_for(Scheme scheme) {
  if (scheme == Scheme::kEd25519) return nullptr;  // it hashes by itself
  return scheme == Scheme::kEs384 ? sha384_algorithm() : sha256_algorithm();
}

/// PSS as RFC 7518 §3.5 has it: MGF1 with the same hash, a salt exactly as long as the hash.
bool set_padding(EVP_PKEY_CTX* context, Scheme scheme) {
  if (scheme != Scheme::kPs256) return true;  // PKCS #1 v1.5 is what RSA keys have by default
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool is_ecdsa(Scheme scheme) {
  return scheme == Scheme::kEs256 || scheme == Scheme::kEs384;
}

bool verify_raw(EVP_PKEY* key, Scheme scheme, std::string_view message,
                std::string_view signature) {
  const OwnedDigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* inner = nullptr;  // belongs to `context`
  return EVP_DigestVerifyInit(context.get(), &inner, digest_for(scheme), nullptr, key) == 1 &&
         set_padding(inner, scheme) &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                          message.size()) == 1;
}

/// Empty if OpenSSL fails.
std::string sign_raw(EVP_PKEY* key, Scheme scheme, std::string_view message) {
  const OwnedDigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* inner = nullptr;
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), &inner, digest_for(scheme), nullptr, key) != 1 ||
      !set_padding(inner, scheme) ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(message), message.size()) != 1) {
    return {};
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), bytes_of(signature), &size, bytes_of(message),
                     message.size()) != 1) {
    return {};
  }
  signature.resize(size);
  return signature;
}

}  // namespace

Result<PublicKey> PublicKey::rsa(std::string_view modulus, std::string_view exponent) {
  const ErrorScope errors;
  // Leading zeros are allowed for, absurd lengths are not turned into numbers first.
  if (modulus.size() > 2 * kRsaBitsMax / 8 || exponent.size() > 2 * kRsaBitsMax / 8) {
    return fail(ErrorCode::kInvalid, "the RSA key's numbers are too long");
  }
  const OwnedNumber n = to_number(modulus);
  const OwnedNumber e = to_number(exponent);
  const Result<void> fit = check_rsa(n.get(), e.get());
  if (!fit) return std::unexpected(fit.error());
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  require(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
              OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1,
          "RSA parameters");
  OwnedKey key = make_key("RSA", builder.get());
  if (!key) return fail(ErrorCode::kInvalid, "not an RSA public key");
  PublicKey made;
  made.key_ = shared(std::move(key));
  return made;
}

Result<PublicKey> PublicKey::ec(KeyKind kind, std::string_view x, std::string_view y) {
  const ErrorScope errors;
  if (kind != KeyKind::kP256 && kind != KeyKind::kP384) {
    return fail(ErrorCode::kInvalid, "an EC key must be on P-256 or P-384");
  }
  const Curve curve = curve_of(kind);
  if (x.size() != curve.size || y.size() != curve.size) {
    return fail(ErrorCode::kInvalid, "an EC coordinate must have exactly " +
                                         std::to_string(curve.size) + " bytes on this curve");
  }
  const std::string point = '\x04' + std::string(x) + std::string(y);  // uncompressed
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  require(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group,
                                          0) == 1 &&
              OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                               point.size()) == 1,
          "EC parameters");
  OwnedKey key = make_key("EC", builder.get());
  if (!key) return fail(ErrorCode::kInvalid, "the EC key's point is not on its curve");
  PublicKey made;
  made.key_ = shared(std::move(key));
  return made;
}

Result<PublicKey> PublicKey::ed25519(std::string_view x) {
  const ErrorScope errors;
  if (x.size() != kEd25519KeySize) {
    return fail(ErrorCode::kInvalid, "an Ed25519 key must have exactly 32 bytes");
  }
  OwnedKey key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes_of(x), x.size()));
  require(key != nullptr, "an Ed25519 key");
  PublicKey made;
  made.key_ = shared(std::move(key));
  return made;
}

KeyKind PublicKey::kind() const {
  require(key_ != nullptr, "a public key that was never made");
  return kind_of(pkey(key_)).value();
}

std::pair<std::string, std::string> PublicKey::numbers() const {
  const KeyKind kind = this->kind();
  const EVP_PKEY* const key = pkey(key_);
  if (kind == KeyKind::kRsa) {
    return {to_bytes(number_of(key, OSSL_PKEY_PARAM_RSA_N).get()),
            to_bytes(number_of(key, OSSL_PKEY_PARAM_RSA_E).get())};
  }
  if (kind == KeyKind::kEd25519) {
    std::string x(kEd25519KeySize, '\0');
    std::size_t size = x.size();
    require(EVP_PKEY_get_raw_public_key(key, bytes_of(x), &size) == 1, "an Ed25519 key's bytes");
    return {std::move(x), ""};
  }
  const std::size_t size = curve_of(kind).size;
  return {to_bytes(number_of(key, OSSL_PKEY_PARAM_EC_PUB_X).get(), size),
          to_bytes(number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y).get(), size)};
}

bool PublicKey::verify(Scheme scheme, std::string_view message, std::string_view signature) const {
  if (!key_ || kind() != kind_for(scheme)) return false;
  const ErrorScope errors;
  if (!is_ecdsa(scheme)) return verify_raw(pkey(key_), scheme, message, signature);
  const auto der = ecdsa_to_der(signature, curve_of(kind()).size);
  return der && verify_raw(pkey(key_), scheme, message, *der);
}

Result<PrivateKey> PrivateKey::generate(KeyKind kind) {
  const ErrorScope errors;
  OwnedKey key;
  switch (kind) {
    case KeyKind::kRsa:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{kRsaBitsMade}));
      break;
    case KeyKind::kP256:
    case KeyKind::kP384:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve_of(kind).group));
      break;
    case KeyKind::kEd25519:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
  }
  if (!key) return fail(ErrorCode::kInternal, "OpenSSL could not generate a key");
  PrivateKey made;
  made.key_ = shared(std::move(key));
  return made;
}

Result<PrivateKey> PrivateKey::from_der(const Secret& der) {
  const ErrorScope errors;
  const auto refused = fail(ErrorCode::kInvalid, "not a PKCS #8 private key in DER");
  const std::uint8_t* position = bytes_of(der.reveal());
  const std::uint8_t* const end = position + der.reveal().size();
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &position, static_cast<long>(der.reveal().size())));
  if (!info || position != end) return refused;
  OwnedKey key(EVP_PKCS82PKEY(info.get()));
  if (!key) return refused;
  const auto kind = kind_of(key.get());
  if (!kind)
    return fail(ErrorCode::kInvalid, "the private key must be RSA, P-256, P-384 or Ed25519");
  if (*kind == KeyKind::kRsa) {
    const Result<void> fit = check_rsa(number_of(key.get(), OSSL_PKEY_PARAM_RSA_N).get(),
                                       number_of(key.get(), OSSL_PKEY_PARAM_RSA_E).get());
    if (!fit) return std::unexpected(fit.error());
  }
  PrivateKey made;
  made.key_ = shared(std::move(key));
  return made;
}

Secret PrivateKey::der() const {
  require(key_ != nullptr, "a private key that was never made");
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(EVP_PKEY2PKCS8(pkey(key_)));
  require(info != nullptr, "PKCS #8");
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  require(size > 0, "PKCS #8's size");
  std::string der(static_cast<std::size_t>(size), '\0');
  std::uint8_t* position = bytes_of(der);
  require(i2d_PKCS8_PRIV_KEY_INFO(info.get(), &position) == size, "PKCS #8's bytes");
  return Secret(std::move(der));
}

KeyKind PrivateKey::kind() const {
  require(key_ != nullptr, "a private key that was never made");
  return kind_of(pkey(key_)).value();
}

PublicKey PrivateKey::public_key() const {
  PublicKey shared_part;
  shared_part.key_ = key_;  // it gives out public numbers only
  return shared_part;
}

Result<std::string> PrivateKey::sign(Scheme scheme, std::string_view message) const {
  if (!key_ || kind() != kind_for(scheme)) {
    return fail(ErrorCode::kInvalid, "the key's type does not fit the signature scheme");
  }
  const ErrorScope errors;
  std::string signature = sign_raw(pkey(key_), scheme, message);
  if (is_ecdsa(scheme) && !signature.empty()) {
    signature = ecdsa_from_der(signature, curve_of(kind()).size);
  }
  if (signature.empty()) return fail(ErrorCode::kInternal, "OpenSSL could not sign");
  return signature;
}

}  // namespace gatehouse::crypto
