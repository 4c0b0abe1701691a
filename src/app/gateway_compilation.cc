#include "app/gateway_compilation.h"

#include <utility>

#include "gateway/authz/external_authorizer.h"

namespace gatehouse::app {
namespace {

using config::ambassador::LastGood;
using gateway::Problem;

/// Routes of the configuration file, and those that join the roles of one process, which have no
/// origin; the origin of others is an object of a manifest.
bool is_of_file(const config::Route& route) {
  return route.origin.empty() || route.origin.starts_with("gateway.routes[");
}

std::string name_of(const config::Route& route) {
  std::string out = "route \"" + (route.name.empty() ? route.prefix : route.name) + "\"";
  if (!route.origin.empty()) out += " (" + route.origin + ")";
  return out;
}

std::string sentence(const Problem& problem, const config::Gateway& settings) {
  if (problem.of == Problem::Of::kHost) {
    return "host \"" + settings.hosts[problem.index].hostname + "\": " + problem.reason;
  }
  return name_of(settings.routes[problem.index]) + ": " + problem.reason;
}

/// Of the Mappings that could not be compiled, those that were right before are put back. A
/// sentence for each of these.
std::vector<std::string> keep_what_was_good(const std::vector<Problem>& problems, LastGood& good,
                                            const LastGood* before, config::Gateway& settings) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) {
    if (!problem.left_out || problem.of != Problem::Of::kRoute) continue;
    config::Route& route = settings.routes[problem.index];
    if (is_of_file(route)) continue;
    const config::Route* const last = config::ambassador::keep_last_good(route, before, good);
    if (last == nullptr) continue;
    out.push_back(sentence(problem, settings) + "; its last good version stays in force");
    route = *last;
  }
  return out;
}

}  // namespace

Result<CompiledSources> compile_sources(config::Gateway settings,
                                        gateway::RateLimitTables& rate_limits, LastGood* good,
                                        const LastGood* before) {
  Result<gateway::CompiledGateway::Made> made =
      gateway::CompiledGateway::make(settings, rate_limits);
  if (!made) return fail(std::move(made));
  std::vector<std::string> kept;
  if (good != nullptr) kept = keep_what_was_good(made->problems, *good, before, settings);
  if (!kept.empty()) {
    Result<CompiledSources> out = compile_sources(std::move(settings), rate_limits, good);
    if (out) out->problems.insert(out->problems.begin(), kept.begin(), kept.end());
    return out;
  }
  CompiledSources out{.gateway = std::move(made->gateway),
                      .problems = {},
                      .warnings = gateway::authorizer_warnings(settings.authorizer)};
  for (const Problem& problem : made->problems) {
    std::string text = sentence(problem, settings);
    const bool of_file = settings.manifests.empty() || (problem.of == Problem::Of::kRoute &&
                                                        is_of_file(settings.routes[problem.index]));
    if (problem.left_out && of_file) return fail(ErrorCode::kInvalid, std::move(text));
    (problem.left_out ? out.problems : out.warnings).push_back(std::move(text));
  }
  return out;
}

Result<std::vector<std::string>> judge_services(const gateway::Gateway& gateway) {
  std::vector<std::string> out;
  for (const Problem& problem : gateway.service_problems()) {
    const config::Route& route = gateway.compiled().route(problem.index);
    std::string text = name_of(route) + ": " + problem.reason;
    if (is_of_file(route)) return fail(ErrorCode::kInvalid, std::move(text));
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace gatehouse::app
