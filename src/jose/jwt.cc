#include "jose/jwt.h"

#include <algorithm>

#include "base/encoding.h"
#include "jose/algorithms.h"
#include "jose/claims.h"
#include "jose/compact.h"

namespace gatehouse::jose {
namespace {

// Each try costs up to 65 µs, and whoever sends a token chooses how many fit it.
constexpr int kTriesLimit = 8;

bool fits(const VerificationKey& key, const CompactJws& jws) {
  return !jws.kid || *jws.kid == key.kid;
}

Result<void, JwtError> verify_signature(const CompactJws& jws,
                                        std::span<const VerificationKey> keys) {
  const auto scheme = scheme_of(jws.algorithm);
  if (!scheme) return std::unexpected(JwtError::kAlgorithm);
  bool is_known_kid = false;
  int tries = 0;
  for (const VerificationKey& key : keys) {
    if (!fits(key, jws)) continue;
    is_known_kid = jws.kid.has_value();
    if (key.algorithm != jws.algorithm) continue;
    if (tries++ == kTriesLimit) break;
    if (key.key.verify(*scheme, jws.signing_input, jws.signature)) return {};
  }
  if (tries > 0) return std::unexpected(JwtError::kSignature);
  return std::unexpected(is_known_kid ? JwtError::kAlgorithm : JwtError::kUnknownKey);
}

Result<CompactJws, JwtError> parse_and_verify(std::string_view token,
                                              std::span<const VerificationKey> keys) {
  auto jws = parse_compact(token);
  if (!jws) return jws;
  const auto signature = verify_signature(*jws, keys);
  if (!signature) return std::unexpected(signature.error());
  return jws;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// A media type without case, and without the prefix that may be left out (RFC 7515 §4.1.9).
std::string media_type(std::string_view text) {
  constexpr std::string_view kPrefix = "application/";
  const std::string type = lower(text);
  return type.starts_with(kPrefix) ? type.substr(kPrefix.size()) : type;
}

bool is_of_type(const CompactJws& jws, const std::string& expected) {
  if (expected.empty()) return true;
  return jws.type && media_type(*jws.type) == media_type(expected);
}

}  // namespace

std::string_view to_string(JwtError error) {
  switch (error) {
    case JwtError::kMalformed:
      return "not a well-formed JWT";
    case JwtError::kAlgorithm:
      return "its algorithm is not supported, or not its key's";
    case JwtError::kCritical:
      return "it has a critical header that is not understood";
    case JwtError::kUnknownKey:
      return "no key of its kid and algorithm is known";
    case JwtError::kSignature:
      return "its signature does not verify";
    case JwtError::kType:
      return "it is not of the expected type";
    case JwtError::kExpired:
      return "it has expired, or has no expiry";
    case JwtError::kNotYetValid:
      return "it is not valid yet";
    case JwtError::kIssuer:
      return "it is not of the expected issuer";
    case JwtError::kAudience:
      return "it is not for this audience";
    case JwtError::kClaims:
      return "a registered claim has the wrong type";
  }
  return "unknown";
}

Result<std::string> sign_jwt(const SigningKey& key, const Json& claims, std::string_view type) {
  const auto scheme = scheme_of(key.algorithm);
  if (!scheme) return fail(ErrorCode::kInvalid, "a JWT is not signed with a symmetric key here");
  if (!claims.is_object()) return fail(ErrorCode::kInvalid, "a JWT's claims must be an object");
  const Json header = {{"alg", to_string(key.algorithm)}, {"typ", type}, {"kid", key.kid}};
  std::string token =
      base64url_encode(dump_json(header)) + '.' + base64url_encode(dump_json(claims));
  const auto signature = key.key.sign(*scheme, token);
  if (!signature) return std::unexpected(signature.error());
  token += '.' + base64url_encode(*signature);
  if (token.size() > kTokenLimit) {
    return fail(ErrorCode::kInvalid, "a JWT of over 16 KiB would be refused everywhere");
  }
  return token;
}

Result<Json, JwtError> verify_jwt(std::string_view token, std::span<const VerificationKey> keys,
                                  const Expected& expected, WallTime now) {
  const auto jws = parse_and_verify(token, keys);
  if (!jws) return std::unexpected(jws.error());
  if (!is_of_type(*jws, expected.type)) return std::unexpected(JwtError::kType);
  auto claims = parse_json(jws->payload, {.bytes = kTokenLimit});
  if (!claims || !claims->is_object()) return std::unexpected(JwtError::kMalformed);
  const auto verdict = judge_claims(*claims, expected, now);
  if (!verdict) return std::unexpected(verdict.error());
  return *std::move(claims);
}

Result<std::string, JwtError> verify_jws(std::string_view compact,
                                         std::span<const VerificationKey> keys) {
  auto jws = parse_and_verify(compact, keys);
  if (!jws) return std::unexpected(jws.error());
  return std::move(jws->payload);
}

}  // namespace gatehouse::jose
