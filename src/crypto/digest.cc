#include "crypto/digest.h"

#include <openssl/kdf.h>
#include <openssl/params.h>

#include "crypto/openssl.h"

namespace gatehouse::crypto {

std::string sha256(std::string_view bytes) {
  std::string digest(32, '\0');
  const int done = EVP_Digest(bytes.data(), bytes.size(), bytes_of(digest), nullptr,
                              sha256_algorithm(), nullptr);
  require(done == 1, "SHA-256");
  return digest;
}

struct HmacSha256::State {
  Owned<EVP_MAC_CTX, EVP_MAC_CTX_free> context;
};

HmacSha256::HmacSha256(const Secret& key) : state_(std::make_unique<State>()) {
  const Owned<EVP_MAC, EVP_MAC_free> algorithm(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  require(algorithm != nullptr, "HMAC");
  state_->context.reset(EVP_MAC_CTX_new(algorithm.get()));
  char digest[] = "SHA2-256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  const std::string_view bytes = key.reveal();
  // A null key would mean "the one of before", so an empty one needs an address too.
  const std::uint8_t* address = bytes.empty() ? bytes_of("") : bytes_of(bytes);
  require(EVP_MAC_init(state_->context.get(), address, bytes.size(), parameters) == 1, "HMAC key");
}

HmacSha256::HmacSha256(HmacSha256&&) noexcept = default;
HmacSha256& HmacSha256::operator=(HmacSha256&&) noexcept = default;
HmacSha256::~HmacSha256() = default;

std::array<std::uint8_t, 32> HmacSha256::sign(std::string_view bytes) {
  EVP_MAC_CTX* const context = state_->context.get();
  std::array<std::uint8_t, 32> tag;
  std::size_t length = 0;
  // Without a key, init goes back to the state just after the key: no second key schedule.
  const bool done = EVP_MAC_init(context, nullptr, 0, nullptr) == 1 &&
                    EVP_MAC_update(context, bytes_of(bytes), bytes.size()) == 1 &&
                    EVP_MAC_final(context, tag.data(), &length, tag.size()) == 1;
  require(done && length == tag.size(), "HMAC-SHA-256");
  return tag;
}

bool HmacSha256::verify(std::string_view bytes, std::string_view tag) {
  const std::array<std::uint8_t, 32> expected = sign(bytes);
  return equal_in_constant_time({reinterpret_cast<const char*>(expected.data()), expected.size()},
                                tag);
}

Secret derive_key(const Secret& master, std::string_view info, std::size_t length) {
  const Owned<EVP_KDF, EVP_KDF_free> algorithm(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  require(algorithm != nullptr, "HKDF");
  const Owned<EVP_KDF_CTX, EVP_KDF_CTX_free> context(EVP_KDF_CTX_new(algorithm.get()));
  char digest[] = "SHA2-256";
  std::string key(master.reveal());
  std::string purpose(info);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, purpose.data(), purpose.size()),
      OSSL_PARAM_construct_end()};
  std::string derived(length, '\0');
  const int done = EVP_KDF_derive(context.get(), bytes_of(derived), length, parameters);
  wipe(key);
  require(done == 1, "HKDF-SHA-256");
  return Secret(std::move(derived));
}

}  // namespace gatehouse::crypto
