#include "gatekeeper/login_state.h"

#include <charconv>
#include <optional>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "gatekeeper/session_token.h"
#include "http/cookies.h"
#include "http/url.h"

namespace gatehouse::gatekeeper {
namespace {

constexpr std::size_t kStateBytes = 16;
constexpr std::size_t kNonceBytes = 16;
constexpr std::size_t kVerifierBytes = 32;  // RFC 7636 §4.1: 43 characters
constexpr std::size_t kMarkLength = 8;
constexpr char kRoundMark = '.';

std::string sealing_context(std::string_view state) {
  return "login/" + std::string(state);
}

/// Cuts the next line off; nullopt if there is no line end.
std::optional<std::string_view> next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

std::optional<long long> number(std::string_view text) {
  long long value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string StateParameter::str() const {
  return round == 0 ? random : random + kRoundMark + std::to_string(round);
}

unsigned round_of(std::string_view state) {
  const std::size_t mark = state.rfind(kRoundMark);
  if (mark == std::string_view::npos) return 0;
  const std::optional<long long> round = number(state.substr(mark + 1));
  constexpr long long kMost = 9;
  return round && *round > 0 && *round <= kMost ? static_cast<unsigned>(*round) : 0;
}

FreshLogin fresh_login(std::string_view target, unsigned round, Entropy& entropy) {
  // One draw for all three: each call costs more than its bytes.
  const std::string bytes = entropy.bytes(kStateBytes + kNonceBytes + kVerifierBytes);
  const std::string_view all = bytes;
  StateParameter state;
  state.random = base64url_encode(all.substr(0, kStateBytes));
  state.round = round;
  FreshLogin out;
  out.state = state.str();
  out.login.nonce = base64url_encode(all.substr(kStateBytes, kNonceBytes));
  out.login.code_verifier = base64url_encode(all.substr(kStateBytes + kNonceBytes));
  out.login.target = safe_target(target);
  return out;
}

std::string safe_target(std::string_view target) {
  if (target.size() > kTargetLimit) target = target.substr(0, target.find('?'));
  if (target.size() > kTargetLimit || !http::is_local_redirect(target)) return "/";
  return std::string(target);
}

std::string login_cookie_name(std::string_view prefix, std::string_view state) {
  const std::string mark = base64url_encode(crypto::sha256(state));
  return std::string(prefix) + mark.substr(0, kMarkLength);
}

Result<std::string> seal_login(KeyView& keys, std::string_view state, const LoginState& login,
                               WallTime now) {
  const std::string plain = std::to_string(unix_seconds(now)) + '\n' + login.nonce + '\n' +
                            login.code_verifier + '\n' + login.target;
  return keys.seal_login(plain, sealing_context(state));
}

Result<LoginState> open_login(KeyView& keys, std::string_view state, std::string_view sealed,
                              WallTime now, std::chrono::seconds max_age) {
  const Result<std::string> plain = keys.open_login(sealed, sealing_context(state));
  if (!plain) return std::unexpected(plain.error());
  std::string_view rest = *plain;
  const auto created_line = next_line(rest);
  const auto created = created_line ? number(*created_line) : std::nullopt;
  const auto nonce = next_line(rest);
  const auto verifier = next_line(rest);
  if (!created || !nonce || !verifier) return fail(ErrorCode::kInvalid, "not a login of ours");
  const long long age = unix_seconds(now) - *created;
  if (age > max_age.count() || age < -kClockTolerance.count()) {
    return fail(ErrorCode::kInvalid, "the login took too long");
  }
  LoginState login;
  login.nonce = *nonce;
  login.code_verifier = *verifier;
  login.target = safe_target(rest);
  return login;
}

std::vector<std::string> surplus_login_cookies(const http::Headers& headers,
                                               std::string_view prefix) {
  std::vector<std::string> names;
  http::for_each_cookie(headers, [&](const http::Cookie& cookie) {
    if (cookie.name.starts_with(prefix)) names.emplace_back(cookie.name);
    return true;
  });
  if (names.size() < kLoginsInProgress) {
    names.clear();
  } else {
    names.resize(names.size() - kLoginsInProgress + 1);
  }
  return names;
}

}  // namespace gatehouse::gatekeeper
