// The keys of HTTP/1.1's WebSocket handshake (RFC 6455 §4), which HTTP/2 has no use for (RFC 8441
// §5.1): made and held against the answer where a request goes from the one to the other.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace gatehouse::net {

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 §4.2.2).
std::string websocket_accept(std::string_view key);

/// Puts a random Sec-WebSocket-Key, and the version, into a WebSocket request that came by HTTP/2
/// and so has none. One of HTTP/1.1 without a key is no handshake, and stays one.
void add_websocket_key(http::Request& request);
/// The answer's headers accept the request's key. Requests for anything else have none to accept.
bool accepts_websocket_key(const http::Request& request, const http::Headers& answer);
/// Puts Sec-WebSocket-Accept into a 101 that lacks it because its upstream speaks HTTP/2.
void complete_websocket_answer(const http::Request& request, http::Response& response);

}  // namespace gatehouse::net
