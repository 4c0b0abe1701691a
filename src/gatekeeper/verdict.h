// The gatekeeper's verdicts, and how they look as answers of an authorization service over HTTP
// (Ambassador's and Envoy's ext_authz, nginx's auth_request).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "gatekeeper/session_reader.h"
#include "http/authorizer.h"
#include "http/message.h"

namespace gatehouse::gatekeeper {

/// Tells the upstream how long the session lasts: "2026-11-24T21:13:00Z".
inline constexpr std::string_view kExpiresHeader = "gatehouse-session-expires";

/// The request headers that only verdicts set.
std::vector<std::string> managed_headers(const config::Gatekeeper& settings);

/// The session's identity goes upstream; our own token does not.
http::Allow allow_session(const config::Gatekeeper& settings, const Presented& presented);
/// Passes unasked, as nobody.
http::Allow allow_unasked(const config::Gatekeeper& settings);
/// 401 for who cannot answer with a login.
http::Response unauthorized(const Presented& presented);

/// `allowed` (200, or 204 for auth_request) with the verdict's headers; the denial's own answer;
/// 503 for a failure. What is to be removed is named as Envoy wants it, so that a client's copy of
/// an identity header that the verdict does not set cannot pass.
http::Response to_response(http::Verdict verdict, int allowed);

}  // namespace gatehouse::gatekeeper
