// Makes a value that came from outside harmless where a template puts it.
#pragma once

#include <string>
#include <string_view>

#include "gateway/filters/format.h"

namespace gatehouse::gateway {

/// Headers: what is no byte of a field value becomes '_'. Log: quotes, backslashes, control bytes
/// and what is not ASCII escaped as \", \\ and \xNN. JSON and HTML: as those ask. HTML
/// and text: what is not UTF-8 becomes U+FFFD.
void append_escaped(std::string& out, std::string_view value, Format::Use use);

}  // namespace gatehouse::gateway
