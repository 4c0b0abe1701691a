#include "gatekeeper/session_token.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/json.h"

namespace gatehouse::gatekeeper {
namespace {

constexpr std::string_view kIssuer = "gatehouse";

std::string json_text(std::string_view text) {
  return dump_json(Json(text));
}

/// Without branches, so that the compiler makes vectors of it: this runs at every request.
constexpr bool is_base64url(char c) {
  const bool lower = (c >= 'a') & (c <= 'z');
  const bool upper = (c >= 'A') & (c <= 'Z');
  const bool digit = (c >= '0') & (c <= '9');
  return lower | upper | digit | (c == '-') | (c == '_');
}

bool is_all_base64url(std::string_view text) {
  bool good = !text.empty();
  for (const char c : text) good &= is_base64url(c);
  return good;
}

/// Three non-empty parts of base64url. Cheap, so that garbage never reaches the cryptography.
bool has_token_form(std::string_view token) {
  if (token.size() > kSessionTokenLimit) return false;
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return false;
  return is_all_base64url(token.substr(0, first)) &&
         is_all_base64url(token.substr(first + 1, last - first - 1)) &&
         is_all_base64url(token.substr(last + 1));
}

/// Walks over a payload that make() wrote.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  /// A JSON string, with its quotes.
  std::optional<std::string> string() {
    if (!literal("\"")) return std::nullopt;
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = rest_.substr(0, end);
    if (text.contains('\\')) return escaped_string();
    rest_.remove_prefix(end + 1);
    return std::string(text);
  }

  std::optional<long long> integer() {
    long long value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  bool at_end() const { return rest_.empty(); }

 private:
  /// Escapes are rare (a name with quotes in it): the JSON library reads them. The opening quote
  /// is gone already.
  std::optional<std::string> escaped_string() {
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return std::nullopt;
    const Result<Json> value = parse_json("\"" + std::string(rest_.substr(0, end + 1)));
    if (!value || !value->is_string()) return std::nullopt;
    rest_.remove_prefix(end + 1);
    return value->get<std::string>();
  }

  std::string_view rest_;
};

std::string json_list(std::string_view comma_joined) {
  std::string out = "[";
  while (!comma_joined.empty()) {
    const std::size_t comma = std::min(comma_joined.find(','), comma_joined.size());
    if (out.size() > 1) out += ',';
    out += json_text(comma_joined.substr(0, comma));
    comma_joined.remove_prefix(std::min(comma + 1, comma_joined.size()));
  }
  return out + "]";
}

std::optional<std::string> read_list(Reader& reader) {
  std::string out;
  if (!reader.literal("[")) return std::nullopt;
  if (reader.literal("]")) return out;
  do {
    const std::optional<std::string> member = reader.string();
    if (!member) return std::nullopt;
    if (!out.empty()) out += ',';
    out += *member;
  } while (reader.literal(","));
  if (!reader.literal("]")) return std::nullopt;
  return out;
}

bool read_string(Reader& reader, std::string_view label, std::string& out) {
  if (!reader.literal(label)) return false;
  std::optional<std::string> value = reader.string();
  if (!value) return false;
  out = std::move(*value);
  return true;
}

bool read_integer(Reader& reader, std::string_view label, long long& out) {
  if (!reader.literal(label)) return false;
  const std::optional<long long> value = reader.integer();
  out = value.value_or(0);
  return value.has_value();
}

bool read_groups(Reader& reader, std::string_view label, std::string& out) {
  if (!reader.literal(label)) return false;
  std::optional<std::string> value = read_list(reader);
  if (!value) return false;
  out = std::move(*value);
  return true;
}

bool read_claims(std::string_view payload, std::string_view head, SessionClaims& out) {
  Reader reader(payload);
  return reader.literal(head) && read_string(reader, "\"sid\":", out.session) &&
         read_string(reader, ",\"sub\":", out.user) &&
         read_string(reader, ",\"email\":", out.email) &&
         read_string(reader, ",\"name\":", out.name) &&
         read_groups(reader, ",\"groups\":", out.groups) &&
         read_integer(reader, ",\"iat\":", out.issued) &&
         read_integer(reader, ",\"exp\":", out.expires) && reader.literal("}") && reader.at_end() &&
         !out.session.empty() && !out.user.empty();
}

}  // namespace

std::string_view to_string(SessionError error) {
  switch (error) {
    case SessionError::kForm:
      return "session of wrong form";
    case SessionError::kSignature:
      return "session not signed by us";
    case SessionError::kClaims:
      return "session of another kind";
    case SessionError::kExpired:
      return "session expired";
    case SessionError::kNotYetValid:
      return "session from the future";
    case SessionError::kRevoked:
      return "session signed out";
    case SessionError::kAmbiguous:
      return "two sessions in one request";
  }
  return "session refused";
}

SessionTokens::SessionTokens(std::string_view audience)
    : head_("{\"iss\":" + json_text(kIssuer) + ",\"aud\":" + json_text(audience) + ",") {}

std::string SessionTokens::make(const SessionClaims& claims, jose::Hs256Key& key) const {
  return key.sign(
      head_ + "\"sid\":" + json_text(claims.session) + ",\"sub\":" + json_text(claims.user) +
      ",\"email\":" + json_text(claims.email) + ",\"name\":" + json_text(claims.name) +
      ",\"groups\":" + json_list(claims.groups) + ",\"iat\":" + std::to_string(claims.issued) +
      ",\"exp\":" + std::to_string(claims.expires) + "}");
}

Result<SessionClaims, SessionError> SessionTokens::read(std::string_view token,
                                                        std::span<jose::Hs256Key> keys,
                                                        WallTime now) const {
  if (!has_token_form(token)) return std::unexpected(SessionError::kForm);
  const Result<std::string, jose::JwtError> payload = jose::verify_hs256(token, keys);
  if (!payload) return std::unexpected(SessionError::kSignature);
  Result<SessionClaims, SessionError> claims;
  if (!read_claims(*payload, head_, *claims)) return std::unexpected(SessionError::kClaims);
  const long long seconds = unix_seconds(now);
  if (claims->expires <= seconds) return std::unexpected(SessionError::kExpired);
  if (claims->issued > seconds + kClockTolerance.count()) {
    return std::unexpected(SessionError::kNotYetValid);
  }
  return claims;
}

}  // namespace gatehouse::gatekeeper
