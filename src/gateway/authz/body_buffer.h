// Reads the beginning of a request's body for those who must judge it before it goes on.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// Reads until the body's end or until there are more than `limit` bytes of it. Afterwards
/// request.body.bytes hold what was read, which is the whole body if it is not longer than `limit`.
/// A body that has not ended then is a stream still: one that gives all of it, what was read first.
/// An upgrade has no body of a request, and is left alone.
///
/// kExhausted: the body is longer than `limit` and must not be cut (413). Other errors are those of
/// the body: the client's fault or absence.
Task<Result<void>> buffer_body(http::Request& request, std::size_t limit, bool may_be_cut);

}  // namespace gatehouse::gateway
