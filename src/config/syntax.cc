#include "config/syntax.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "base/encoding.h"
#include "base/secret.h"
#include "config/text.h"
#include "http/url.h"

namespace gatehouse::config {
namespace {

constexpr std::size_t kSealingKeyBytes = 32;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_visible(char c) {
  return c > ' ' && c <= '~';
}

bool all_of(std::string_view text, bool (*allowed)(char)) {
  return !text.empty() && std::ranges::all_of(text, allowed);
}

bool is_token(std::string_view text) {
  return all_of(text, [](char c) {
    return is_letter_or_digit(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_any(std::string_view) {
  return true;
}

bool is_pem(std::string_view text) {
  const std::size_t begin = text.find("-----BEGIN ");
  return begin != std::string_view::npos && text.find("-----END ", begin) != std::string_view::npos;
}

bool is_method(std::string_view text) {
  return is_token(text) && std::ranges::none_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
}

bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && is_token(text.substr(0, slash)) &&
         is_token(text.substr(slash + 1));
}

/// RFC 1123 §2.1, as Kubernetes has it.
bool is_namespace(std::string_view text) {
  constexpr std::size_t kLongest = 63;
  const auto may_stand = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, may_stand) &&
         text.front() != '-' && text.back() != '-';
}

bool is_label(std::string_view text) {
  const std::size_t equals = text.find('=');
  return all_of(text, is_visible) && equals != std::string_view::npos && equals > 0;
}

bool is_rate_key(std::string_view text) {
  constexpr std::string_view kHeader = "header:";
  constexpr std::array<std::string_view, 4> kKeys{"user", "token", "address", "all"};
  if (text.starts_with(kHeader)) return is_token(text.substr(kHeader.size()));
  return std::ranges::find(kKeys, text) != kKeys.end();
}

bool is_url(std::string_view text) {
  return http::parse_url(text).has_value();
}

bool is_issuer(std::string_view text) {
  return is_url(text) && text.find_first_of("?#") == std::string_view::npos;
}

bool is_origin(std::string_view text) {
  const Result<http::Url> url = http::parse_url(text);
  return url && url->origin() == text;
}

/// A pattern is an origin when a label stands for its star.
bool is_cors_origin(std::string_view text) {
  if (text == "*") return true;
  constexpr std::string_view kStar = "://*.";
  const std::size_t star = text.find(kStar);
  if (star == std::string_view::npos) return is_origin(text);
  std::string example(text);
  return is_origin(example.replace(star, kStar.size(), "://a."));
}

bool is_host_url(std::string_view text) {
  const Result<http::Url> url = http::parse_url(text);
  if (!url) return false;
  const std::size_t path = text.find_first_of("/?#", text.find("://") + 3);
  return path == std::string_view::npos;
}

bool is_location(std::string_view text) {
  return http::is_local_redirect(text) || is_url(text);
}

/// RFC 3986 §3.1, but none by which a browser runs what follows.
bool is_absolute_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  if (!all_of(text, is_visible) || text.find_first_of("#\\\"<>") != std::string_view::npos) {
    return false;
  }
  std::string scheme(text.substr(0, colon));
  std::ranges::transform(scheme, scheme.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  if (scheme == "http" || scheme == "https") return is_url(text);
  constexpr std::array<std::string_view, 6> kNever{"javascript", "data",  "vbscript",
                                                   "file",       "about", "blob"};
  return scheme.front() >= 'a' && scheme.front() <= 'z' &&
         std::ranges::find(kNever, scheme) == kNever.end() && all_of(scheme, [](char c) {
           return is_letter_or_digit(c) || c == '+' || c == '-' || c == '.';
         });
}

/// Kubeflow's relying party has a relative one, which is compared as it stands.
bool is_redirect_uri(std::string_view text) {
  if (text.find('#') != std::string_view::npos) return false;
  return http::is_local_redirect(text) || is_absolute_uri(text);
}

bool is_service(std::string_view text) {
  if (text == "identity" || text == "gatekeeper" || text == "demo" || text == "health") {
    return true;
  }
  return is_issuer(text);
}

bool is_path(std::string_view text) {
  if (!text.starts_with('/') || !all_of(text, is_visible)) return false;
  if (text.find_first_of("?#\\%;") != std::string_view::npos) return false;
  const std::string closed = std::string(text) + "/";
  return text.find("//") == std::string_view::npos && closed.find("/./") == std::string::npos &&
         closed.find("/../") == std::string::npos;
}

bool is_path_below(std::string_view text) {
  return is_path(text) && !text.ends_with('/');
}

template <class Integer>
std::optional<Integer> parse_number(std::string_view digits) {
  Integer number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !parse_number<std::uint16_t>(text.substr(colon + 1))) {
    return false;
  }
  const std::string_view host = text.substr(0, colon);
  const std::optional<std::string> parsed = http::parse_authority(host);
  return parsed.has_value() && (host.starts_with('[') || host.find(':') == std::string_view::npos);
}

bool is_host(std::string_view text) {
  return http::parse_authority(text) == text;
}

bool is_host_pattern(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  return text.find(':') == std::string_view::npos && is_host(text);
}

bool is_any_host_pattern(std::string_view text) {
  return text == "*" || is_host_pattern(text);
}

/// A pattern is one if it is a host when a letter stands for its star.
bool is_route_host(std::string_view text) {
  std::string example(text);
  if (text.starts_with('*')) {
    example.front() = 'a';
  } else if (text.ends_with('*')) {
    example.back() = 'a';
  }
  return text != "*" && text.find(':') == std::string_view::npos && is_host(example);
}

bool is_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  std::array<unsigned char, 16> bytes{};
  const bool v4 = inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
  const bool v6 = !v4 && inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
  if (slash == std::string_view::npos) return v4 || v6;
  const std::optional<unsigned> bits = parse_number<unsigned>(text.substr(slash + 1));
  return (v4 || v6) && bits && *bits <= (v4 ? 32U : 128U);
}

bool is_scope(std::string_view text) {
  return all_of(text, [](char c) { return is_visible(c) && c != '"' && c != '\\'; });
}

bool is_email(std::string_view text) {
  const std::size_t at = text.find('@');
  return all_of(text, is_visible) && at != std::string_view::npos && at > 0 &&
         at + 1 < text.size() && text.find('@', at + 1) == std::string_view::npos &&
         text.find_first_of(",;<>\"") == std::string_view::npos;
}

bool is_group(std::string_view text) {
  return !text.empty() && is_one_line(text) && text.find(',') == std::string_view::npos &&
         text.front() != ' ' && text.back() != ' ';
}

bool is_client_id(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_sealing_key(std::string_view text) {
  std::optional<std::string> bytes = base64_decode(text);
  if (!bytes) bytes = base64url_decode(text);
  const bool valid = bytes && bytes->size() == kSealingKeyBytes;
  if (bytes) wipe(*bytes);
  return valid;
}

bool is_password_hash(std::string_view text) {
  constexpr std::array<std::string_view, 4> kForms{"$argon2id$", "$2a$", "$2b$", "$2y$"};
  return is_one_line(text) &&
         std::ranges::any_of(kForms, [&](std::string_view form) { return text.starts_with(form); });
}

}  // namespace

const Syntax kText{"text", is_any};
const Syntax kOneLine{"one line of text without control characters", is_one_line};
const Syntax kPem{"PEM text, with its lines -----BEGIN …----- and -----END …-----", is_pem};
const Syntax kHttpUrl{
    "an absolute http:// or https:// URL without user info, fragment and white space", is_url};
const Syntax kIssuer{"an absolute http:// or https:// URL without user info, query and fragment",
                     is_issuer};
const Syntax kOrigin{
    "an origin as browsers write it, lower case and without path, trailing slash and default port: "
    "https://kubeflow.example.org",
    is_origin};
const Syntax kLocation{
    "a path on this site, which begins with exactly one slash, or an absolute http:// or https:// "
    "URL; without fragment",
    is_location};
const Syntax kRedirectUri{
    "an absolute URI without fragment and white space, as https://app.example.org/callback, or a "
    "path on this site, which begins with exactly one slash",
    is_redirect_uri};
const Syntax kService{
    "an http:// or https:// URL without query and fragment, or identity, gatekeeper, demo "
    "or health",
    is_service};
const Syntax kHostUrl{"http:// or https:// with a host and a port and nothing behind them",
                      is_host_url};
const Syntax kLocalPath{"a path on this site, which begins with exactly one slash",
                        http::is_local_redirect};
const Syntax kPath{
    "a path that begins with one slash, without query, empty or dot segments, % and ;", is_path};
const Syntax kPathBelow{
    "a path below / that begins with one slash and ends with none, without query, empty or dot "
    "segments, % and ;",
    is_path_below};
const Syntax kAddress{"HOST:PORT, as 127.0.0.1:8080, 0.0.0.0:443 or [::]:8080", is_address};
const Syntax kHostPattern{"a host in lower case, as example.org or *.example.org, without port",
                          is_host_pattern};
const Syntax kAnyHostPattern{
    "a host in lower case, as example.org or *.example.org, without port, or *",
    is_any_host_pattern};
const Syntax kRouteHost{
    "a host in lower case, without port, with * at most at one end, as example.org, *.example.org "
    "or example.*",
    is_route_host};
const Syntax kHost{"a host in lower case, as example.org or example.org:8443", is_host};
const Syntax kNetwork{"an IP address or a block of them, as 10.0.0.1, 10.0.0.0/8 or fd00::/8",
                      is_network};
const Syntax kToken{"a token: letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, section 5.6.2)",
                    is_token};
const Syntax kMethod{"a method in capital letters, as GET", is_method};
const Syntax kMediaType{"a media type without parameters, as text/html", is_media_type};
const Syntax kCorsOrigin{
    "an origin as browsers write it, lower case and without path, as https://a.example.org or "
    "https://*.example.org, or * for every one",
    is_cors_origin};
const Syntax kLabel{"key=value, without white space", is_label};
const Syntax kNamespace{"a namespace of Kubernetes: small letters, digits and -, at most 63",
                        is_namespace};
const Syntax kRateKey{"user, token, address, all, or header:NAME for a header's value",
                      is_rate_key};
const Syntax kScope{"one scope, without white space and quotes", is_scope};
const Syntax kEmail{"an e-mail address", is_email};
const Syntax kGroup{"a group's name without commas, which part groups in the header", is_group};
const Syntax kClientId{"visible ASCII text", is_client_id};
const Syntax kSealingKey{"32 bytes as base64; make one with `openssl rand -base64 32`",
                         is_sealing_key};
const Syntax kPasswordHash{"a hash by Argon2id ($argon2id$…) or bcrypt ($2b$…), not a password",
                           is_password_hash};

}  // namespace gatehouse::config
