#include "gateway/identity_headers.h"

#include <algorithm>

#include "gateway/field_names.h"
#include "http/cookies.h"

namespace gatehouse::gateway {
namespace {

// What the parts of Gatehouse tell one another in headers: no client's, no upstream's.
constexpr std::string_view kInternalPrefix = "x-gatehouse-";

// The codec has dealt with Connection and what it names. One that is left must not take effect at a
// later hop, where it could name a header that was set here (CVE-2024-45410).
constexpr std::string_view kConnection = "connection";

// CGI programs take it for the variable HTTP_PROXY (CVE-2016-5385). It means nothing to anybody
// else.
constexpr std::string_view kProxy = "proxy";

/// The name under which a browser will send the cookie back. A nameless cookie comes back as its
/// bare value, so "=session=x" would plant "session".
std::string_view planted_name(std::string_view set_cookie) {
  const std::string_view pair = set_cookie.substr(0, set_cookie.find(';'));
  const std::size_t start = std::min(pair.find_first_not_of(" \t="), pair.size());
  const std::string_view rest = pair.substr(start);
  const std::string_view name = rest.substr(0, rest.find('='));
  const std::size_t last = name.find_last_not_of(" \t");
  return name.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

void remove_folded(http::Headers& headers, std::string_view name) {
  const std::string target = folded(name);
  headers.remove_if([&target](http::Field field) { return folds_to(field.name, target); });
}

}  // namespace

bool may_be_set(std::string_view name, std::string_view value) {
  return http::is_token(name) && http::is_ascii_field_value(value) && !is_framing_field(name);
}

IdentityHeaders::IdentityHeaders(const std::vector<std::string>& managed_headers,
                                 std::vector<std::string> private_cookies)
    : private_cookies_(std::move(private_cookies)) {
  for (const std::string& name : managed_headers) managed_.push_back(folded(name));
}

void IdentityHeaders::strip(http::Headers& headers) const {
  headers.remove_if([this](http::Field field) {
    return folds_to_one_of(field.name, managed_) || fold_begins_with(field.name, kInternalPrefix) ||
           folds_to(field.name, kConnection) || folds_to(field.name, kProxy);
  });
}

void IdentityHeaders::strip_cookies(http::Headers& headers) const {
  http::remove_cookies(headers, private_cookies_);
}

Result<void> IdentityHeaders::apply(http::Headers& headers, const http::Allow& allow) const {
  for (const std::string& name : allow.remove) remove_folded(headers, name);
  for (const auto& [name, value] : allow.set) {
    if (!may_be_set(name, value)) {
      return fail(ErrorCode::kInvalid, "the verdict sets a header that cannot be sent");
    }
    // Managed ones are gone already: strip() came first.
    if (!folds_to_one_of(name, managed_)) remove_folded(headers, name);
  }
  for (const auto& [name, value] : allow.set) headers.add(name, value);
  for (const auto& [name, value] : allow.append) {
    if (!may_be_set(name, value)) {
      return fail(ErrorCode::kInvalid, "the verdict adds a header that cannot be sent");
    }
    headers.add(name, value);
  }
  return {};
}

void IdentityHeaders::strip_set_cookies(http::Headers& headers) const {
  headers.remove_if([this](http::Field field) {
    return http::equal_ignoring_case(field.name, "set-cookie") &&
           http::cookie_is_named(planted_name(field.value), private_cookies_);
  });
}

}  // namespace gatehouse::gateway
