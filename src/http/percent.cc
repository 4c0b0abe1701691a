#include "http/percent.h"

#include <cstdint>

namespace gatehouse::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The bytes that follow a lead byte, the bits it gives, and the least value it may stand for.
struct Sequence {
  int following;
  std::uint32_t bits;
  std::uint32_t least;
};

std::optional<Sequence> sequence_of(unsigned char lead) {
  if (lead < 0x80) return Sequence{0, lead, 0};
  if ((lead & 0xe0) == 0xc0) return Sequence{1, lead & 0x1fU, 0x80};
  if ((lead & 0xf0) == 0xe0) return Sequence{2, lead & 0x0fU, 0x800};
  if ((lead & 0xf8) == 0xf0) return Sequence{3, lead & 0x07U, 0x10000};
  return std::nullopt;
}

}  // namespace

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::optional<char> escaped_byte(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return std::nullopt;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

std::string decode_what_can_be(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::optional<char> byte = escaped_byte(text.substr(i));
    out.push_back(byte.value_or(text[i]));
    if (byte) i += 2;
  }
  return out;
}

bool is_utf8(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const std::optional<Sequence> sequence = sequence_of(static_cast<unsigned char>(bytes[i++]));
    if (!sequence) return false;
    std::uint32_t value = sequence->bits;
    for (int n = 0; n < sequence->following; ++n) {
      if (i == bytes.size()) return false;
      const auto next = static_cast<unsigned char>(bytes[i++]);
      if ((next & 0xc0) != 0x80) return false;
      value = value << 6 | (next & 0x3fU);
    }
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < sequence->least || value > 0x10ffff || surrogate) return false;
  }
  return true;
}

}  // namespace gatehouse::http
