// What request heads, response heads and trailers have in common: classes of bytes, field lines,
// comma-separated lists (RFC 9112 §5, RFC 9110 §5.6). Pure; for the files of this folder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/headers.h"

namespace gatehouse::net::http1 {

/// Classes of bytes, as bits.
enum ByteClass : std::uint8_t {
  kValueByte = 1,  // of a field value
  kTargetByte = 2  // visible ASCII
};

namespace syntax_detail {
constexpr std::array<std::uint8_t, 256> byte_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (int c = 0; c < 0x100; ++c) {
    if (http::is_value_byte(static_cast<char>(c))) classes[c] = kValueByte;
  }
  for (int c = '!'; c <= '~'; ++c) classes[c] |= kTargetByte;
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> kByteClasses = byte_classes();
}  // namespace syntax_detail

constexpr bool is_of(char c, unsigned classes) {
  return (syntax_detail::kByteClasses[static_cast<unsigned char>(c)] & classes) != 0;
}

/// The first place at or after `from` whose byte is in none of `classes`; the size if there is
/// none.
std::size_t skip(std::string_view text, std::size_t from, unsigned classes);

/// How far a part of a head was read.
enum class Progress : std::uint8_t { kDone, kIncomplete, kRefused };

/// One line of a head, read from `position` on.
struct FieldLine {
  enum class Kind {
    kField,
    kLast,        // the empty line
    kIncomplete,  // more bytes are needed
    kBad,
  };
  Kind kind = Kind::kIncomplete;
  http::Field field;        // of kField, without white space around the value
  std::string_view reason;  // of kBad
};

/// Reads the line at `position` and moves that behind it, if it is whole.
FieldLine read_field_line(std::string_view text, std::size_t& position);

/// Reads CR LF at `position` and moves that behind it.
enum class LineEnd { kRead, kIncomplete, kBad };
LineEnd read_line_end(std::string_view text, std::size_t& position);

/// Splits the next member off a comma-separated list, without white space around it; members may be
/// empty. False when the list has ended; start with `list.data()` not null.
bool next_member(std::string_view& list, std::string_view& member);

}  // namespace gatehouse::net::http1
