// The gateway's own answers when a request does not reach a service: short, as HTML or JSON by what
// the client accepts, with the request's id for whoever reads the log. They say what happened in
// words made here, never an upstream's address or an error's text.
#pragma once

#include <string_view>

#include "http/message.h"

namespace gatehouse::gateway {

/// `what` is one sentence for a person.
http::Response error_page(const http::Request& request, int status, std::string_view what);

}  // namespace gatehouse::gateway
