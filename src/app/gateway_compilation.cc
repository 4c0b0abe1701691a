#include "app/gateway_compilation.h"

#include <utility>

#include "gateway/authz/external_authorizer.h"

namespace gatehouse::app {
namespace {

using config::ambassador::LastGood;
using gateway::Problem;

/// Routes of the configuration file, and those that join the roles of one process, which have no
/// origin; the origin of others is an object of a manifest.
template <class Route>
bool is_of_file(const Route& route) {
  return route.origin.empty() || route.origin.starts_with("gateway.");
}

std::string name_of(const config::TcpRoute& route) {
  return "TCP route \"" + route.name + "\" (" +
         (route.origin.empty() ? route.listen : route.origin) + ")";
}

std::string name_of(const config::Route& route) {
  std::string out = "route \"" + (route.name.empty() ? route.prefix : route.name) + "\"";
  if (!route.origin.empty()) out += " (" + route.origin + ")";
  return out;
}

std::string sentence(const Problem& problem, const config::Gateway& settings) {
  switch (problem.of) {
    case Problem::Of::kHost:
      return "host \"" + settings.hosts[problem.index].hostname + "\": " + problem.reason;
    case Problem::Of::kRoute:
      return name_of(settings.routes[problem.index]) + ": " + problem.reason;
    case Problem::Of::kTcpRoute:
      return name_of(settings.tcp[problem.index]) + ": " + problem.reason;
  }
  return problem.reason;
}

bool is_of_file(const Problem& problem, const config::Gateway& settings) {
  switch (problem.of) {
    case Problem::Of::kHost:
      return settings.manifests.empty();
    case Problem::Of::kRoute:
      return is_of_file(settings.routes[problem.index]);
    case Problem::Of::kTcpRoute:
      return is_of_file(settings.tcp[problem.index]);
  }
  return true;
}

/// Of the objects that could not be compiled, those that were right before are put back in
/// `routes`, which are settings.routes or settings.tcp. A sentence for each of these.
template <class Route>
std::vector<std::string> keep_what_was_good(const std::vector<Problem>& problems, LastGood& good,
                                            const LastGood* before, config::Gateway& settings,
                                            std::vector<Route>& routes) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) {
    if (!problem.left_out || problem.of == Problem::Of::kHost) continue;
    Route& route = routes[problem.index];
    if (is_of_file(route)) continue;
    const Route* const last = config::ambassador::keep_last_good(route, before, good);
    if (last == nullptr) continue;
    out.push_back(sentence(problem, settings) + "; its last good version stays in force");
    route = *last;
  }
  return out;
}

/// What is left out is an error of the file, or added to the problems; the rest, to the warnings.
template <class Compiled>
Result<void> judge(const std::vector<Problem>& problems, const config::Gateway& settings,
                   Compiled& out) {
  for (const Problem& problem : problems) {
    std::string text = sentence(problem, settings);
    if (problem.left_out && is_of_file(problem, settings)) {
      return fail(ErrorCode::kInvalid, std::move(text));
    }
    (problem.left_out ? out.problems : out.warnings).push_back(std::move(text));
  }
  return {};
}

}  // namespace

Result<CompiledSources> compile_sources(config::Gateway settings,
                                        gateway::RateLimitTables& rate_limits, LastGood* good,
                                        const LastGood* before) {
  Result<gateway::CompiledGateway::Made> made =
      gateway::CompiledGateway::make(settings, rate_limits);
  if (!made) return fail(std::move(made));
  std::vector<std::string> kept;
  if (good != nullptr) {
    kept = keep_what_was_good(made->problems, *good, before, settings, settings.routes);
  }
  if (!kept.empty()) {
    Result<CompiledSources> out = compile_sources(std::move(settings), rate_limits, good);
    if (out) out->problems.insert(out->problems.begin(), kept.begin(), kept.end());
    return out;
  }
  CompiledSources out{.gateway = std::move(made->gateway),
                      .problems = {},
                      .warnings = gateway::authorizer_warnings(settings.authorizer)};
  Result<void> judged = judge(made->problems, settings, out);
  if (!judged) return fail(std::move(judged));
  return out;
}

Result<CompiledTcp> compile_tcp(const config::Gateway& settings, LastGood* good,
                                const LastGood* before) {
  Result<gateway::TcpRoutes::Made> made = gateway::TcpRoutes::make(settings.tcp);
  if (!made) return fail(std::move(made));
  if (good != nullptr && !made->problems.empty()) {
    config::Gateway mended = settings;
    const std::vector<std::string> kept =
        keep_what_was_good(made->problems, *good, before, mended, mended.tcp);
    if (!kept.empty()) {
      Result<CompiledTcp> out = compile_tcp(mended, good);
      if (out) out->problems.insert(out->problems.begin(), kept.begin(), kept.end());
      return out;
    }
  }
  CompiledTcp out{.routes = std::move(made->routes), .problems = {}, .warnings = {}};
  Result<void> judged = judge(made->problems, settings, out);
  if (!judged) return fail(std::move(judged));
  return out;
}

std::vector<std::string> leave_out_taken_ports(config::Gateway& settings,
                                               const std::vector<net::Endpoint>& own) {
  std::vector<std::string> out;
  const auto is_taken = [&](const config::TcpRoute& route) {
    const Result<net::Endpoint> endpoint = net::parse_endpoint(route.listen);
    if (is_of_file(route) || !endpoint) return false;  // TcpRoutes says what is no address
    if (std::ranges::find(own, endpoint->port, &net::Endpoint::port) != own.end()) return false;
    const Result<void> free = net::check_port_free(*endpoint);
    if (!free) {
      out.push_back(name_of(route) + ": " + free.error().message +
                    "; free the port, then change a manifest or send SIGHUP");
    }
    return !free;
  };
  std::erase_if(settings.tcp, is_taken);
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
