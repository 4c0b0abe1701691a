#include "gatekeeper/session_reader.h"

#include <utility>

#include "http/cookies.h"
#include "oauth/credentials.h"

namespace gatehouse::gatekeeper {
namespace {

/// Copies of the session cookie that are judged: a browser sends one, a planted one makes two.
constexpr int kCopiesJudged = 4;

void refuse(Presented& out, SessionError why) {
  out.refused = why;
  out.session.reset();
}

/// Takes a good session in, unless another one is there.
void accept(Presented& out, SessionClaims claims) {
  if (out.refused == SessionError::kAmbiguous) return;
  if (out.session && out.session->session != claims.session) {
    refuse(out, SessionError::kAmbiguous);
    return;
  }
  out.session = std::move(claims);
}

void note(Presented& out, SessionError why) {
  if (!out.session && !out.refused) out.refused = why;
}

}  // namespace

SessionReader::SessionReader(const SessionTokens& tokens, const CookieNames& names,
                             const RequestOrigin& origin, KeyView& keys,
                             RevocationView& revocations, const Clock& clock)
    : tokens_(tokens),
      names_(names),
      origin_(origin),
      keys_(keys),
      revocations_(revocations),
      clock_(clock) {}

Presented SessionReader::read(const http::Request& request) {
  Presented out;
  read_cookies(request, out);
  read_bearer(request, out);
  return out;
}

std::string_view SessionReader::lone_cookie(const http::Request& request) const {
  if (request.headers.has("authorization")) return "";
  const std::string& name = names_.session(origin_.secure_cookies(request));
  std::string_view value;
  int copies = 0;
  http::for_each_cookie(request.headers, [&](const http::Cookie& cookie) {
    if (cookie.name != name) return true;
    value = cookie.value;
    return ++copies < 2;
  });
  return copies == 1 ? value : std::string_view();
}

Result<SessionClaims, SessionError> SessionReader::judge(std::string_view token) {
  auto claims = tokens_.read(token, keys_.session_keys(), clock_.now());
  if (claims && revocations_.contains(claims->session)) {
    return std::unexpected(SessionError::kRevoked);
  }
  return claims;
}

void SessionReader::read_cookies(const http::Request& request, Presented& out) {
  const std::string& name = names_.session(origin_.secure_cookies(request));
  int copies = 0;
  http::for_each_cookie(request.headers, [&](const http::Cookie& cookie) {
    if (cookie.name != name) return true;
    if (++copies > kCopiesJudged) {
      refuse(out, SessionError::kAmbiguous);
      return false;
    }
    auto claims = judge(cookie.value);
    if (claims) {
      accept(out, std::move(*claims));
    } else {
      note(out, claims.error());
    }
    return true;
  });
  out.bad_cookie = copies > 0 && !out.session;
}

std::optional<Result<SessionClaims, SessionError>> SessionReader::judge_bearer(
    std::string_view authorization) {
  const std::optional<std::string_view> token = oauth::parse_bearer(authorization);
  if (!token) return std::nullopt;
  auto claims = judge(*token);
  const bool foreign = !claims && (claims.error() == SessionError::kForm ||
                                   claims.error() == SessionError::kSignature);
  if (foreign) return std::nullopt;
  return claims;
}

bool SessionReader::is_bearer_of_ours(std::string_view authorization) {
  return judge_bearer(authorization).has_value();
}

void SessionReader::read_bearer(const http::Request& request, Presented& out) {
  for (const http::Field field : request.headers) {
    if (!http::equal_ignoring_case(field.name, "authorization")) continue;
    auto claims = judge_bearer(field.value);
    if (!claims) continue;
    out.bearer = true;
    if (*claims) {
      accept(out, std::move(**claims));
    } else {
      note(out, claims->error());
    }
  }
}

}  // namespace gatehouse::gatekeeper
