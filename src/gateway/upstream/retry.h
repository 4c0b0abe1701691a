// When a failed request is sent again, and after what wait: Ambassador's retry_policy, which is
// Envoy's x-envoy-retry-on. Pure decisions; service_cluster.cc carries them out.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/upstream/random_sequence.h"
#include "net/http_client.h"

namespace gatehouse::gateway::upstream {

/// An answer with that status is dropped and asked for again under `policy`.
bool retries_status(const config::RetryPolicy& policy, int status);

/// A request that got no answer is sent again under `policy`. Never after a byte of an answer came,
/// nor if nobody waits for it any more, nor if a limit of ours refused it.
bool retries_failure(const config::RetryPolicy& policy, net::HttpClient::Progress progress,
                     ErrorCode code);

/// The wait before the retry number `retry` (from 0): evenly random from 0 to a bound that doubles
/// from 25 ms to 250 ms ("full jitter"), so that those who failed together do not come together.
std::chrono::milliseconds backoff(std::size_t retry, RandomSequence& random);

/// Retries under way at once are 20 % of the requests under way at most, so that they cannot
/// multiply an outage's load; but 3 may always be.
bool within_retry_budget(std::size_t retries, std::size_t requests);

}  // namespace gatehouse::gateway::upstream
