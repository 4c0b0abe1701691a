// Cookies, read and made (RFC 6265bis).
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/headers.h"

namespace gatehouse::http {

struct Cookie {
  std::string_view name;
  std::string_view value;
};

/// Calls `each` for the cookies of all Cookie fields, in order, until it returns false. A pair with
/// an empty or ill-formed name is passed over. Values are as sent, quotes included.
template <class Each>
void for_each_cookie(const Headers& headers, Each each);

/// All values under that name, in order. More than one means that somebody planted a copy.
std::vector<std::string_view> cookie_values(const Headers& headers, std::string_view name);

/// True if one of `names` is that name; a name that ends in '*' matches by prefix.
bool cookie_is_named(std::string_view name, const std::vector<std::string>& names);

/// Rewrites the Cookie fields without the named ones (see cookie_is_named), ill-formed pairs
/// included. The others keep their order and bytes; an empty field goes.
void remove_cookies(Headers& headers, const std::vector<std::string>& names);

enum class SameSite { kLax, kStrict, kNone };

struct SetCookie {
  std::string name;
  std::string value;
  std::string path = "/";
  std::string domain;                           // empty: this host only
  std::optional<std::chrono::seconds> max_age;  // none: until the browser closes; 0 deletes
  bool secure = false;
  bool http_only = true;
  SameSite same_site = SameSite::kLax;

  /// The value of a Set-Cookie field. Asserts that name and value are legal.
  std::string str() const;
};

// Implementation of the template.

namespace cookies_detail {
/// Splits the next pair off `rest`; false at the end.
bool next_pair(std::string_view& rest, Cookie& cookie);
}  // namespace cookies_detail

template <class Each>
void for_each_cookie(const Headers& headers, Each each) {
  for (const Field field : headers) {
    if (!equal_ignoring_case(field.name, "cookie")) continue;
    std::string_view rest = field.value;
    Cookie cookie;
    while (cookies_detail::next_pair(rest, cookie)) {
      if (!each(cookie)) return;
    }
  }
}

}  // namespace gatehouse::http
