#include "gateway/authz/guarded_authorizer.h"

#include <algorithm>
#include <utility>

#include "gateway/field_names.h"

namespace gatehouse::gateway {
namespace {

/// A place among the questions under way, given back however the task ends.
class Place {
 public:
  Place(std::size_t& taken, AuthorizerCounts& counts) : taken_(taken), counts_(counts) {
    ++taken_;
    counts_.asked.add(1);
  }
  ~Place() {
    --taken_;
    counts_.answered.add(1);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  std::size_t& taken_;
  AuthorizerCounts& counts_;
};

}  // namespace

GuardedAuthorizer::GuardedAuthorizer(std::unique_ptr<http::Authorizer> behind,
                                     const config::AuthorizerSettings& settings,
                                     AuthorizerCounts* counts, std::shared_ptr<spdlog::logger> log)
    : behind_(std::move(behind)),
      limit_(settings.circuit_breakers.requests),
      failure_mode_allow_(settings.failure_mode_allow),
      counts_(counts != nullptr ? *counts : unread_),
      log_(std::move(log)),
      user_header_(behind_->managed_headers().empty() ? ""
                                                      : folded(behind_->managed_headers()[0])) {}

Task<http::Verdict> GuardedAuthorizer::judge(const http::Request& request) {
  if (limit_ != 0 && under_way_ >= limit_) {
    counts_.over_limit.add(1);
    co_return failed(request, {{ErrorCode::kExhausted,
                                "as many questions to the authorizer are under way "
                                "as authorizer.circuit_breakers.requests allows"}});
  }
  const Place place(under_way_, counts_);
  http::Verdict verdict = co_await behind_->judge(request);
  co_return counted(request, std::move(verdict));
}

http::Verdict GuardedAuthorizer::counted(const http::Request& request, http::Verdict verdict) {
  if (auto* const failure = std::get_if<http::Failure>(&verdict)) {
    return failed(request, std::move(*failure));
  }
  if (auto* const allow = std::get_if<http::Allow>(&verdict)) {
    counts_.allowed.add(1);
    name_user(*allow);
  } else {
    counts_.denied.add(1);
  }
  return verdict;
}

http::Verdict GuardedAuthorizer::failed(const http::Request& request, http::Failure failure) {
  if (failure.error.code == ErrorCode::kCancelled) return failure;
  // No question can be made of the request: that is its client's doing (CVE-2024-23324).
  const bool cannot_be_asked = failure.error.code == ErrorCode::kInvalid;
  if (!failure_mode_allow_ || cannot_be_asked) {
    counts_.failed.add(1);
    return failure;
  }
  counts_.let_pass.add(1);
  if (log_) {
    log_->warn("request let pass unjudged (failure_mode_allow): request {}, route {}: {}: {}",
               request.trace.request_id, request.trace.route, to_string(failure.error.code),
               failure.error.message);
  }
  http::Allow allow;
  allow.unjudged = true;
  return allow;
}

void GuardedAuthorizer::name_user(http::Allow& allow) const {
  if (!allow.user.empty() || user_header_.empty()) return;
  const auto found = std::ranges::find_if(
      allow.set, [this](const auto& pair) { return folds_to(pair.first, user_header_); });
  if (found != allow.set.end()) allow.user = found->second;
}

}  // namespace gatehouse::gateway
