// The bodies and tunnels of answers, which count as under way at their address and in their cluster
// until they end.
#pragma once

#include "gateway/upstream/breaker.h"
#include "gateway/upstream/endpoint.h"
#include "http/message.h"

namespace gatehouse::gateway::upstream {

/// Gives `use` and `place` to what of the answer is still to come; they end here if nothing is.
void count_until_end(http::Response& response, Use use, BreakerPlace place);

}  // namespace gatehouse::gateway::upstream
