#include "config/ambassador/manifests.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "config/ambassador/context.h"
#include "config/ambassador/hosts.h"
#include "config/ambassador/last_good.h"
#include "config/ambassador/mapping.h"
#include "config/ambassador/module.h"
#include "config/ambassador/objects.h"
#include "config/ambassador/report.h"
#include "config/ambassador/secrets.h"
#include "config/ambassador/services.h"
#include "config/ambassador/tls_contexts.h"
#include "config/text.h"

namespace gatehouse::config::ambassador {
namespace {

constexpr std::array<std::string_view, 10> kReadKinds{"Mapping",
                                                      "Host",
                                                      "TLSContext",
                                                      "Listener",
                                                      "Module",
                                                      "AuthService",
                                                      "TCPMapping",
                                                      "TracingService",
                                                      "KubernetesServiceResolver",
                                                      "KubernetesEndpointResolver"};

struct OtherKind {
  std::string_view kind, advice;
};
constexpr std::array<OtherKind, 8> kOtherKinds{
    {{"RateLimitService", "give rate_limits in the gateway's configuration"},
     {"RateLimit", "give rate_limits in the gateway's configuration"},
     {"LogService", "the access log goes to stderr, or to the Module's envoy_log_path"},
     {"BufferService", "give the Module buffer.max_request_bytes"},
     {"DevPortal", "there is no developers' portal; remove it"},
     {"ConsulResolver", "Consul is not asked; services are looked up by DNS"},
     {"Filter", "give an AuthService, which may judge by paths too"},
     {"FilterPolicy", "give an AuthService, and bypass_auth to Mappings that need none"}}};

std::vector<std::string> all_kinds() {
  std::vector<std::string> out(kReadKinds.begin(), kReadKinds.end());
  for (const OtherKind& other : kOtherKinds) out.emplace_back(other.kind);
  return out;
}

void warn_of_other_kinds(const Objects& objects, Report& report) {
  for (const Object& object : objects.list) {
    if (std::ranges::find(kReadKinds, object.kind) != kReadKinds.end()) continue;
    if (!report.has_room_for_warnings()) return;
    const auto* known = std::ranges::find(kOtherKinds, object.kind, &OtherKind::kind);
    std::string message;
    if (known != kOtherKinds.end()) {
      message = "is not supported: " + std::string(known->advice);
    } else {
      message = "has no effect: no such kind";
      const std::optional<std::string> near = nearest(object.kind, all_kinds());
      if (near) message += "; did you mean " + *near + "?";
    }
    report.warning(object.subject, object.mark, "", std::move(message));
  }
}

std::set<std::string> consul_resolvers(const Objects& objects) {
  std::set<std::string> out;
  for (const Object* object : objects.of("ConsulResolver")) out.insert(object->name);
  return out;
}

void add_probe_routes(const MappingDefaults& defaults, Gateway& gateway) {
  for (const auto& [path, answer] : {std::pair{defaults.alive_path, "/healthz/live"},
                                     std::pair{defaults.ready_path, "/healthz/ready"}}) {
    if (path.empty()) continue;
    Route route{.name = path, .prefix = path, .match = "exact"};
    route.upstream.service = "health";
    route.rewrite = answer;
    route.authenticate = false;
    gateway.routes.push_back(std::move(route));
  }
}

}  // namespace

Manifests read_manifests(const std::vector<ManifestFile>& files, const Gateway& base,
                         const ManifestOptions& options, const LastGood* before) {
  Report report;
  Manifests out{.gateway = base, .good = std::make_shared<LastGood>()};
  const Versions versions{.before = before, .good = *out.good};
  Objects objects = collect_objects(files, options, report);
  if (before != nullptr) add_lost(files, *before, objects, report);
  const Secrets secrets(objects);
  const TlsContexts tls_contexts(objects, secrets, options, secret_names_are_dotted(objects),
                                 versions, report);
  Context context{.options = options,
                  .base = base,
                  .versions = versions,
                  .secrets = secrets,
                  .tls_contexts = tls_contexts,
                  .defaults = {},
                  .consul_resolvers = consul_resolvers(objects)};
  ListenDefaults listen;
  read_module(objects, report, context, out.gateway, listen);
  for (const Object* object : objects.of("Mapping")) {
    std::optional<Route> route = read_or_keep(*object, &LastGood::mappings, versions, report, [&] {
      return read_mapping(*object, context, report);
    });
    if (route) out.gateway.routes.push_back(std::move(*route));
  }
  if (options.probe_routes) add_probe_routes(context.defaults, out.gateway);
  read_hosts_and_listeners(objects, context, listen, report, out.gateway);
  read_auth_services(objects, context, report, out.gateway.authorizer);
  read_tracing_services(objects, context, report, out.gateway.tracing);
  read_tcp_mappings(objects, context, report, out.gateway);
  warn_of_other_kinds(objects, report);
  out.problems = report.take_problems();
  out.warnings = report.take_warnings();
  return out;
}

}  // namespace gatehouse::config::ambassador
