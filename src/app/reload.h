// Makes the state that a reload is to put in force, beside the one that is: reads, compiles and
// opens what it needs, and changes nothing.
//
// Not for putting it in force: the loops do that (worker.h), each as a whole or not at all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/gateway_sources.h"
#include "app/plan.h"
#include "app/serving.h"
#include "base/result.h"
#include "config/ambassador/manifests.h"
#include "config/settings.h"
#include "gateway/filters/rate_limiter.h"

namespace gatehouse::app {

struct Reload {
  std::shared_ptr<Serving> serving;
  std::shared_ptr<config::ambassador::LastGood> good;  // of its manifests; null without
  std::vector<std::string> problems, warnings;         // of what it was made from
};

/// What is in force, and stays so for now.
struct ReloadFrom {
  const Plan& plan;  // of the start
  const Serving& serving;
  const config::ambassador::LastGood* good = nullptr;
  const SourceOptions& sources;
  gateway::RateLimitTables& rate_limits;
};

/// `settings`: as they were read, without the manifests. The error says what makes it impossible;
/// kConflict if somebody else listens on a new address.
Result<Reload> prepare_reload(const config::Settings& settings, const ReloadFrom& from);

/// Loads the certificates of the listeners; those of `hosts` are for the gateway's. What OpenSSL
/// finds doubtful is added to `warnings`.
Result<void> load_certificates(std::vector<PlannedListener>& listeners,
                               const std::vector<config::Host>& hosts,
                               std::vector<std::string>& warnings);
/// Null if the lines go with the log, or nowhere.
Result<std::shared_ptr<gateway::LogFile>> open_access_log(const config::AccessLog& settings);

}  // namespace gatehouse::app
