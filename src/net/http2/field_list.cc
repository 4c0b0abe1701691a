#include "net/http2/field_list.h"

#include <algorithm>

#include "net/http1/framing_fields.h"
#include "net/http1/syntax.h"

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
  return http1::is_of(c, http1::kValueByte | http1::kObsTextByte) ? c : ' ';
}

}  // namespace

void FieldList::clear() {
  fields_.clear();
  if (blocks_.size() > 1) blocks_.resize(1);
  if (!blocks_.empty()) blocks_.front().clear();
}

void FieldList::reserve_copies(std::size_t bytes) {
  const bool fits = !blocks_.empty() && blocks_.back().capacity() - blocks_.back().size() >= bytes;
  if (fits) return;
  // Moving a short string would move its bytes; these are all longer than that.
  blocks_.emplace_back().reserve(std::max(kBlock, bytes));
}

void FieldList::add_copied(std::string_view name, std::string_view value) {
  reserve_copies(value.size());
  std::string& block = blocks_.back();
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
  const bool lower_name = std::ranges::none_of(out.name, is_upper);
  const bool sound_value = http1::skip_value(out.value, 0) == out.value.size();
  if (!lower_name || !sound_value) {
    reserve_copies(out.name.size() + out.value.size());
    std::string& block = blocks_.back();
    if (!lower_name) {
      const std::size_t start = block.size();
      std::ranges::transform(out.name, std::back_inserter(block), lower);
      out.name = std::string_view(block).substr(start);
    }
    if (!sound_value) {
      const std::size_t start = block.size();
      std::ranges::transform(out.value, std::back_inserter(block), sound);
      out.value = std::string_view(block).substr(start);
    }
  }
  fields_.push_back(out);
}

}  // namespace gatehouse::net::http2
