#include "gateway/compiled_gateway.h"

#include <algorithm>
#include <utility>

#include "gateway/routing/route_name.h"
#include "http/url.h"

namespace gatehouse::gateway {
namespace {

bool leads_to_authorizer(const config::Route& route, const config::AuthorizerSettings& authorizer) {
  if (authorizer.kind != "http" && authorizer.kind != "grpc") return false;
  const Result<http::Url> service = http::parse_url(route.upstream.service);
  const Result<http::Url> judge = http::parse_url(authorizer.url);
  return service && judge && service->origin() == judge->origin();
}

std::shared_ptr<const http::AuthContext> auth_context_of(const config::Route& route) {
  if (route.auth_context.empty()) return nullptr;
  auto context = std::make_shared<http::AuthContext>();
  for (const config::FieldEdit& entry : route.auth_context) {
    context->emplace_back(entry.name, entry.value);
  }
  return context;
}

/// Runs the steps of compiling one thing up to the first that fails.
class Steps {
 public:
  template <class T>
  Steps& take(T& into, Result<T> made) {
    if (!failed_ && made) into = std::move(*made);
    if (!failed_ && !made) failed_ = std::move(made).error();
    return *this;
  }
  Result<void> end() {
    if (failed_) return std::unexpected(std::move(*failed_));
    return {};
  }

 private:
  std::optional<Error> failed_;
};

Result<CompiledRoute> compile(const config::Route& route, const config::Gateway& gateway,
                              RateLimitTables& rate_limits) {
  CompiledRoute out;
  const std::string hostname = system_hostname();
  Steps steps;
  steps.take(out.cors, Cors::make(route.cors))
      .take(out.request_edits, HeaderEdits::make(HeaderEdits::Of::kRequest,
                                                 {.add = route.add_request_headers,
                                                  .remove = route.remove_request_headers,
                                                  .managed_headers = gateway.managed_headers,
                                                  .private_fields = {},
                                                  .hostname = hostname}))
      .take(out.response_edits, HeaderEdits::make(HeaderEdits::Of::kResponse,
                                                  {.add = route.add_response_headers,
                                                   .remove = route.remove_response_headers,
                                                   .managed_headers = gateway.managed_headers,
                                                   .private_fields = {},
                                                   .hostname = hostname}))
      .take(out.error_overrides, ErrorOverrides::make(route.error_overrides,
                                                      {.private_fields = {}, .hostname = hostname}))
      .take(out.rate_limiter, RateLimiter::make(route.rate_limits, route.name, rate_limits))
      .take(out.shadow, Shadow::make(route.weight, gateway.managed_headers));
  Result<void> compiled = steps.end();
  if (!compiled) return fail(std::move(compiled));
  out.auth_context = auth_context_of(route);
  out.leads_to_authorizer = leads_to_authorizer(route, gateway.authorizer);
  return out;
}

}  // namespace

Result<CompiledGateway::Made> CompiledGateway::make(config::Gateway settings,
                                                    RateLimitTables& rate_limits) {
  std::shared_ptr<CompiledGateway> out(new CompiledGateway());
  out->settings_ = std::move(settings);
  Result<void> compiled = out->compile_filters(rate_limits);
  if (!compiled) return fail(std::move(compiled));
  std::vector<Problem> problems;
  const auto unknown = out->settings_.unknown_hosts == "reject" ? HostPolicy::Unknown::kReject
                                                                : HostPolicy::Unknown::kRoute;
  out->hosts_ = HostPolicy::make(out->settings_.hosts, unknown, problems);
  out->compile_routes(rate_limits, problems);
  return Made{std::move(out), std::move(problems)};
}

Result<void> CompiledGateway::compile_filters(RateLimitTables& rate_limits) {
  const int status = settings_.authorizer.status_on_error;
  if (status < 400 || status > 599) {
    return fail(ErrorCode::kInvalid, "gateway.authorizer.status_on_error must be 400 to 599");
  }
  Result<Forwarded> forwarded = Forwarded::make(settings_);
  if (!forwarded) return fail(std::move(forwarded));
  forwarded_ = std::make_unique<const Forwarded>(std::move(*forwarded));
  return Steps()
      .take(addresses_, AddressRules::make(settings_.ip_allow, settings_.ip_deny))
      .take(rate_limiter_, RateLimiter::make(settings_.rate_limits, "gateway", rate_limits))
      .take(error_overrides_,
            ErrorOverrides::make(settings_.error_overrides,
                                 {.private_fields = {}, .hostname = system_hostname()}))
      .take(compression_, Compression::make(settings_.compression))
      .take(server_name_, ServerName::make(settings_.server_name))
      .end();
}

void CompiledGateway::compile_routes(RateLimitTables& rate_limits, std::vector<Problem>& problems) {
  std::vector<config::Route> usable;
  std::vector<std::size_t> given_at;  // of each usable route, its index in the settings
  for (std::size_t i = 0; i < settings_.routes.size(); ++i) {
    config::Route& route = settings_.routes[i];
    route.name = route_name(route);
    // Nothing else speaks gRPC; over TLS, ALPN finds that out.
    const bool cleartext = !route.upstream.service.starts_with("https:");
    if (route.grpc && route.upstream.protocol == "auto" && cleartext) {
      route.upstream.protocol = "http2";
    }
    Result<CompiledRoute> compiled = compile(route, settings_, rate_limits);
    if (!compiled) {
      problems.push_back({Problem::Of::kRoute, i, std::move(compiled).error().message});
      continue;
    }
    routes_.push_back(std::move(*compiled));
    usable.push_back(std::move(route));
    given_at.push_back(i);
  }
  settings_.routes = std::move(usable);
  RouteTable::Made made = RouteTable::make(settings_.routes, settings_.hosts);
  table_ = std::move(made.table);
  for (Problem& problem : made.problems) {
    // Those of hosts were named above, by the same rules.
    if (problem.of == Problem::Of::kHost) continue;
    problem.index = given_at[problem.index];
    problems.push_back(std::move(problem));
  }
}

}  // namespace gatehouse::gateway
