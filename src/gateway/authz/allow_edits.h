// What an Allow changes beyond the request's headers: the target's query, and the answer's fields.
// The request's headers are identity_headers.h's.
#pragma once

#include "base/result.h"
#include "http/authorizer.h"
#include "http/headers.h"
#include "http/target.h"

namespace gatehouse::gateway {

/// Removes and sets parameters of the query as the verdict says. A parameter is found under any
/// spelling that an upstream would decode to its name. kInvalid if the target would become too
/// long; it is then unchanged, and the request must not go on.
Result<void> edit_query(http::Target& target, const http::Allow& allow);

/// kInvalid if a name or value is not legal, or would change the framing of the answer.
Result<void> check_changes(const std::vector<http::FieldChange>& changes);
/// Makes the changes, which have passed check_changes(), in their order.
void edit_fields(http::Headers& headers, const std::vector<http::FieldChange>& changes);

}  // namespace gatehouse::gateway
