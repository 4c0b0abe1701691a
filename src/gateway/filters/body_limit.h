// A limit on how long a request's body may be.
//
// Known at once where the length was said, else when it is passed: the reader's error then ends the
// upload, and the client is answered 413.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// What request.trace.failure becomes when the limit is passed.
inline constexpr std::string_view kBodyTooLong = "body too long";

/// kExhausted if the body is known to be longer than `limit` bytes. A body of unknown length is put
/// behind a reader whose read() fails with kExhausted once there are more. Either way the request's
/// failure is then kBodyTooLong: by that the client's fault can be told from an upstream's.
/// `request` must stay where it is. 0: no limit.
Result<void> limit_body(http::Request& request, std::uint64_t limit);

}  // namespace gatehouse::gateway
