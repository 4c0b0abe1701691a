// The answer of Envoy's external authorization over gRPC: a CheckResponse as a verdict
// (proto/external_auth.proto).
#pragma once

#include <string_view>

#include "http/authorizer.h"
#include "http/headers.h"

namespace gatehouse::gateway {

/// Status 0 with ok_response, or with no further part, allows. Any other status denies: by
/// denied_response, whose status is 403 if it names none; or by 403. All else is a Failure: bytes
/// that are no such message, no status, status and part that contradict one another,
/// error_response, a header that cannot be sent, a denial's status that is not 200 to 599.
///
/// Headers for the upstream request overwrite, unless `append` or another `append_action` than the
/// default says otherwise; headers for the answer are appended by default. One with an empty value
/// and without `keep_empty_value` is removed. `told` are the fields that the question showed; they
/// decide what "if absent" and "if exists" mean.
http::Verdict read_check_response(std::string_view bytes, const http::Headers& told);

}  // namespace gatehouse::gateway
