// A refusal of the token endpoint, as RFC 6749 §5.2 spells it.
#pragma once

#include <string>

#include "http/message.h"
#include "oauth/error.h"

namespace gatehouse::identity {

struct TokenError {
  oauth::OAuthError error = oauth::OAuthError::kServerError;
  std::string description;  // for the client's developer; never a secret
};

/// 401 with a challenge for invalid_client, 500 for server_error, 503 for temporarily_unavailable,
/// else 400.
http::Response to_response(const TokenError& error);

}  // namespace gatehouse::identity
