#include "jose/compact.h"

#include "base/encoding.h"
#include "base/json.h"

namespace gatehouse::jose {
namespace {

/// False if the member is there and is no string.
bool read_optional(const Json& header, std::string_view name, std::optional<std::string>& out) {
  out = json_string(header, name);
  return out.has_value() || !header.contains(name);
}

Result<CompactJws, JwtError> judge_header(std::string_view encoded) {
  const auto text = base64url_decode(encoded);
  if (!text) return std::unexpected(JwtError::kMalformed);
  const auto header = parse_json(*text, {.bytes = kTokenLimit});
  if (!header || !header->is_object()) return std::unexpected(JwtError::kMalformed);
  const auto name = json_string(*header, "alg");
  if (!name) return std::unexpected(JwtError::kMalformed);
  const auto algorithm = parse_algorithm(*name);
  // HS256 has a verifier of its own: a symmetric key never stands beside public ones.
  if (!algorithm || *algorithm == Algorithm::kHs256) return std::unexpected(JwtError::kAlgorithm);
  // No extension is understood. "b64" changes what is signed (RFC 7797), also where a sender
  // forgot to call it critical.
  if (header->contains("crit") || header->contains("b64")) {
    return std::unexpected(JwtError::kCritical);
  }
  CompactJws jws;
  jws.algorithm = *algorithm;
  if (!read_optional(*header, "kid", jws.kid) || !read_optional(*header, "typ", jws.type)) {
    return std::unexpected(JwtError::kMalformed);
  }
  return jws;
}

}  // namespace

Result<CompactJws, JwtError> parse_compact(std::string_view text) {
  if (text.size() > kTokenLimit) return std::unexpected(JwtError::kMalformed);
  const std::size_t first = text.find('.');
  if (first == std::string_view::npos) return std::unexpected(JwtError::kMalformed);
  auto jws = judge_header(text.substr(0, first));
  if (!jws) return jws;
  const std::size_t second = text.find('.', first + 1);
  if (second == std::string_view::npos) return std::unexpected(JwtError::kMalformed);
  // A third dot is foreign to base64url.
  auto payload = base64url_decode(text.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(text.substr(second + 1));
  if (!payload || !signature) return std::unexpected(JwtError::kMalformed);
  jws->signing_input = text.substr(0, second);
  jws->payload = *std::move(payload);
  jws->signature = *std::move(signature);
  return jws;
}

}  // namespace gatehouse::jose
