// Reads what a form or a client posted.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "http/url.h"

namespace gatehouse::identity {

/// A password of 1024 characters of four bytes, each byte escaped, and room for the rest.
inline constexpr std::size_t kFormLimit = std::size_t{16} * 1024;

/// The members of an application/x-www-form-urlencoded body. kInvalid for another media type or bad
/// encoding, kExhausted beyond kFormLimit, and the errors of the body.
Task<Result<http::Parameters>> read_form(http::Request& request);

}  // namespace gatehouse::identity
