#include "base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace gatehouse {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

/// The bytes that follow a lead byte, the bits it gives, and the least value it may stand for.
struct Sequence {
  std::size_t following;
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

std::size_t utf8_character(std::string_view text) {
  if (text.empty()) return 0;
  const std::optional<Sequence> sequence = sequence_of(static_cast<unsigned char>(text[0]));
  if (!sequence || text.size() <= sequence->following) return 0;
  std::uint32_t value = sequence->bits;
  for (const char c : text.substr(1, sequence->following)) {
    const auto next = static_cast<unsigned char>(c);
    if ((next & 0xc0) != 0x80) return 0;
    value = value << 6 | (next & 0x3fU);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < sequence->least || value > 0x10ffff || surrogate) return 0;
  return 1 + sequence->following;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_character(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_character(text);
    out += length > 0 ? text.substr(0, length) : kReplacement;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace gatehouse
