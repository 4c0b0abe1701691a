// The answers that a server gives by itself, without asking its handler.
#pragma once

#include <string_view>

#include "http/message.h"

namespace gatehouse::net {

/// What is told, as nginx does, of an exchange whose client left before its answer. Nobody gets it.
inline constexpr int kClientLeft = 499;

/// A line of text: the status, its phrase, and the reason if there is one. Closes the connection
/// where one holds a single exchange.
http::Response error_answer(int status, std::string_view reason);

}  // namespace gatehouse::net
