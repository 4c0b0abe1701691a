#include "crypto/ecdsa_format.h"

#include <openssl/ec.h>

#include "crypto/openssl.h"

namespace gatehouse::crypto {
namespace {

using OwnedSignature = Owned<ECDSA_SIG, ECDSA_SIG_free>;

}  // namespace

std::optional<std::string> ecdsa_to_der(std::string_view signature, std::size_t size) {
  if (signature.size() != 2 * size) return std::nullopt;
  const std::uint8_t* const bytes = bytes_of(signature);
  const OwnedSignature numbers(ECDSA_SIG_new());
  OwnedNumber r(BN_bin2bn(bytes, static_cast<int>(size), nullptr));
  OwnedNumber s(BN_bin2bn(bytes + size, static_cast<int>(size), nullptr));
  require(numbers && r && s, "an ECDSA signature's numbers");
  require(ECDSA_SIG_set0(numbers.get(), r.release(), s.release()) == 1, "an ECDSA signature");
  const int length = i2d_ECDSA_SIG(numbers.get(), nullptr);
  require(length > 0, "an ECDSA signature's size");
  std::string der(static_cast<std::size_t>(length), '\0');
  std::uint8_t* position = bytes_of(der);
  require(i2d_ECDSA_SIG(numbers.get(), &position) == length, "an ECDSA signature's bytes");
  return der;
}

std::string ecdsa_from_der(std::string_view der, std::size_t size) {
  const std::uint8_t* position = bytes_of(der);
  const OwnedSignature numbers(d2i_ECDSA_SIG(nullptr, &position, static_cast<long>(der.size())));
  if (!numbers) return {};
  std::string signature(2 * size, '\0');
  std::uint8_t* const bytes = bytes_of(signature);
  const int length = static_cast<int>(size);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), bytes, length) != length ||
      BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), bytes + size, length) != length) {
    return {};
  }
  return signature;
}

}  // namespace gatehouse::crypto
