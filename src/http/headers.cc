#include "http/headers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <type_traits>

namespace gatehouse::http {
namespace {

constexpr std::array<bool, 256> token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c :
       {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
constexpr std::array<bool, 256> kToken = token_table();

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// Of a compiler's vector types: a few instructions look at all of it. As signed numbers, the bytes
// from 0x80 on are below all others.
template <int Size>
using Bytes = signed char __attribute__((ext_vector_type(Size)));

/// Where the first byte of those at `bytes` is for which the mask that `wanted` makes is not set;
/// Size if it is for all.
template <int Size, class Wanted>
std::size_t first_unwanted(const char* bytes, Wanted wanted) {
  using Mask = bool __attribute__((ext_vector_type(Size)));
  using Bits = std::conditional_t<Size == 16, std::uint16_t, std::uint8_t>;
  static_assert(sizeof(Mask) == sizeof(Bits));
  Bytes<Size> block;
  std::memcpy(&block, bytes, sizeof block);
  const Mask mask = __builtin_convertvector(wanted(block), Mask);
  return static_cast<std::size_t>(std::countr_one(std::bit_cast<Bits>(mask)));
}

/// Of a value but the tab. Of one byte too.
constexpr auto kValue = [](auto block) {
  return ((block < 0) | (block >= ' ')) & (block != '\x7f');
};
/// Most of what names are made of.
constexpr auto kLetterDigitHyphen = [](auto block) {
  const auto folded = block | 0x20;
  return ((folded >= 'a') & (folded <= 'z')) | ((block >= '0') & (block <= '9')) | (block == '-');
};

// Of a browser's request, so that its head makes two allocations instead of a dozen.
constexpr std::size_t kUsualFields = 24;
constexpr std::size_t kUsualBytes = 1023;

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && skip_token_bytes(text, 0) == text.size();
}

bool is_field_value(std::string_view text) {
  if (!text.empty() && (is_blank(text.front()) || is_blank(text.back()))) return false;
  return skip_value_bytes(text, 0) == text.size();
}

bool is_ascii_field_value(std::string_view text) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  return is_field_value(text) && std::ranges::all_of(text, is_ascii);
}

std::size_t skip_value_bytes(std::string_view text, std::size_t from) {
  for (;;) {
    std::size_t passed = 16;
    while (passed == 16 && text.size() - from >= 16) {
      passed = first_unwanted<16>(text.data() + from, kValue);
      from += passed;
    }
    if (passed == 16 && text.size() - from >= 8) {
      from += first_unwanted<8>(text.data() + from, kValue);
    }
    while (from < text.size() && kValue(static_cast<signed char>(text[from]))) ++from;
    if (from == text.size() || text[from] != '\t') return from;
    ++from;
  }
}

std::size_t skip_token_bytes(std::string_view text, std::size_t from) {
  while (text.size() - from >= 16) {
    const std::size_t passed = first_unwanted<16>(text.data() + from, kLetterDigitHyphen);
    from += passed;
    if (passed == 16) continue;
    if (!kToken[static_cast<unsigned char>(text[from])]) return from;
    ++from;
  }
  while (from < text.size() && kToken[static_cast<unsigned char>(text[from])]) ++from;
  return from;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const Field field : *this) {
    if (equal_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  std::size_t n = 0;
  for (const Field field : *this) n += equal_ignoring_case(field.name, name) ? 1 : 0;
  return n;
}

bool Headers::list_has(std::string_view name, std::string_view member) const {
  for (const Field field : *this) {
    if (!equal_ignoring_case(field.name, name)) continue;
    std::string_view rest = field.value;
    for (;;) {
      const std::size_t comma = rest.find(',');
      if (equal_ignoring_case(trim(rest.substr(0, comma)), member)) return true;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

void Headers::add(std::string_view name, std::string_view value) {
  assert(is_token(name));
  if (fields_.capacity() == 0) {
    fields_.reserve(kUsualFields);
    bytes_.reserve(kUsualBytes);
  }
  fields_.push_back(append(name, value));
}

Headers::Entry Headers::append(std::string_view name, std::string_view value) {
  const std::size_t begin = bytes_.size();
  const Entry entry{.begin = static_cast<std::uint32_t>(begin),
                    .name_length = static_cast<std::uint32_t>(name.size()),
                    .value_length = static_cast<std::uint32_t>(value.size())};
  const std::size_t end = begin + entry.length();
  bytes_.resize_and_overwrite(end, [&](char* text, std::size_t) {
    copy_text(copy_text(copy_text(copy_text(text + begin, name), kColon), value), kLineEnd);
    return end;
  });
  return entry;
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

std::size_t Headers::remove(std::string_view name) {
  return remove_if([name](Field field) { return equal_ignoring_case(field.name, name); });
}

void Headers::replace(std::size_t index, std::string_view value) {
  const std::string name(at(index).name);
  fields_[index] = append(name, value);
}

}  // namespace gatehouse::http
