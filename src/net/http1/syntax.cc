#include "net/http1/syntax.h"

#include "net/http1/codec.h"

namespace gatehouse::net::http1 {
namespace {

using http::trim;

FieldLine bad(std::string_view reason) {
  return {.kind = FieldLine::Kind::kBad, .reason = reason};
}

std::string_view why_no_name(char c) {
  switch (c) {
    case ' ':
    case '\t':
      return "white space before a field name or its colon";
    case '\n':
      return "a line ends with a bare LF";
    default:
      return "a byte that no field name may have";
  }
}

std::string_view why_no_value(char c) {
  switch (c) {
    case '\n':
      return "a line ends with a bare LF";
    case '\0':
      return "NUL in a field value";
    default:
      return "a byte that no field value may have";
  }
}

FieldLine read_last_line(std::string_view text, std::size_t& position) {
  switch (read_line_end(text, position)) {
    case LineEnd::kRead:
      return {.kind = FieldLine::Kind::kLast};
    case LineEnd::kIncomplete:
      return {.kind = FieldLine::Kind::kIncomplete};
    case LineEnd::kBad:
      break;
  }
  return bad("a bare CR");
}

}  // namespace

std::size_t skip(std::string_view text, std::size_t from, unsigned classes) {
  while (from < text.size() && is_of(text[from], classes)) ++from;
  return from;
}

LineEnd read_line_end(std::string_view text, std::size_t& position) {
  if (position == text.size()) return LineEnd::kIncomplete;
  if (text[position] != '\r') return LineEnd::kBad;
  if (position + 1 == text.size()) return LineEnd::kIncomplete;
  if (text[position + 1] != '\n') return LineEnd::kBad;
  position += 2;
  return LineEnd::kRead;
}

FieldLine read_field_line(std::string_view text, std::size_t& position) {
  const std::size_t start = position;
  if (start < text.size() && text[start] == '\r') return read_last_line(text, position);

  const std::size_t colon = http::skip_token_bytes(text, start);
  if (colon == text.size()) return {.kind = FieldLine::Kind::kIncomplete};
  if (text[colon] != ':') return bad(why_no_name(text[colon]));
  if (colon == start) return bad("an empty field name");

  const std::size_t end = http::skip_value_bytes(text, colon + 1);
  std::size_t after = end;
  switch (read_line_end(text, after)) {
    case LineEnd::kIncomplete:
      return {.kind = FieldLine::Kind::kIncomplete};
    case LineEnd::kBad:
      return bad(text[end] == '\r' ? "a bare CR" : why_no_value(text[end]));
    case LineEnd::kRead:
      break;
  }
  position = after;
  return {
      .kind = FieldLine::Kind::kField,
      .field = {text.substr(start, colon - start), trim(text.substr(colon + 1, end - colon - 1))}};
}

bool may_complete_head(std::string_view buffer, std::size_t fresh, const Limits& limits) {
  // At the start too, so that what is not HTTP at all is refused at once.
  if (fresh == buffer.size() || buffer.size() > limits.head_bytes) return true;
  return buffer.substr(buffer.size() - fresh).find('\n') != std::string_view::npos;
}

bool next_member(std::string_view& list, std::string_view& member) {
  if (list.data() == nullptr) return false;
  const std::size_t comma = list.find(',');
  member = trim(list.substr(0, comma));
  list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  return true;
}

}  // namespace gatehouse::net::http1
