#include "gateway/upstream/retry.h"

#include <algorithm>

namespace gatehouse::gateway::upstream {
namespace {

using Progress = net::HttpClient::Progress;

constexpr std::uint32_t kFirstWait = 25;  // ms
constexpr std::uint32_t kLongestWait = 250;
constexpr std::size_t kBudgetPercent = 20;
constexpr std::size_t kBudgetMinimum = 3;

bool has(const config::RetryPolicy& policy, std::string_view condition) {
  return std::ranges::find(policy.on, condition) != policy.on.end();
}

}  // namespace

bool retries_status(const config::RetryPolicy& policy, int status) {
  if (policy.on.empty()) return false;
  if (status >= 500 && has(policy, "5xx")) return true;
  if (status >= 502 && status <= 504 && has(policy, "gateway-error")) return true;
  if (status == 409 && has(policy, "retriable-4xx")) return true;
  return std::ranges::find(policy.status_codes, status) != policy.status_codes.end() &&
         has(policy, "retriable-status-codes");
}

bool retries_failure(const config::RetryPolicy& policy, Progress progress, ErrorCode code) {
  if (progress == Progress::kAnswered) return false;
  if (code != ErrorCode::kUnavailable && code != ErrorCode::kTimeout) return false;
  // Envoy counts what would be a 503 or 504 of its own among the 5xx.
  if (has(policy, "5xx") || has(policy, "gateway-error")) return true;
  switch (progress) {
    case Progress::kUnsent:
      return has(policy, "connect-failure") || has(policy, "reset");
    case Progress::kRefused:
      return has(policy, "refused-stream") || has(policy, "reset");
    default:
      return has(policy, "reset");
  }
}

std::chrono::milliseconds backoff(std::size_t retry, RandomSequence& random) {
  const std::uint32_t doubled = kFirstWait << std::min<std::size_t>(retry, 8);
  return std::chrono::milliseconds(random.below(std::min(doubled, kLongestWait) + 1));
}

bool within_retry_budget(std::size_t retries, std::size_t requests) {
  return retries < std::max(kBudgetMinimum, requests * kBudgetPercent / 100);
}

}  // namespace gatehouse::gateway::upstream
