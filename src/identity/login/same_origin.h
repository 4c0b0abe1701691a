// Whether a form was sent from our own page: without it another site could log its visitors in to
// an account of its own (login CSRF).
#pragma once

#include <string_view>

#include "http/message.h"

namespace gatehouse::identity {

/// By Sec-Fetch-Site where the browser says it; else by Origin, whose host must be the one that was
/// asked for or that of `issuer`, in case a proxy in between has changed Host. Scripts send neither
/// and pass: they carry no browser's trust.
bool is_same_origin(const http::Request& request, std::string_view issuer);

}  // namespace gatehouse::identity
