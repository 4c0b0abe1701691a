#include "oauth/credentials.h"

#include <algorithm>

#include "base/encoding.h"
#include "http/url.h"

namespace gatehouse::oauth {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// What follows "<scheme> " (RFC 9110 §11.4: any case, one space or more). `scheme` in lower case.
std::optional<std::string_view> after_scheme(std::string_view authorization,
                                             std::string_view scheme) {
  const std::string_view given = authorization.substr(0, authorization.find(' '));
  if (given.size() == authorization.size()) return std::nullopt;
  if (!std::ranges::equal(given, scheme, {}, lower)) return std::nullopt;
  const std::size_t start = authorization.find_first_not_of(' ', given.size());
  if (start == std::string_view::npos) return std::nullopt;
  return authorization.substr(start);
}

std::optional<std::string> form_decode(std::string_view text) {
  auto members = http::parse_form("v=" + std::string(text), 1);
  if (!members || members->size() != 1) return std::nullopt;
  return std::move(members->front().second);
}

bool is_token_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
}

/// b64token of RFC 6750 §2.1.
bool is_token(std::string_view text) {
  const std::string_view body = text.substr(0, text.find_last_not_of('=') + 1);
  return !body.empty() && std::ranges::all_of(body, is_token_character);
}

}  // namespace

std::string basic_credentials(std::string_view client_id, std::string_view client_secret) {
  const std::string pair =
      http::percent_encode(client_id) + ":" + http::percent_encode(client_secret);
  return "Basic " + base64_encode(pair);
}

std::optional<std::pair<std::string, std::string>> parse_basic_credentials(
    std::string_view authorization) {
  const auto encoded = after_scheme(authorization, "basic");
  if (!encoded) return std::nullopt;
  const auto pair = base64_decode(*encoded);
  if (!pair) return std::nullopt;
  const std::size_t colon = pair->find(':');
  if (colon == std::string::npos) return std::nullopt;
  auto client_id = form_decode(std::string_view(*pair).substr(0, colon));
  auto client_secret = form_decode(std::string_view(*pair).substr(colon + 1));
  if (!client_id || client_id->empty() || !client_secret) return std::nullopt;
  return std::pair(std::move(*client_id), std::move(*client_secret));
}

std::optional<std::string_view> parse_bearer(std::string_view authorization) {
  const auto token = after_scheme(authorization, "bearer");
  if (!token || !is_token(*token)) return std::nullopt;
  return token;
}

}  // namespace gatehouse::oauth
