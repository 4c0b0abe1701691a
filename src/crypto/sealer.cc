#include "crypto/sealer.h"

#include "crypto/openssl.h"

namespace gatehouse::crypto {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;
// OpenSSL counts in int. Far above any value that is sealed here.
constexpr std::size_t kSizeLimit = std::size_t{1} << 30;

using Context = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

int size_of(std::string_view bytes) {
  return static_cast<int>(bytes.size());
}

}  // namespace

struct Sealer::State {
  Context sealing;
  Context opening;
  Entropy& entropy;
};

Sealer::Sealer(const Secret& key, Entropy& entropy)
    : state_(new State{Context(EVP_CIPHER_CTX_new()), Context(EVP_CIPHER_CTX_new()), entropy}) {
  require(key.reveal().size() == kKeySize, "a sealer's key must have 32 bytes");
  const Owned<EVP_CIPHER, EVP_CIPHER_free> cipher(
      EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  require(cipher != nullptr, "AES-256-GCM");
  // The key is scheduled once; each message then sets its nonce only.
  const std::uint8_t* bytes = bytes_of(key.reveal());
  const bool done =
      EVP_EncryptInit_ex2(state_->sealing.get(), cipher.get(), bytes, nullptr, nullptr) == 1 &&
      EVP_DecryptInit_ex2(state_->opening.get(), cipher.get(), bytes, nullptr, nullptr) == 1;
  require(done, "AES-256-GCM key");
}

Sealer::Sealer(Sealer&&) noexcept = default;
Sealer::~Sealer() = default;

std::string Sealer::seal(std::string_view plain, std::string_view context) {
  require(plain.size() <= kSizeLimit && context.size() <= kSizeLimit, "a value too long to seal");
  EVP_CIPHER_CTX* const cipher = state_->sealing.get();
  std::string sealed(kNonceSize + plain.size() + kTagSize, '\0');
  std::uint8_t* const nonce = bytes_of(sealed);
  std::uint8_t* const ciphertext = nonce + kNonceSize;
  std::uint8_t* const tag = ciphertext + plain.size();
  state_->entropy.fill({nonce, kNonceSize});
  int written = 0;
  const bool done =
      EVP_EncryptInit_ex2(cipher, nullptr, nullptr, nonce, nullptr) == 1 &&
      EVP_EncryptUpdate(cipher, nullptr, &written, bytes_of(context), size_of(context)) == 1 &&
      EVP_EncryptUpdate(cipher, ciphertext, &written, bytes_of(plain), size_of(plain)) == 1 &&
      EVP_EncryptFinal_ex(cipher, tag, &written) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) == 1;
  require(done, "AES-256-GCM");
  return sealed;
}

Result<std::string> Sealer::open(std::string_view sealed, std::string_view context) {
  const auto refused = fail(ErrorCode::kInvalid, "not a value that was sealed for this purpose");
  if (sealed.size() < kNonceSize + kTagSize) return refused;
  if (sealed.size() > kSizeLimit || context.size() > kSizeLimit) return refused;
  const ErrorScope errors;
  EVP_CIPHER_CTX* const cipher = state_->opening.get();
  const std::string_view ciphertext =
      sealed.substr(kNonceSize, sealed.size() - kNonceSize - kTagSize);
  std::string tag(sealed.substr(sealed.size() - kTagSize));
  std::string plain(ciphertext.size(), '\0');
  int written = 0;
  const bool authentic =
      EVP_DecryptInit_ex2(cipher, nullptr, nullptr, bytes_of(sealed), nullptr) == 1 &&
      EVP_DecryptUpdate(cipher, nullptr, &written, bytes_of(context), size_of(context)) == 1 &&
      EVP_DecryptUpdate(cipher, bytes_of(plain), &written, bytes_of(ciphertext),
                        size_of(ciphertext)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher, bytes_of(plain) + plain.size(), &written) == 1;
  if (!authentic) {
    wipe(plain);  // what came out before the tag was judged
    return refused;
  }
  return plain;
}

}  // namespace gatehouse::crypto
