// Who is calling the token endpoint: client_secret_basic, client_secret_post, or a public client
// that names itself and proves by PKCE that the code is its own (RFC 6749 §2.3, §3.2.1).
#pragma once

#include <expected>

#include "http/headers.h"
#include "http/url.h"
#include "identity/clients/clients.h"
#include "identity/grants/token_error.h"

namespace gatehouse::identity {

/// invalid_client for an unknown client and for a wrong secret alike, after the same work;
/// invalid_request for two methods at once or two different client ids.
std::expected<const Client*, TokenError> authenticate_client(const Clients& clients,
                                                             const http::Headers& headers,
                                                             const http::Parameters& form);

}  // namespace gatehouse::identity
