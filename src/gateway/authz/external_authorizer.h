// Makes the authorizers that are other processes, from the settings.
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/authz/authorizer_counts.h"
#include "http/authorizer.h"
#include "net/loop.h"
#include "net/tcp.h"

namespace gatehouse::gateway {

struct ExternalAuthorizerParts {
  net::Loop& loop;
  net::Resolver& resolver;
  AuthorizerCounts* counts = nullptr;   // of the loop; may be null, else outlives the authorizer
  std::shared_ptr<spdlog::logger> log;  // may be null
};

/// ext_authz over HTTP, as Ambassador's AuthService (proto: http) speaks it. One a loop.
Result<std::unique_ptr<http::Authorizer>> make_http_authorizer(const config::Gateway& settings,
                                                               ExternalAuthorizerParts parts);
/// ext_authz over gRPC: envoy.service.auth.v3.Authorization/Check, over HTTP/2 (cleartext by prior
/// knowledge). One a loop.
Result<std::unique_ptr<http::Authorizer>> make_grpc_authorizer(const config::Gateway& settings,
                                                               ExternalAuthorizerParts parts);

/// What must be said at each start, a sentence each: that a failing authorizer lets requests pass.
std::vector<std::string> authorizer_warnings(const config::AuthorizerSettings& settings);

}  // namespace gatehouse::gateway
