// The session cookie's JWT. Judged at each request: no JSON is read, and nothing is allocated but
// the payload.
#include <cstdio>
#include <cstdlib>

#include "base/encoding.h"
#include "jose/jwt.h"

namespace gatehouse::jose {
namespace {

constexpr std::size_t kKeySizeMin = 32;
constexpr std::size_t kEncodedTagSize = 43;

using Tag = std::array<std::uint8_t, 32>;
using EncodedTag = std::array<char, kEncodedTagSize>;

/// base64url, without the allocation that base64url_encode() makes.
EncodedTag encode(const Tag& tag) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  EncodedTag out;
  std::uint32_t bits = 0;
  int held = 0;
  std::size_t written = 0;
  for (const std::uint8_t byte : tag) {
    bits = (bits << 8) | byte;
    held += 8;
    for (; held >= 6; held -= 6) out[written++] = kAlphabet[(bits >> (held - 6)) & 63];
  }
  out[written] = kAlphabet[(bits << (6 - held)) & 63];
  return out;
}

/// The header with its dot. Its text is fixed: verify_hs256() compares it byte for byte.
std::string header_for(const std::string& kid) {
  return base64url_encode(R"({"alg":"HS256","typ":"JWT","kid":)" + dump_json(kid) + "}") + '.';
}

}  // namespace

Hs256Key::Hs256Key(std::string kid, const Secret& key)
    : kid_(std::move(kid)), hmac_(key), header_(header_for(kid_)) {
  if (key.reveal().size() < kKeySizeMin) {
    std::fputs("an HS256 key must have at least 32 bytes (RFC 7518 section 3.2)\n", stderr);
    std::abort();
  }
}

std::string Hs256Key::sign(std::string_view payload) {
  std::string token = header_ + base64url_encode(payload);
  const EncodedTag tag = encode(hmac_.sign(token));
  token += '.';
  token.append(tag.data(), tag.size());
  return token;
}

Result<std::string, JwtError> verify_hs256(std::string_view token, std::span<Hs256Key> keys) {
  const std::size_t dot = token.rfind('.');
  if (token.size() > kTokenLimit || dot == std::string_view::npos) {
    return std::unexpected(JwtError::kMalformed);
  }
  const std::string_view signing_input = token.substr(0, dot);
  const std::string_view signature = token.substr(dot + 1);
  bool is_known_key = false;
  for (Hs256Key& key : keys) {
    if (!signing_input.starts_with(key.header_)) continue;
    is_known_key = true;
    // The tag is compared in its encoded form: each has only one.
    const EncodedTag tag = encode(key.hmac_.sign(signing_input));
    if (!equal_in_constant_time({tag.data(), tag.size()}, signature)) continue;
    auto payload = base64url_decode(signing_input.substr(key.header_.size()));
    if (!payload) return std::unexpected(JwtError::kMalformed);
    return *std::move(payload);
  }
  return std::unexpected(is_known_key ? JwtError::kSignature : JwtError::kUnknownKey);
}

}  // namespace gatehouse::jose
