#include "base/encoding.h"

#include <array>
#include <cstdint>

namespace gatehouse {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::uint8_t kForeign = 0xff;

using Reverse = std::array<std::uint8_t, 256>;

constexpr Reverse reverse(std::string_view alphabet) {
  Reverse table{};
  table.fill(kForeign);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr Reverse kFromBase64 = reverse(kBase64);
constexpr Reverse kFromBase64Url = reverse(kBase64Url);

std::uint32_t octet(char c) {
  return static_cast<std::uint8_t>(c);
}

/// Encodes the last 0, 1 or 2 bytes, whose bits do not fill whole characters.
void encode_tail(std::string_view tail, std::string_view alphabet, char* to) {
  if (tail.empty()) return;
  const std::uint32_t first = octet(tail[0]);
  const std::uint32_t second = tail.size() == 2 ? octet(tail[1]) : 0;
  *to++ = alphabet[first >> 2];
  *to++ = alphabet[(first << 4 | second >> 4) & 63];
  if (tail.size() == 2) *to = alphabet[(second << 2) & 63];
}

std::string encode64(std::string_view bytes, std::string_view alphabet) {
  std::string out((bytes.size() * 4 + 2) / 3, '\0');
  const std::size_t whole = bytes.size() / 3 * 3;
  char* to = out.data();
  for (std::size_t i = 0; i < whole; i += 3) {
    const std::uint32_t bits =
        octet(bytes[i]) << 16 | octet(bytes[i + 1]) << 8 | octet(bytes[i + 2]);
    *to++ = alphabet[bits >> 18];
    *to++ = alphabet[(bits >> 12) & 63];
    *to++ = alphabet[(bits >> 6) & 63];
    *to++ = alphabet[bits & 63];
  }
  encode_tail(bytes.substr(whole), alphabet, to);
  return out;
}

/// Decodes the last 0, 2 or 3 characters, whose bits do not fill whole bytes.
bool decode_tail(std::string_view tail, const Reverse& table, char* to) {
  std::uint32_t bits = 0;
  for (const char c : tail) {
    const std::uint8_t value = table[octet(c)];
    if (value == kForeign) return false;
    bits = (bits << 6) | value;
  }
  if (tail.size() == 2) {
    to[0] = static_cast<char>(bits >> 4);
    return (bits & 0xf) == 0;
  }
  if (tail.size() == 3) {
    to[0] = static_cast<char>(bits >> 10);
    to[1] = static_cast<char>(bits >> 2);
    return (bits & 0x3) == 0;
  }
  return tail.empty();
}

// Four characters at a time into a buffer of the right size: a session's token is decoded on every
// request.
std::optional<std::string> decode64(std::string_view text, const Reverse& table) {
  const std::size_t whole = text.size() / 4 * 4;
  std::string out(text.size() * 3 / 4, '\0');
  char* to = out.data();
  // Values are below 64; whatever is foreign leaves a higher bit behind.
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < whole; i += 4) {
    const std::uint32_t a = table[octet(text[i])];
    const std::uint32_t b = table[octet(text[i + 1])];
    const std::uint32_t c = table[octet(text[i + 2])];
    const std::uint32_t d = table[octet(text[i + 3])];
    seen |= a | b | c | d;
    const std::uint32_t bits = a << 18 | b << 12 | c << 6 | d;
    *to++ = static_cast<char>(bits >> 16);
    *to++ = static_cast<char>(bits >> 8);
    *to++ = static_cast<char>(bits);
  }
  if (seen > 63 || !decode_tail(text.substr(whole), table, to)) return std::nullopt;
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string base64url_encode(std::string_view bytes) {
  return encode64(bytes, kBase64Url);
}

std::optional<std::string> base64url_decode(std::string_view text) {
  return decode64(text, kFromBase64Url);
}

std::string base64_encode(std::string_view bytes) {
  std::string out = encode64(bytes, kBase64);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return decode64(text, kFromBase64);
}

std::string hex_encode(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kHex[static_cast<std::uint8_t>(c) >> 4];
    out += kHex[static_cast<std::uint8_t>(c) & 15];
  }
  return out;
}

std::optional<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

}  // namespace gatehouse
