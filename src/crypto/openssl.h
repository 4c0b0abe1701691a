// What the files of this folder share of OpenSSL. No public header includes this one, so that
// another library could take OpenSSL's place.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace gatehouse::crypto {

/// Ends the process if `done` is false: for calls that fail only when memory is out, when OpenSSL
/// is not installed whole, or when a caller breaks a written rule. Nothing secure can go on then.
void require(bool done, const char* what);

template <auto release>
struct Release {
  void operator()(auto* object) const { release(object); }
};
template <class T, auto release>
using Owned = std::unique_ptr<T, Release<release>>;

using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using OwnedKeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using OwnedDigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using OwnedNumber = Owned<BIGNUM, BN_free>;

/// Fetched at the first call and kept: they never change.
const EVP_MD* sha256_algorithm();
const EVP_MD* sha384_algorithm();

/// Takes the errors of its scope off the thread's queue again. A failure left there would be
/// reported by the next TLS call on this thread as its own.
class ErrorScope {
 public:
  ErrorScope() { ERR_set_mark(); }
  ~ErrorScope() { ERR_pop_to_mark(); }
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;
};

inline const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}
inline std::uint8_t* bytes_of(std::string& text) {
  return reinterpret_cast<std::uint8_t*>(text.data());
}

}  // namespace gatehouse::crypto
