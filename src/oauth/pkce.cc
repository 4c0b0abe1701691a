#include "oauth/pkce.h"

#include <algorithm>
#include <cstddef>

#include "base/encoding.h"
#include "crypto/digest.h"

namespace gatehouse::oauth {
namespace {

constexpr std::size_t kVerifierLeast = 43;
constexpr std::size_t kVerifierMost = 128;
constexpr std::size_t kDigestBytes = 32;

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

bool is_code_verifier(std::string_view text) {
  return text.size() >= kVerifierLeast && text.size() <= kVerifierMost &&
         std::ranges::all_of(text, is_unreserved);
}

bool is_code_challenge(std::string_view text) {
  const auto digest = base64url_decode(text);
  return digest && digest->size() == kDigestBytes;
}

std::string code_challenge(std::string_view verifier) {
  return base64url_encode(crypto::sha256(verifier));
}

}  // namespace gatehouse::oauth
