#include "app/route_command.h"

#include <fmt/format.h>

#include <memory>
#include <string_view>
#include <utility>

#include "app/exit_code.h"
#include "app/gateway_compilation.h"
#include "app/listener_tls.h"
#include "app/plan.h"
#include "base/json.h"
#include "crypto/random.h"
#include "gateway/routing/host_policy.h"
#include "gateway/routing/route_table.h"
#include "http/url.h"

namespace gatehouse::app {
namespace {

using gateway::HostPolicy;

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

/// Of what was read, and of what came of it; as the gateway's log does.
template <class Sources>
void tell(const Sources& sources) {
  for (const std::string& text : sources.problems) fmt::print(stderr, "error: {}\n", text);
  for (const std::string& text : sources.warnings) fmt::print(stderr, "warning: {}\n", text);
}

/// What happens to the request before routes are looked at. One of the two, or neither.
struct BeforeRoutes {
  std::string insecure;      // what its Host says of it as an insecure one
  std::string unknown_host;  // that no Host is for it
};

BeforeRoutes before_routes(const HostPolicy& policy, const http::Request& request) {
  switch (policy.outcome(request, is_secure(request))) {
    case HostPolicy::Outcome::kRedirect:
      return {.insecure = "redirect to " +
                          gateway::https_location(request).value_or("https (400: no host)")};
    case HostPolicy::Outcome::kReject:
      return {.insecure = "reject with 404"};
    case HostPolicy::Outcome::kUnknown:
      return {.unknown_host = "reject with 404"};
    case HostPolicy::Outcome::kRoute:
      break;
  }
  return {};
}

void print(const gateway::Explanation& explanation, const config::Gateway& settings,
           const BeforeRoutes& before, bool json) {
  if (json) {
    Json out = gateway::to_json(explanation, settings.routes);
    if (!before.insecure.empty()) out["insecure"] = before.insecure;
    if (!before.unknown_host.empty()) out["unknown_host"] = before.unknown_host;
    fmt::print("{}\n", dump_json(out));
    return;
  }
  if (!before.insecure.empty()) {
    fmt::print("As an insecure request its host says: {}.\n", before.insecure);
  }
  if (!before.unknown_host.empty()) fmt::print("No Host is for it: {}.\n", before.unknown_host);
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

Result<GatewaySources> served_by(const config::Settings& settings) {
  Result<config::Tls> self_signed = make_self_signed_tls();
  if (!self_signed) return fail(std::move(self_signed));
  Result<GatewaySources> sources =
      gather(settings.gateway, {.self_signed = std::move(*self_signed)});
  if (!sources) return sources;
  ServeOptions options;
  options.settings = settings;
  options.settings.gateway = std::move(sources->gateway);
  // With the gatekeeper in its process, the gateway leads to the other roles' pages too.
  const bool alone = settings.gateway.authorizer.kind != "gatekeeper";
  options.role = alone ? Role::kGateway : Role::kAll;
  Result<Plan> plan = make_plan(std::move(options));
  if (!plan) return fail(std::move(plan));
  sources->gateway = std::move(plan->settings.gateway);
  return sources;
}

int explain_route(const config::Settings& settings, const RouteQuestion& question) {
  const Result<http::Request> request = request_of(question);
  if (!request) return report(request.error(), kUsage);
  Result<GatewaySources> sources = served_by(settings);
  if (!sources) return report(sources.error(), kConfiguration);
  tell(*sources);
  crypto::SystemEntropy entropy;
  gateway::RateLimitTables rate_limits{entropy};
  const Result<CompiledSources> compiled =
      compile_sources(std::move(sources->gateway), rate_limits);
  if (!compiled) return report(compiled.error(), kConfiguration);
  tell(*compiled);
  const gateway::CompiledGateway& in_force = *compiled->gateway;
  gateway::Explanation explanation =
      in_force.table().explain(*request, in_force.settings().routes, is_secure(*request));
  // What a route says counts only where there is somebody to ask.
  if (in_force.settings().authorizer.kind == "none") explanation.authenticate = false;
  print(explanation, in_force.settings(), before_routes(in_force.hosts(), *request), question.json);
  return explanation.members.empty() ? kFailed : kOk;
}

}  // namespace gatehouse::app
