#include "identity/authorize/request_sealer.h"

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "oauth/scope.h"

namespace gatehouse::identity {
namespace {

constexpr std::string_view kContext = "identity/authorization-request";
constexpr long long kSecondsOfDay = 86'400;
constexpr std::size_t kDayBytes = 4;

std::string encode_day(long long day) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((day >> shift) & 0xff);
  return out;
}

long long decode_day(std::string_view bytes) {
  long long day = 0;
  for (const char c : bytes) day = (day << 8) | static_cast<unsigned char>(c);
  return day;
}

Json to_json(const AuthorizationRequest& request, long long sealed_at) {
  return {{"at", sealed_at},
          {"client", request.client_id},
          {"redirect", request.redirect_uri},
          {"state", request.state},
          {"nonce", request.nonce},
          {"challenge", request.code_challenge},
          {"scope", oauth::join_scope(request.scopes)},
          {"hint", request.login_hint}};
}

AuthorizationRequest from_json(const Json& json) {
  AuthorizationRequest request;
  request.client_id = json_string(json, "client").value_or("");
  request.redirect_uri = json_string(json, "redirect").value_or("");
  request.state = json_string(json, "state").value_or("");
  request.nonce = json_string(json, "nonce").value_or("");
  request.code_challenge = json_string(json, "challenge").value_or("");
  request.scopes = oauth::parse_scope(json_string(json, "scope").value_or(""))
                       .value_or(std::vector<std::string>());
  request.login_hint = json_string(json, "hint").value_or("");
  return request;
}

}  // namespace

RequestSealer::RequestSealer(Secret sealing_key, std::chrono::seconds lifetime, Entropy& entropy,
                             const Clock& clock)
    : sealing_key_(std::move(sealing_key)), lifetime_(lifetime), entropy_(entropy), clock_(clock) {}

crypto::Sealer& RequestSealer::sealer_of(long long day) {
  if (!latest_ || latest_->day != day) {
    const std::string purpose = std::string(kContext) + "/" + std::to_string(day);
    latest_.reset();
    latest_.emplace(
        DayKey{day, crypto::Sealer(crypto::derive_key(sealing_key_, purpose), entropy_)});
  }
  return latest_->sealer;
}

Result<std::string> RequestSealer::seal(const AuthorizationRequest& request) {
  const long long now = unix_seconds(clock_.now());
  const long long day = now / kSecondsOfDay;
  const std::string plain = dump_json(to_json(request, now));
  std::string sealed = base64url_encode(encode_day(day) + sealer_of(day).seal(plain, kContext));
  if (sealed.size() > kSealedRequestLimit) {
    return fail(ErrorCode::kInvalid, "the authorization request is too long");
  }
  return sealed;
}

std::expected<AuthorizationRequest, SealedRequestError> RequestSealer::open(
    std::string_view sealed) {
  const auto forged = std::unexpected(SealedRequestError::kForged);
  if (sealed.size() > kSealedRequestLimit) return forged;
  const std::optional<std::string> bytes = base64url_decode(sealed);
  if (!bytes || bytes->size() < kDayBytes) return forged;

  const long long day = decode_day(std::string_view(*bytes).substr(0, kDayBytes));
  const Result<std::string> plain =
      sealer_of(day).open(std::string_view(*bytes).substr(kDayBytes), kContext);
  if (!plain) return forged;
  const Result<Json> json = parse_json(*plain);
  const std::optional<long long> sealed_at =
      json ? json_integer(*json, "at") : std::optional<long long>();
  if (!sealed_at) return forged;
  if (unix_seconds(clock_.now()) - *sealed_at > lifetime_.count()) {
    return std::unexpected(SealedRequestError::kExpired);
  }
  return from_json(*json);
}

}  // namespace gatehouse::identity
