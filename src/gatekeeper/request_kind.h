// Can whoever sent this request answer it with a login? A browser that opens a page can, and so
// can the scripts that follow redirects to the login form; a page's own fetch(), a gRPC call or a
// WebSocket cannot: a redirect would only break them, so they get 401.
#pragma once

#include "http/message.h"

namespace gatehouse::gatekeeper {

/// False for WebSocket upgrades, CORS preflights, gRPC, X-Requested-With, a Sec-Fetch-Mode other
/// than navigate, and methods other than GET and HEAD whose Accept does not name text/html. A GET
/// with any Accept, or none, counts as a person: curl and Python scripts log in that way.
bool can_log_in(const http::Request& request);

}  // namespace gatehouse::gatekeeper
