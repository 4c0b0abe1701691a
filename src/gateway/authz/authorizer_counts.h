// How the questions to an external authorizer end, for metrics: one object a loop, counted there
// and read from any thread.
#pragma once

#include "gateway/observe/count.h"

namespace gatehouse::gateway {

struct AuthorizerCounts {
  Count asked;     // put to the authorizer
  Count answered;  // of those; the difference is under way
  Count allowed;   // ended in these four, or were given up by the client
  Count denied;
  Count failed;      // the authorizer failed, and the request with it
  Count let_pass;    // the authorizer failed, and failure_mode_allow let the request pass
  Count over_limit;  // of failed and let_pass: not asked, for too many were under way
};

}  // namespace gatehouse::gateway
