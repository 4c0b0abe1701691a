#include "config/ambassador/mapping.h"

#include <utility>

#include "config/ambassador/header_edits.h"
#include "config/ambassador/service_address.h"
#include "config/ambassador/upstream_fields.h"
#include "config/text.h"
#include "http/headers.h"

namespace gatehouse::config::ambassador {
namespace {

void read_upgrades(FieldReader& fields, Route& route) {
  route.upgrades.clear();
  const auto add = [&](const std::string& upgrade) {
    for (const std::string& known : route.upgrades) {
      if (known == upgrade) return;
    }
    route.upgrades.push_back(upgrade);
  };
  if (fields.boolean("use_websocket").value_or(false)) add("websocket");
  for (const std::string& text :
       fields.texts("allow_upgrade").value_or(std::vector<std::string>{})) {
    const std::string upgrade = http::lower_case(text);
    if (upgrade == "websocket" || upgrade == "spdy/3.1" || upgrade == "connect") {
      add(upgrade);
    } else {
      fields.warning("allow_upgrade",
                     quote(text) + " has no effect: websocket, spdy/3.1 and CONNECT are served");
    }
  }
}

void read_authentication(FieldReader& fields, Route& route) {
  route.authenticate = !fields.boolean("bypass_auth").value_or(false);
  route.auth_context = read_text_members(fields, "auth_context_extensions");
}

/// A stream of gRPC may wait for hours before its first message. Only what its own Mapping says
/// ends it: defaults for all Mappings are meant for short requests.
void read_timeouts(FieldReader& fields, const Context& context, Route& route) {
  route.timeout = route.grpc ? milliseconds(0) : context.defaults.timeout;
  if (route.grpc) route.idle_timeout = kGrpcIdleTimeout;
  const auto read = [&](std::string_view name, milliseconds& timeout) {
    const auto given = fields.milliseconds(name);
    if (given && (!route.grpc || fields.has_itself(name))) timeout = *given;
  };
  read("timeout_ms", route.timeout);
  read("idle_timeout_ms", route.idle_timeout);
}

void read_sharing(FieldReader& fields, Route& route) {
  if (const auto weight = fields.integer("weight", 0, 100)) {
    route.weight = static_cast<int>(*weight);
  }
  route.shadow = fields.boolean("shadow").value_or(false);
}

void ignore_fields(FieldReader& fields) {
  fields.ignore("add_linkerd_headers", "a mesh's headers are not set; use add_request_headers");
  fields.ignore("docs", "there is no developers' portal");
  fields.ignore("envoy_override", "this gateway is not Envoy");
  fields.ignore("modules", "there are no modules for one Mapping");
  fields.ignore("lua_scripts", "scripts are not run");
  fields.ignore("priority", "there is one priority");
  fields.ignore("labels", "give rate limits in the gateway's configuration");
  fields.ignore("rate_limits", "give rate limits in the gateway's configuration");
  fields.accept({"v2ExplicitTLS", "status"});
}

}  // namespace

void read_mapping_fields(FieldReader& fields, const Context& context, Route& route) {
  ServiceAddress address;
  read_match(fields, context, route);
  read_service(fields, "service", context, route.upstream, address);
  read_redirect(fields, address.host, address.https, route);
  read_changes(fields, context, route);
  read_authentication(fields, route);
  route.grpc = fields.boolean("grpc").value_or(false);
  read_timeouts(fields, context, route);
  read_sharing(fields, route);
  read_upgrades(fields, route);
  read_retry_policy(fields, route.retry);
  read_upstream(fields, context, route.upstream);
  if (route.grpc) route.upstream.protocol = "http2";
  // Nothing is asked of the service: no cluster is kept for it.
  if (!route.redirect.host.empty()) route.upstream = {};
  ignore_fields(fields);
}

std::optional<Route> read_mapping(const Object& object, const Context& context, Report& report) {
  ObjectReport object_report(object, report);
  FieldReader fields = fields_of(object_report);
  const MappingDefaults& defaults = context.defaults;
  for (const YamlNode* node : {defaults.of_mappings, defaults.of_all, defaults.system_wide.get()}) {
    if (node != nullptr) fields.fall_back_to(*node);
  }
  Route route;
  read_mapping_fields(fields, context, route);
  fields.finish();
  route.name = object.name_space + "/" + object.name;
  route.origin = origin_of(object);
  route.labels = object.labels;
  if (object_report.failed()) return std::nullopt;
  return route;
}

}  // namespace gatehouse::config::ambassador
