#include "app/route_command.h"

#include <fmt/format.h>

#include <memory>
#include <string_view>
#include <utility>

#include "app/exit_code.h"
#include "app/plan.h"
#include "base/json.h"
#include "gateway/routing/host_policy.h"
#include "gateway/routing/route_name.h"
#include "gateway/routing/route_table.h"
#include "http/url.h"

namespace gatehouse::app {
namespace {

using gateway::HostPolicy;
using gateway::Problem;
using gateway::RouteTable;

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::kInvalid, std::move(message));
}

int report(const Error& error, int exit_code) {
  fmt::print(stderr, "gatehouse: {}\n", error.message);
  return exit_code;
}

Result<void> set_target(const std::string& url, http::Request& request) {
  if (!url.starts_with('/')) {
    const Result<http::Url> whole = http::parse_url(url);
    if (!whole) return invalid("URL \"" + url + "\": " + whole.error().message);
    request.authority = whole->authority();
    auto peer = std::make_shared<http::Peer>();
    peer->tls = whole->scheme == "https";
    request.peer = std::move(peer);
  }
  Result<http::Target, http::TargetError> target = http::parse_target(url);
  if (!target) {
    return invalid("URL \"" + url + "\": " + std::string(http::to_string(target.error())) +
                   "; the gateway answers 400");
  }
  request.target = std::move(*target);
  return {};
}

Result<void> add_header(std::string_view line, http::Request& request) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  const std::string_view value =
      colon == std::string_view::npos ? "" : http::trim(line.substr(colon + 1));
  if (colon == std::string_view::npos || !http::is_token(name) || !http::is_field_value(value)) {
    return invalid("--header \"" + std::string(line) + "\": must be like \"Name: value\"");
  }
  if (!http::equal_ignoring_case(name, "host")) {
    request.headers.add(name, value);
    return {};
  }
  std::optional<std::string> host = http::parse_authority(value);
  if (!host) return invalid("--header Host: \"" + std::string(value) + "\" is not a host");
  request.authority = std::move(*host);
  return {};
}

bool is_secure(const http::Request& request) {
  return request.peer && request.peer->tls;
}

void warn(const std::vector<Problem>& problems, const config::Gateway& settings) {
  for (const Problem& problem : problems) {
    const bool of_route = problem.of == Problem::Of::kRoute;
    fmt::print(stderr, "warning: {} \"{}\": {}\n", of_route ? "route" : "host",
               of_route ? gateway::route_name(settings.routes[problem.index])
                        : settings.hosts[problem.index].hostname,
               problem.reason);
  }
}

/// What happens to the request before routes are looked at; "" if nothing does.
std::string insecure_line(const HostPolicy& policy, const http::Request& request) {
  if (is_secure(request)) return "";
  switch (policy.insecure_action(request.authority)) {
    case HostPolicy::Insecure::kRedirect:
      return "redirect to " + gateway::https_location(request).value_or("https (400: no host)");
    case HostPolicy::Insecure::kReject:
      return "reject with 404";
    case HostPolicy::Insecure::kRoute:
      break;
  }
  return "";
}

void print(const gateway::Explanation& explanation, const config::Gateway& settings,
           const std::string& insecure, bool json) {
  if (json) {
    Json out = gateway::to_json(explanation, settings.routes);
    if (!insecure.empty()) out["insecure"] = insecure;
    fmt::print("{}\n", dump_json(out));
    return;
  }
  if (!insecure.empty()) fmt::print("As an insecure request its host says: {}.\n", insecure);
  fmt::print("{}", gateway::to_text(explanation, settings.routes));
}

}  // namespace

Result<http::Request> request_of(const RouteQuestion& question) {
  http::Request request;
  if (!http::is_token(question.method)) {
    return invalid("method \"" + question.method + "\": must be like GET");
  }
  request.method = question.method;
  Result<void> done = set_target(question.url, request);
  for (const std::string& header : question.headers) {
    if (done) done = add_header(header, request);
  }
  if (!done) return fail(std::move(done));
  return request;
}

Result<config::Gateway> gathered_gateway(const config::Settings& settings) {
  ServeOptions options;
  options.settings = settings;
  // With the gatekeeper in its process, the gateway leads to the other roles' pages too.
  const bool alone = settings.gateway.authorizer.kind != "gatekeeper";
  options.role = alone ? Role::kGateway : Role::kAll;
  Result<Plan> plan = make_plan(std::move(options));
  if (!plan) return fail(std::move(plan));
  return std::move(plan->settings.gateway);
}

int explain_route(const config::Settings& settings, const RouteQuestion& question) {
  const Result<http::Request> request = request_of(question);
  if (!request) return report(request.error(), kUsage);
  const Result<config::Gateway> gathered = gathered_gateway(settings);
  if (!gathered) return report(gathered.error(), kConfiguration);
  RouteTable::Made made = RouteTable::make(gathered->routes, gathered->hosts);
  const HostPolicy policy = HostPolicy::make(gathered->hosts, made.problems);
  const Result<void> all = gateway::require_all(made.problems, gathered->routes, gathered->hosts);
  if (!all) return report(all.error(), kConfiguration);
  warn(made.problems, *gathered);
  const gateway::Explanation explanation =
      made.table.explain(*request, gathered->routes, is_secure(*request));
  print(explanation, *gathered, insecure_line(policy, *request), question.json);
  return explanation.members.empty() ? kFailed : kOk;
}

}  // namespace gatehouse::app
