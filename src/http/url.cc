#include "http/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "http/headers.h"
#include "http/percent.h"
#include "http/target.h"

namespace gatehouse::http {
namespace {

constexpr std::size_t kHostLimit = 253;  // RFC 1035 §2.3.4, without the root's dot

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

bool is_ipv6(std::string_view text) {
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

/// Labels of letters, digits, '-' and '_', none empty. Underscores are no host name's, but
/// cluster-internal names have them.
bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > kHostLimit) return false;
  char before = '.';
  for (const char c : text) {
    if (c == '.' && before == '.') return false;
    if (c != '.' && c != '-' && c != '_' && (c == '~' || !is_unreserved(c))) return false;
    before = c;
  }
  return before != '.';
}

struct HostAndPort {
  std::string host;
  std::optional<std::uint16_t> port;
};

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) {
    return std::nullopt;
  }
  return port;
}

std::optional<HostAndPort> parse_host_and_port(std::string_view text) {
  HostAndPort out;
  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = bracketed ? text.find(']') : std::min(text.find(':'), text.size());
  if (host_end == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  // "example.org." is the same host; one spelling for all who compare.
  if (!bracketed && host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
  if (bracketed ? !is_ipv6(host) : !is_host_name(host)) return std::nullopt;
  out.host = lower_case(host);

  const std::string_view rest = text.substr(host_end + (bracketed ? 1 : 0));
  if (rest.empty()) return out;
  if (!rest.starts_with(':')) return std::nullopt;
  out.port = parse_port(rest.substr(1));
  if (!out.port) return std::nullopt;
  return out;
}

std::string bracketed(std::string_view host) {
  if (host.find(':') == std::string_view::npos) return std::string(host);
  return "[" + std::string(host) + "]";
}

bool has_forbidden_byte(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return c <= ' ' || c > '~' || c == '\\' || c == '#' || c == '@'; });
}

/// One name or value of a form.
std::optional<std::string> decode_form_text(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  std::optional<std::string> decoded = percent_decode(spaced);
  if (!decoded || decoded->find('\0') != std::string::npos) return std::nullopt;
  return decoded;
}

void append_form_text(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == ' ') {
      out.push_back('+');
    } else {
      out.append(percent_encode(std::string_view(&c, 1)));
    }
  }
}

}  // namespace

std::string Url::authority() const {
  std::string out = bracketed(host);
  if (port != default_port(scheme)) out += ":" + std::to_string(port);
  return out;
}

std::string Url::origin() const {
  return scheme + "://" + authority();
}

std::string Url::str() const {
  return origin() + path + (query.empty() ? "" : "?" + query);
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  const std::size_t colon = text.find("://");
  url.scheme = lower_case(text.substr(0, std::min(colon, text.size())));
  if (colon == std::string_view::npos || (url.scheme != "http" && url.scheme != "https")) {
    return fail(ErrorCode::kInvalid, "a URL must begin with http:// or https://");
  }
  std::string_view rest = text.substr(colon + 3);
  if (has_forbidden_byte(rest)) {
    return fail(ErrorCode::kInvalid,
                "a URL must not hold user info, a fragment, white space or backslashes");
  }
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  std::optional<HostAndPort> authority = parse_host_and_port(rest.substr(0, authority_end));
  if (!authority) return fail(ErrorCode::kInvalid, "the URL's host or port is not valid");
  url.host = std::move(authority->host);
  url.port = authority->port.value_or(default_port(url.scheme));
  rest.remove_prefix(authority_end);
  const std::size_t question = std::min(rest.find('?'), rest.size());
  if (question > 0) url.path = rest.substr(0, question);
  if (question < rest.size()) url.query = rest.substr(question + 1);
  return url;
}

std::optional<std::string> parse_authority(std::string_view text) {
  const std::optional<HostAndPort> parsed = parse_host_and_port(text);
  if (!parsed) return std::nullopt;
  std::string out = bracketed(parsed->host);
  if (parsed->port) out += ":" + std::to_string(*parsed->port);
  return out;
}

bool has_port(std::string_view authority) {
  const std::size_t end = authority.find_last_of(":]");
  return end != std::string_view::npos && authority[end] == ':';
}

std::string percent_encode(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 0xf]);
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const std::optional<char> byte = escaped_byte(text.substr(i));
    if (!byte) return std::nullopt;
    out.push_back(*byte);
    i += 2;
  }
  return out;
}

Result<Parameters> parse_form(std::string_view text, std::size_t limit) {
  Parameters out;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    if (out.size() == limit) return fail(ErrorCode::kInvalid, "too many parameters");
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::optional<std::string> name = decode_form_text(pair.substr(0, equals));
    std::optional<std::string> value =
        decode_form_text(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) {
      return fail(ErrorCode::kInvalid, "a parameter holds a bad escape or a NUL byte");
    }
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

std::string encode_form(const Parameters& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out.push_back('&');
    append_form_text(name, out);
    out.push_back('=');
    append_form_text(value, out);
  }
  return out;
}

std::optional<std::string_view> single(const Parameters& parameters, std::string_view name,
                                       bool* repeated) {
  std::optional<std::string_view> found;
  std::size_t count = 0;
  for (const auto& [key, value] : parameters) {
    if (key != name) continue;
    ++count;
    found = value;
  }
  if (repeated != nullptr) *repeated = count > 1;
  return count == 1 ? found : std::nullopt;
}

bool is_local_redirect(std::string_view location) {
  if (!location.starts_with('/') || location.starts_with("//")) return false;
  if (!parse_target(location)) return false;
  // A browser or a proxy that drops white space would read "/%20/host" as "//host".
  const std::string_view path = location.substr(0, location.find('?'));
  std::string_view behind = path.substr(1);
  while (behind.starts_with("%20")) behind.remove_prefix(3);
  return behind.size() == path.size() - 1 || !behind.starts_with('/');
}

}  // namespace gatehouse::http
