#include "jose/claims.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace gatehouse::jose {
namespace {

// Where doubles cease to hold each whole second, long before a comparison could overflow.
constexpr double kLargestDate = 9007199254740992.0;

double seconds_of(WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// Seconds since 1970, fractions allowed (RFC 7519 §2); nullopt if the claim is missing.
Result<std::optional<double>, JwtError> read_date(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::nullopt;
  if (!found->is_number()) return std::unexpected(JwtError::kClaims);
  const double seconds = found->get<double>();
  if (!(std::fabs(seconds) <= kLargestDate)) return std::unexpected(JwtError::kClaims);
  return seconds;
}

Result<void, JwtError> judge_times(const Json& claims, std::chrono::seconds leeway, WallTime now) {
  const auto expiry = read_date(claims, "exp");
  const auto not_before = read_date(claims, "nbf");
  const auto issued = read_date(claims, "iat");
  if (!expiry || !not_before || !issued) return std::unexpected(JwtError::kClaims);
  // "On or after which" it must not be accepted (RFC 7519 §4.1.4).
  if (!*expiry || **expiry <= seconds_of(now - leeway)) return std::unexpected(JwtError::kExpired);
  const double latest_start = seconds_of(now + leeway);
  if (not_before->value_or(latest_start) > latest_start ||
      issued->value_or(latest_start) > latest_start) {
    return std::unexpected(JwtError::kNotYetValid);
  }
  return {};
}

Result<void, JwtError> judge_issuer(const Json& claims, const std::string& expected) {
  const auto issuer = claims.find("iss");
  if (issuer == claims.end()) return std::unexpected(JwtError::kIssuer);
  if (!issuer->is_string()) return std::unexpected(JwtError::kClaims);
  if (expected.empty() || *issuer != expected) return std::unexpected(JwtError::kIssuer);
  return {};
}

/// One string or an array of strings (RFC 7519 §4.1.3).
Result<void, JwtError> judge_audience(const Json& claims, const std::string& expected) {
  const auto audience = claims.find("aud");
  if (audience == claims.end()) return std::unexpected(JwtError::kAudience);
  const Json all = audience->is_array() ? *audience : Json::array({*audience});
  const auto is_text = [](const Json& one) { return one.is_string(); };
  if (!std::ranges::all_of(all, is_text)) return std::unexpected(JwtError::kClaims);
  if (expected.empty() || std::ranges::find(all, Json(expected)) == all.end()) {
    return std::unexpected(JwtError::kAudience);
  }
  return {};
}

Result<void, JwtError> judge_names(const Json& claims) {
  for (const char* const name : {"sub", "jti"}) {
    const auto found = claims.find(name);
    if (found != claims.end() && !found->is_string()) return std::unexpected(JwtError::kClaims);
  }
  return {};
}

}  // namespace

Result<void, JwtError> judge_claims(const Json& claims, const Expected& expected, WallTime now) {
  const Result<void, JwtError> verdicts[] = {
      judge_issuer(claims, expected.issuer), judge_audience(claims, expected.audience),
      judge_times(claims, expected.leeway, now), judge_names(claims)};
  for (const auto& verdict : verdicts) {
    if (!verdict) return verdict;
  }
  return {};
}

}  // namespace gatehouse::jose
