#include "http/headers.h"

#include <array>
#include <cassert>
#include <cstring>

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

/// Of a compiler's vector types: one instruction looks at all of it.
using Block = signed char __attribute__((vector_size(16)));

/// All are between 0x20 and 0x7e: as signed numbers, those from 0x80 on are below.
bool all_visible(Block block) {
  const Block in_range = (block >= ' ') & (block <= '~');
  return __builtin_reduce_and(in_range) != 0;
}

// Of a browser's request, so that its head makes two allocations instead of a dozen.
constexpr std::size_t kUsualFields = 24;
constexpr std::size_t kUsualBytes = 1023;

}  // namespace

bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!kToken[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

bool is_field_value(std::string_view text) {
  if (!text.empty() && (is_blank(text.front()) || is_blank(text.back()))) return false;
  return skip_value_bytes(text, 0) == text.size();
}

std::size_t skip_value_bytes(std::string_view text, std::size_t from) {
  for (;;) {
    Block block;
    while (from + sizeof block <= text.size()) {
      std::memcpy(&block, text.data() + from, sizeof block);
      if (!all_visible(block)) break;
      from += sizeof block;
    }
    while (from < text.size() && text[from] >= ' ' && text[from] <= '~') ++from;
    if (from == text.size() || text[from] != '\t') return from;
    ++from;
  }
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
  Entry entry{};
  entry.name = static_cast<std::uint32_t>(bytes_.size());
  entry.name_length = static_cast<std::uint32_t>(name.size());
  bytes_.append(name);
  entry.value = static_cast<std::uint32_t>(bytes_.size());
  entry.value_length = static_cast<std::uint32_t>(value.size());
  bytes_.append(value);
  fields_.push_back(entry);
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

std::size_t Headers::remove(std::string_view name) {
  return remove_if([name](Field field) { return equal_ignoring_case(field.name, name); });
}

void Headers::replace(std::size_t index, std::string_view value) {
  Entry& entry = fields_[index];
  entry.value = static_cast<std::uint32_t>(bytes_.size());
  entry.value_length = static_cast<std::uint32_t>(value.size());
  bytes_.append(value);
}

}  // namespace gatehouse::http
