// Compiles the gateway's settings, and judges what is wrong with them: what stands in the
// configuration file has to be right as a whole, while of manifests only the object that is wrong
// is left out, or stays as it was when it was right.
#pragma once

#include <spdlog/logger.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/ambassador/manifests.h"
#include "gateway/compiled_gateway.h"
#include "gateway/filters/rate_limiter.h"
#include "gateway/gateway.h"
#include "gateway/tcp/tcp_routes.h"
#include "net/tcp.h"

namespace gatehouse::app {

/// What people should know of the configuration in force; thread-safe.
class ConfigurationReport {
 public:
  /// When another configuration has taken effect.
  void replace(std::vector<std::string> problems, std::vector<std::string> warnings) {
    const std::lock_guard lock(mutex_);
    problems_ = std::move(problems);
    warnings_ = std::move(warnings);
  }
  void add(std::vector<std::string> problems, std::vector<std::string> warnings) {
    const std::lock_guard lock(mutex_);
    std::ranges::move(problems, std::back_inserter(problems_));
    std::ranges::move(warnings, std::back_inserter(warnings_));
  }
  std::vector<std::string> problems() const {
    const std::lock_guard lock(mutex_);
    return problems_;
  }
  std::vector<std::string> warnings() const {
    const std::lock_guard lock(mutex_);
    return warnings_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> problems_, warnings_;
};

struct CompiledSources {
  std::shared_ptr<const gateway::CompiledGateway> gateway;
  std::vector<std::string> problems, warnings;  // of routes and hosts that came from manifests
};

/// kInvalid names what is wrong in the configuration file. `good`: of the manifests that are in
/// `settings`, may be null; what proves to be wrong here has afterwards in there what it has in
/// `before`, of the state in force, and takes effect so.
Result<CompiledSources> compile_sources(config::Gateway settings,
                                        gateway::RateLimitTables& rate_limits,
                                        config::ambassador::LastGood* good = nullptr,
                                        const config::ambassador::LastGood* before = nullptr);

struct CompiledTcp {
  std::shared_ptr<const gateway::TcpRoutes> routes;
  std::vector<std::string> problems, warnings;  // as CompiledSources
};

/// The same for the TCP routes of such settings.
Result<CompiledTcp> compile_tcp(const config::Gateway& settings,
                                config::ambassador::LastGood* good = nullptr,
                                const config::ambassador::LastGood* before = nullptr);

/// Takes the TCP routes of manifests out whose port somebody else listens on: a sentence each. What
/// is on a port of `own`, this process's, stays, and what stands in the configuration file.
std::vector<std::string> leave_out_taken_ports(config::Gateway& settings,
                                               const std::vector<net::Endpoint>& own);

/// The services that cannot be: an error if one is the configuration file's, else a sentence each.
Result<std::vector<std::string>> judge_services(const gateway::Gateway& gateway);

}  // namespace gatehouse::app
