// The header fields of a message, in their order, as one value (RFC 9110 §5).
//
// All bytes lie in one buffer and fields are offsets into it, so that a head is one copy, a cleared
// Headers keeps its memory for the next message, and no field costs an allocation. Each field lies
// there as the line that it is in HTTP/1.1, so that what is passed on is copied by runs of lines.
// Names compare without case. What is put in here has been checked: a codec refuses what is no
// token or holds control bytes; add() and set() assert it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_memory.h"

namespace gatehouse::http {

struct Field {
  std::string_view name;
  std::string_view value;
};

/// RFC 9110 §5.6.2: what a field name or a method may be made of.
bool is_token(std::string_view text);
/// A byte that a field value may hold (RFC 9110 §5.5): visible ASCII, space, tab, and obs-text, the
/// bytes from 0x80 on, which mean nothing to anybody but the two ends.
constexpr bool is_value_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= ' ' && byte != 0x7f) || byte == '\t';
}
/// RFC 9110 §5.5: bytes of a value, no white space at either end.
bool is_field_value(std::string_view text);
/// A field value without obs-text, which two readers may take for two texts: what is said of a
/// user, and what Gatehouse says itself.
bool is_ascii_field_value(std::string_view text);
/// The first place at or after `from` whose byte is none of a value; the size if there is none.
/// Sixteen bytes at a time.
std::size_t skip_value_bytes(std::string_view text, std::size_t from);
/// The same for the bytes of a token.
std::size_t skip_token_bytes(std::string_view text, std::size_t from);
bool equal_ignoring_case(std::string_view a, std::string_view b);
inline bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}
std::string lower_case(std::string_view text);

/// Copies the text to where there is room for it; gives the place behind.
inline char* copy_text(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
/// Without the white space that may stand around a value or a list's member (RFC 9110 §5.6.3).
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

class Headers {
 public:
  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  /// Views stay valid until the next change.
  Field at(std::size_t index) const {
    const Entry& e = fields_[index];
    const char* const name = bytes_.data() + e.begin;
    return {{name, e.name_length}, {name + e.name_length + kColon.size(), e.value_length}};
  }
  /// The field at that place as "Name: value\r\n".
  std::string_view line(std::size_t index) const {
    const Entry& e = fields_[index];
    return {bytes_.data() + e.begin, e.length()};
  }
  /// At least as long as all lines together.
  std::size_t bytes() const { return bytes_.size(); }

  /// The first field of that name.
  std::optional<std::string_view> get(std::string_view name) const;
  bool has(std::string_view name) const { return get(name).has_value(); }
  std::size_t count(std::string_view name) const;
  /// The field of that name if there is exactly one: two could be read differently.
  std::optional<std::string_view> only(std::string_view name) const {
    return count(name) == 1 ? get(name) : std::nullopt;
  }
  /// True if a comma-separated list under that name, over all its fields, has that member, without
  /// case (RFC 9110 §5.6.1): `Connection`, `Upgrade`, `TE`, `Vary`.
  bool list_has(std::string_view name, std::string_view member) const;

  /// Neither may be a view into these headers.
  void add(std::string_view name, std::string_view value);
  /// Removes all fields of that name and adds one.
  void set(std::string_view name, std::string_view value);
  /// Returns how many went.
  std::size_t remove(std::string_view name);
  /// Removes each field for which `unwanted(Field)` holds.
  template <class Unwanted>
  std::size_t remove_if(Unwanted unwanted);
  /// Replaces the value of the field at that place; not by a view into these headers.
  void replace(std::size_t index, std::string_view value);
  void clear() {
    bytes_.clear();
    fields_.clear();
  }

  class Iterator {
   public:
    Iterator(const Headers& headers, std::size_t index) : headers_(&headers), index_(index) {}
    Field operator*() const { return headers_->at(index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const Headers* headers_;
    std::size_t index_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, fields_.size()}; }

 private:
  static constexpr std::string_view kColon = ": ", kLineEnd = "\r\n";

  struct Entry {
    std::uint32_t begin, name_length, value_length;

    std::size_t length() const {
      return std::size_t{name_length} + kColon.size() + value_length + kLineEnd.size();
    }
  };
  Entry append(std::string_view name, std::string_view value);

  std::basic_string<char, std::char_traits<char>, ThreadAllocator<char>> bytes_;
  std::vector<Entry, ThreadAllocator<Entry>> fields_;
};

template <class Unwanted>
std::size_t Headers::remove_if(Unwanted unwanted) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (!unwanted(at(i))) fields_[kept++] = fields_[i];
  }
  const std::size_t removed = fields_.size() - kept;
  fields_.resize(kept);
  return removed;
}

}  // namespace gatehouse::http
