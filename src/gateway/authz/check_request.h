// The question of Envoy's external authorization over gRPC, as bytes: a CheckRequest
// (proto/external_auth.proto).
//
// Whatever bytes a client sends, the message is valid: protobuf's strings must be UTF-8, and a
// message that is not would be refused by its receiver, or worse, let pass (CVE-2023-27488,
// CVE-2024-23324).
#pragma once

#include <cstddef>
#include <string>

#include "base/clock.h"
#include "http/headers.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// Headers are told under lower-case names, fields of one name joined by "," (cookies by "; "); the
/// pseudo-headers :method, :authority, :path and :scheme among them, as Envoy does. In a value that
/// is not UTF-8, bytes beyond ASCII and '%' are percent-escaped. Of a body that is not UTF-8,
/// `raw_body` holds the bytes and `body` the text with U+FFFD for what is none; of any other,
/// `body` holds it.
///
/// `told` are the request's fields as the authorizer may see them. `body_limit` 0: no body is told.
/// `scheme` is "http" or "https".
std::string make_check_request(const http::Request& request, const http::Headers& told,
                               std::string_view scheme, std::size_t body_limit, WallTime now);

}  // namespace gatehouse::gateway
