// Whether a form was sent from our own page: without it another site could log its visitors in to
// an account of its own (login CSRF).
#pragma once

#include <string_view>

#include "http/message.h"

namespace gatehouse::identity {

/// As http::sent_by_own_page(); the host of Origin must be the one that was asked for or that of
/// `issuer`, in case a proxy in between has changed Host.
bool is_same_origin(const http::Request& request, std::string_view issuer);

}  // namespace gatehouse::identity
