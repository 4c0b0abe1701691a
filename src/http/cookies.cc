#include "http/cookies.h"

#include <algorithm>
#include <cassert>

namespace gatehouse::http {
namespace {

/// Splits the text up to the next ';' off `rest`.
std::string_view next_piece(std::string_view& rest) {
  const std::string_view piece = rest.substr(0, rest.find(';'));
  rest.remove_prefix(std::min(piece.size() + 1, rest.size()));
  return trim(piece);
}

std::string_view name_of(std::string_view piece) {
  return trim(piece.substr(0, piece.find('=')));
}

bool matches(std::string_view name, std::string_view pattern) {
  if (!pattern.ends_with('*')) return name == pattern;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

bool holds_any(std::string_view value, const std::vector<std::string>& names) {
  while (!value.empty()) {
    if (cookie_is_named(name_of(next_piece(value)), names)) return true;
  }
  return false;
}

std::string without(std::string_view value, const std::vector<std::string>& names) {
  std::string kept;
  while (!value.empty()) {
    const std::string_view piece = next_piece(value);
    if (piece.empty() || cookie_is_named(name_of(piece), names)) continue;
    if (!kept.empty()) kept += "; ";
    kept += piece;
  }
  return kept;
}

/// RFC 6265 §4.1.1: no control bytes, white space, quotes, commas, semicolons or backslashes.
[[maybe_unused]] bool is_cookie_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != ',' && c != ';' && c != '\\';
  });
}

[[maybe_unused]] bool is_attribute_value(std::string_view text) {
  return is_ascii_field_value(text) && text.find(';') == std::string_view::npos;
}

std::string_view to_string(SameSite same_site) {
  switch (same_site) {
    case SameSite::kLax:
      return "Lax";
    case SameSite::kStrict:
      return "Strict";
    case SameSite::kNone:
      return "None";
  }
  return "Lax";
}

}  // namespace

namespace cookies_detail {

bool next_pair(std::string_view& rest, Cookie& cookie) {
  while (!rest.empty()) {
    const std::string_view piece = next_piece(rest);
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos || !is_token(name_of(piece))) continue;
    cookie = {name_of(piece), trim(piece.substr(equals + 1))};
    return true;
  }
  return false;
}

}  // namespace cookies_detail

bool cookie_is_named(std::string_view name, const std::vector<std::string>& names) {
  return std::ranges::any_of(names,
                             [name](const std::string& pattern) { return matches(name, pattern); });
}

std::vector<std::string_view> cookie_values(const Headers& headers, std::string_view name) {
  std::vector<std::string_view> values;
  for_each_cookie(headers, [&](const Cookie& cookie) {
    if (cookie.name == name) values.push_back(cookie.value);
    return true;
  });
  return values;
}

void remove_cookies(Headers& headers, const std::vector<std::string>& names) {
  bool emptied = false;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const Field field = headers.at(i);
    if (!equal_ignoring_case(field.name, "cookie") || !holds_any(field.value, names)) continue;
    const std::string kept = without(field.value, names);
    headers.replace(i, kept);
    emptied |= kept.empty();
  }
  if (!emptied) return;
  headers.remove_if(
      [](Field field) { return field.value.empty() && equal_ignoring_case(field.name, "cookie"); });
}

std::string SetCookie::str() const {
  assert(is_token(name) && is_cookie_value(value));
  assert(is_attribute_value(path) && is_attribute_value(domain));
  std::string out = name + "=" + value;
  if (!path.empty()) out += "; Path=" + path;
  if (!domain.empty()) out += "; Domain=" + domain;
  if (max_age) out += "; Max-Age=" + std::to_string(max_age->count());
  if (secure) out += "; Secure";
  if (http_only) out += "; HttpOnly";
  out += "; SameSite=";
  out += to_string(same_site);
  return out;
}

}  // namespace gatehouse::http
