#include "gateway/filters/format_escape.h"

#include "base/utf8.h"
#include "http/headers.h"
#include "http/html.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool is_visible(char c) {
  return c >= ' ' && c <= '~';
}

void append_hex(std::string& out, std::string_view prefix, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out.append(prefix);
  out.push_back(kHex[byte >> 4]);
  out.push_back(kHex[byte & 15]);
}

/// JSON has no name for a byte that is not ASCII but its code: what is not UTF-8 stays readable.
void append_quoted(std::string& out, std::string_view value, std::string_view code) {
  for (const char c : value) {
    if (!is_visible(c)) {
      append_hex(out, code, c);
      continue;
    }
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
}

void append_field(std::string& out, std::string_view value) {
  for (const char c : value) out.push_back(http::is_value_byte(c) ? c : '_');
}

}  // namespace

void append_escaped(std::string& out, std::string_view value, Format::Use use) {
  switch (use) {
    case Format::Use::kRequestField:
    case Format::Use::kResponseField:
      return append_field(out, value);
    case Format::Use::kLog:
      return append_quoted(out, value, "\\x");
    case Format::Use::kJson:
      return append_quoted(out, value, "\\u00");
    case Format::Use::kHtml:
      out.append(http::html_escape(replace_invalid_utf8(value)));
      return;
    case Format::Use::kText:
      out.append(replace_invalid_utf8(value));
  }
}

}  // namespace gatehouse::gateway
