// From which address a request comes, behind proxies too.
#pragma once

#include <string>

#include "http/message.h"
#include "http/trusted_proxies.h"

namespace gatehouse::http {

/// The peer of the connection; if that is a trusted proxy, the last address of X-Forwarded-For that
/// is none, because each trusted proxy has appended the one it saw. What a client wrote itself
/// stands further left and is never reached. An entry that is no address ends the walk at the proxy
/// that passed it on.
std::string client_address(const Request& request, const TrustedProxies& trusted);

/// Behind that many proxies, whatever their addresses: what the outermost of them has written. The
/// peer if fewer have, or it is no address.
std::string client_address(const Request& request, std::size_t hops);

}  // namespace gatehouse::http
