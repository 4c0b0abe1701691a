// What holds for every authorizer that is another process: a limit of questions under way, counts,
// and failure_mode_allow.
#pragma once

#include <spdlog/logger.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "config/gateway_settings.h"
#include "gateway/authz/authorizer_counts.h"
#include "http/authorizer.h"

namespace gatehouse::gateway {

/// Asks the authorizer behind it, unless circuit_breakers.requests questions are under way: then
/// it fails at once (kExhausted). A Failure stays one, which denies, unless failure_mode_allow is
/// set: then it becomes an Allow that sets nothing and is marked `unjudged`, and a line of the log.
/// A Failure because the client has gone (kCancelled) always stays one and counts as none; one
/// because no question can be made of its request (kInvalid) always stays one.
///
/// An Allow that names no user gets the value of the first managed header as its user.
class GuardedAuthorizer final : public http::Authorizer {
 public:
  /// `counts` may be null, else it outlives this. `log` may be null.
  GuardedAuthorizer(std::unique_ptr<http::Authorizer> behind,
                    const config::AuthorizerSettings& settings, AuthorizerCounts* counts,
                    std::shared_ptr<spdlog::logger> log);

  Task<http::Verdict> judge(const http::Request& request) override;
  const std::vector<std::string>& managed_headers() const override {
    return behind_->managed_headers();
  }
  const std::vector<std::string>& private_cookies() const override {
    return behind_->private_cookies();
  }
  bool is_own_credential(std::string_view authorization) override {
    return behind_->is_own_credential(authorization);
  }
  http::BodyWanted body_wanted() const override { return behind_->body_wanted(); }

 private:
  http::Verdict failed(const http::Request& request, http::Failure failure);
  http::Verdict counted(const http::Request& request, http::Verdict verdict);
  void name_user(http::Allow& allow) const;

  const std::unique_ptr<http::Authorizer> behind_;
  const std::size_t limit_;
  const bool failure_mode_allow_;
  AuthorizerCounts unread_;
  AuthorizerCounts& counts_;
  const std::shared_ptr<spdlog::logger> log_;
  const std::string user_header_;  // folded; empty if none is managed
  std::size_t under_way_ = 0;
};

}  // namespace gatehouse::gateway
