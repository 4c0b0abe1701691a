#include "net/http2/field_list.h"

#include <algorithm>

#include "net/http1/framing_fields.h"

namespace gatehouse::net::http2 {
namespace {

constexpr std::size_t kBlock = 1024;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

char lower(char c) {
  return is_upper(c) ? static_cast<char>(c + 32) : c;
}

char sound(char c) {
  return http::is_value_byte(c) ? c : ' ';
}

}  // namespace

void FieldList::clear() {
  fields_.clear();
  if (blocks_.size() > 1) blocks_.resize(1);
  if (!blocks_.empty()) blocks_.front().clear();
}

std::string& FieldList::block_for(std::size_t bytes) {
  const bool fits = !blocks_.empty() && blocks_.back().capacity() - blocks_.back().size() >= bytes;
  // Moving a short string would move its bytes; these are all longer than that.
  if (!fits) blocks_.emplace_back().reserve(std::max(kBlock, bytes));
  return blocks_.back();
}

void FieldList::add_copied(std::string_view name, std::string_view value) {
  std::string& block = block_for(value.size());
  const std::size_t start = block.size();
  block.append(value);
  fields_.push_back({name, std::string_view(block).substr(start)});
}

void FieldList::add_all(const http::Headers& headers,
                        std::initializer_list<std::string_view> skip) {
  for (const http::Field field : headers) {
    if (http1::is_framing_name(field.name)) continue;
    const bool skipped = std::ranges::any_of(
        skip, [&](std::string_view name) { return http::equal_ignoring_case(name, field.name); });
    if (!skipped) add_message_field(field);
  }
}

void FieldList::add_message_field(http::Field field) {
  Field out{.name = field.name, .value = http::trim(field.value)};
  if (std::ranges::any_of(out.name, is_upper)) out.name = changed(out.name, lower);
  if (http::skip_value_bytes(out.value, 0) != out.value.size()) {
    out.value = changed(out.value, sound);
  }
  fields_.push_back(out);
}

std::string_view FieldList::changed(std::string_view text, char (*change)(char)) {
  std::string& block = block_for(text.size());
  const auto start = static_cast<std::ptrdiff_t>(block.size());
  block.append(text);
  std::transform(block.begin() + start, block.end(), block.begin() + start, change);
  return std::string_view(block).substr(static_cast<std::size_t>(start));
}

}  // namespace gatehouse::net::http2
