// Who am I? The session as JSON, for pages of this site: never for another site's.
#pragma once

#include "gatekeeper/session_reader.h"
#include "http/message.h"

namespace gatehouse::gatekeeper {

/// `{"user", "email", "name", "groups": […], "expires": Unix seconds, "session": first characters
/// of the id}`; 401 without a session, 403 for a request that another site's page made.
http::Response session_document(const http::Request& request, const Presented& presented);

}  // namespace gatehouse::gatekeeper
