#include "config/ambassador/module.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "config/ambassador/last_good.h"
#include "config/ambassador/mapping.h"
#include "config/ambassador/upstream_fields.h"
#include "config/syntax.h"
#include "config/text.h"

namespace gatehouse::config::ambassador {
namespace {

constexpr long long kMaxKilobytes = 8LL * 1024;
/// Envoy's own.
constexpr std::size_t kGzipMinBytes = 30;
/// An address that no client has: a list that must not be empty, so as not to mean "all".
constexpr std::string_view kNobody = "255.255.255.255/32";

/// The keys of config that are defaults of Mappings under the same name.
constexpr std::array<std::string_view, 10> kSystemWide{"cors",
                                                       "retry_policy",
                                                       "circuit_breakers",
                                                       "load_balancer",
                                                       "keepalive",
                                                       "cluster_idle_timeout_ms",
                                                       "enable_ipv4",
                                                       "enable_ipv6",
                                                       "resolver",
                                                       "cluster_max_connection_lifetime_ms"};

const YamlNode* member(const YamlNode& mapping, std::string_view name) {
  for (const auto& [key, value] : mapping.entries) {
    if (key->kind == YamlNode::Kind::kScalar && key->text == name) return value.get();
  }
  return nullptr;
}

const Object* find_module(const Objects& objects, Report& report) {
  const Object* found = nullptr;
  for (const Object* module : objects.of("Module")) {
    if (module->name == "tls" || module->name == "authentication") continue;
    if (module->name != "ambassador") {
      report.warning(module->subject, module->mark, "",
                     "has no effect: only the Module named ambassador has");
    } else if (found != nullptr) {
      report.warning(module->subject, module->mark, "", "has no effect beside the first one");
    } else {
      found = module;
    }
  }
  return found;
}

/// Members: {remote: CIDR} or {peer: CIDR}.
std::vector<std::string> read_addresses(FieldReader& config, std::string_view name) {
  std::vector<std::string> out;
  for (FieldReader& principal : config.objects(name)) {
    const std::optional<std::string> remote = principal.text("remote");
    const std::optional<std::string> peer = principal.text("peer");
    if (peer) principal.warning("peer", "is compared with the client's address, as remote is");
    for (const std::optional<std::string>& network : {remote, peer}) {
      if (!network) continue;
      if (kNetwork.valid(*network)) {
        out.push_back(*network);
      } else {
        principal.problem("remote", quote(*network) + " must be " + std::string(kNetwork.rule) +
                                        "; this address is left out");
      }
    }
    principal.finish();
  }
  return out;
}

void read_address_rules(FieldReader& config, Gateway& gateway) {
  if (config.has("ip_allow")) {
    gateway.ip_allow = read_addresses(config, "ip_allow");
    if (gateway.ip_allow.empty()) gateway.ip_allow = {std::string(kNobody)};
  }
  if (config.has("ip_deny")) gateway.ip_deny = read_addresses(config, "ip_deny");
}

void read_gzip(FieldReader& config, Compression& out) {
  std::optional<FieldReader> gzip = config.object("gzip");
  if (!gzip) return;
  if (gzip->boolean("enabled") == false) {
    gzip->warning("enabled", "false: nothing is compressed");
  } else {
    out.algorithms = {"gzip"};
  }
  out.min_bytes = kGzipMinBytes;
  if (const auto bytes = gzip->integer("min_content_length", 0, 1 << 30)) {
    out.min_bytes = static_cast<std::size_t>(*bytes);
  }
  if (const auto level = gzip->one_of(
          "compression_level",
          {"BEST", "SPEED", "DEFAULT", "BEST_COMPRESSION", "BEST_SPEED", "DEFAULT_COMPRESSION"})) {
    out.level = level->starts_with("BEST_SPEED") || *level == "SPEED" ? 1
                : level->starts_with("DEFAULT")                       ? 0
                                                                      : 9;
  }
  if (const auto types = gzip->texts("content_type")) out.content_types = *types;
  gzip->accept({"memory_level", "compression_strategy", "window_bits"});
  gzip->ignore("disable_on_etag_header", "a strong ETag is made weak instead");
  gzip->ignore("remove_accept_encoding_header", "the upstream sees the client's Accept-Encoding");
  gzip->finish();
}

/// Envoy's text formats are one text; its JSON formats are an object, of which we have our own.
void read_access_log(FieldReader& config, AccessLog& out) {
  const auto type = config.one_of("envoy_log_type", {"text", "json", "typed_json"});
  if (type) out.form = *type == "text" ? "text" : "json";
  if (const auto path = config.text("envoy_log_path")) {
    const bool standard = *path == "/dev/fd/1" || *path == "/dev/stdout" || *path == "/dev/fd/2";
    out.path = standard ? "" : *path;
  }
  const YamlNode* format = config.find("envoy_log_format");
  if (format == nullptr) return;
  if (format->kind == YamlNode::Kind::kScalar && out.form == "text") {
    // Written with the line end that Envoy needs.
    std::string text = format->text;
    while (text.ends_with('\n')) text.pop_back();
    if (!is_one_line(text)) return config.problem("envoy_log_format", "must be one line of text");
    out.format = text;
  } else {
    config.warning("envoy_log_format", "has no effect: JSON lines have their own members");
  }
}

void read_limits(FieldReader& config, Limits& limits) {
  if (const auto kilobytes = config.integer("max_request_headers_kb", 1, kMaxKilobytes)) {
    limits.head_bytes = static_cast<std::size_t>(*kilobytes) * 1024;
    limits.target_bytes = std::min(limits.target_bytes, limits.head_bytes);
  }
  if (const auto idle = config.milliseconds("listener_idle_timeout_ms")) {
    if (idle->count() == 0) {
      config.warning("listener_idle_timeout_ms", "0 has no effect: idle connections end sometime");
    } else {
      limits.keep_alive_timeout = *idle;
    }
  }
  if (std::optional<FieldReader> buffer = config.object("buffer")) {
    if (const auto bytes = buffer->integer("max_request_bytes", 1, 1LL << 40)) {
      limits.body_bytes = static_cast<std::size_t>(*bytes);
    }
    buffer->ignore("max_request_time", "Envoy has it no more");
    buffer->finish();
  }
}

void read_addresses_of_clients(FieldReader& config, ListenDefaults& listen) {
  listen.proxy_protocol = config.boolean("use_proxy_proto").value_or(false);
  if (const auto hops = config.integer("xff_num_trusted_hops", 0, 64)) {
    listen.trusted_hops = static_cast<std::size_t>(*hops);
  }
  // Envoy then takes the last address of X-Forwarded-For for the client's: one proxy more.
  if (config.boolean("use_remote_address") == false) {
    ++listen.trusted_hops;
    config.warning("use_remote_address",
                   "false trusts one proxy in front; without one, clients choose their address");
  }
}

/// What is told where it is set: the hash always, as Envoy does, and what is asked for.
std::vector<std::string> read_client_details(FieldReader& config) {
  std::vector<std::string> out{"hash"};
  std::optional<FieldReader> details = config.object("set_current_client_cert_details");
  if (!details) return out;
  for (const std::string_view name : {"subject", "uri", "dns", "cert", "chain"}) {
    if (details->boolean(name).value_or(false)) out.emplace_back(name);
  }
  details->finish();
  return out;
}

void read_client_certificates(FieldReader& config, ListenDefaults& listen) {
  constexpr std::string_view kField = "forward_client_cert_details";
  const auto how = config.one_of(kField, {"SANITIZE", "SANITIZE_SET", "APPEND_FORWARD",
                                          "FORWARD_ONLY", "ALWAYS_FORWARD_ONLY"});
  std::vector<std::string> details = read_client_details(config);
  if (how == "SANITIZE_SET" || how == "APPEND_FORWARD") {
    listen.forward_client = std::move(details);
  } else if (config.has("set_current_client_cert_details")) {
    config.warning("set_current_client_cert_details",
                   "has no effect without forward_client_cert_details: SANITIZE_SET");
  }
  if (how == "APPEND_FORWARD") {
    config.warning(kField,
                   "is taken as SANITIZE_SET: X-Forwarded-Client-Cert of a client is never passed "
                   "on");
  } else if (how == "FORWARD_ONLY" || how == "ALWAYS_FORWARD_ONLY") {
    config.warning(kField,
                   "is taken as SANITIZE: X-Forwarded-Client-Cert of a client is never passed on");
  }
}

void read_gateway(FieldReader& config, Gateway& gateway) {
  if (const auto on = config.boolean("enable_grpc_web")) gateway.grpc_web = *on;
  if (const auto on = config.boolean("enable_http10")) gateway.http10 = *on;
  if (const auto keep = config.boolean("preserve_external_request_id")) {
    gateway.keep_request_id = gateway.keep_any_request_id = *keep;
  }
  if (const auto name = config.text("server_name")) gateway.server_name = *name;
  if (const auto merge = config.boolean("merge_slashes")) {
    gateway.merge_slashes = *merge;
    if (!*merge) config.warning("merge_slashes", "false refuses paths with runs of slashes");
  }
  if (config.boolean("reject_requests_with_escaped_slashes") == false) {
    config.warning("reject_requests_with_escaped_slashes",
                   "false has no effect: escaped slashes are always refused");
  }
  ObjectReport own(config.report().object(), config.report().report());
  FieldReader overrides = config.reported_to(own);
  config.accept({"error_response_overrides"});
  std::vector<ErrorOverride> read = read_error_overrides(overrides);
  if (!read.empty() && !own.failed()) gateway.error_overrides = std::move(read);
}

void read_probe(FieldReader& config, std::string_view name, std::string& path) {
  std::optional<FieldReader> probe = config.object(name);
  if (!probe) return;
  const std::optional<std::string> prefix = probe->text("prefix");
  if (prefix && !prefix->starts_with('/')) {
    probe->problem("prefix", quote(*prefix) + " must begin with /");
  } else if (prefix) {
    path = *prefix;
  }
  if (probe->boolean("enabled") == false) path.clear();
  probe->ignore("rewrite", "the gateway answers itself");
  probe->ignore("service", "the gateway answers itself");
  probe->finish();
}

void accept_the_rest(FieldReader& config) {
  config.accept({"diagnostics", "diag_port", "admin_port", "service_port", "statsd", "debug_mode",
                 "prune_unreachable_routes", "envoy_validation_timeout", "regex_type",
                 "regex_max_size", "runtime_flags", "auth_enabled", "suppress_envoy_headers",
                 "strip_matching_host_port", "default_label_domain", "grpc_stats",
                 "gatehouse_string_prefix"});
  config.ignore("lua_scripts", "scripts are not run");
  config.ignore("add_linkerd_headers", "a mesh's headers are not set");
  config.ignore("allow_chunked_length",
                "a message with Content-Length and Transfer-Encoding is refused");
  config.ignore("buffer_limit_bytes", "buffers have their own limits");
  config.ignore("default_labels", "give rate limits in the gateway's configuration");
  config.ignore("enable_grpc_http11_bridge", "gRPC is passed on as gRPC");
  config.ignore("header_case_overrides", "names are sent as they came");
  config.ignore("proper_case", "names are sent as they came");
  config.ignore("headers_with_underscores_action",
                "names that a server could confuse with an identity's are always removed");
  config.ignore("ambassador_id", "it stands beside config");
  config.ignore("x_forwarded_proto_redirect", "give a Host with requestPolicy");
}

/// Defaults are tried on a Mapping that has nothing else, so that a fault is found where it stands
/// and only there.
void check_defaults(const Object& module, Report& report, Context& context) {
  static constexpr std::string_view kMapping = "{prefix: /, service: localhost}";
  const YamlResult mapping = parse_yaml(kMapping);
  MappingDefaults& defaults = context.defaults;
  for (auto [path, node] : {std::pair{"defaults.httpmapping.", &defaults.of_mappings},
                            std::pair{"defaults.tcpmapping.", &defaults.of_tcp_mappings},
                            std::pair{"defaults.", &defaults.of_all}}) {
    if (*node == nullptr) continue;
    ObjectReport object_report(module, report);
    FieldReader fields(**node, module.path + "config." + path, object_report);
    fields.accept({"httpmapping", "tcpmapping", "address", "port", "tls_secret_namespacing"});
    fields.fall_back_to(**mapping);
    Route route;
    read_mapping_fields(fields, context, route);
    fields.finish();
    if (object_report.failed()) *node = nullptr;
  }
}

std::shared_ptr<const YamlNode> system_wide(const YamlNode& config) {
  auto out = std::make_shared<YamlNode>();
  out->kind = YamlNode::Kind::kMapping;
  for (const YamlNode::Entry& entry : config.entries) {
    if (std::ranges::find(kSystemWide, entry.key->text) != kSystemWide.end()) {
      out->entries.push_back(entry);
    }
  }
  return out;
}

void read_defaults(FieldReader& config, const YamlNode& node, Report& report, Context& context) {
  const Object& module = config.report().object();
  MappingDefaults& defaults = context.defaults;
  if (const YamlNode* given = config.find("defaults")) {
    defaults.of_all = given;
    defaults.of_mappings = member(*given, "httpmapping");
    defaults.of_tcp_mappings = member(*given, "tcpmapping");
    check_defaults(module, report, context);
  }
  defaults.timeout = config.milliseconds("cluster_request_timeout_ms").value_or(defaults.timeout);
  // What is wrong in these is found here, and then not handed on.
  ObjectReport own(module, report);
  FieldReader fields = config.reported_to(own);
  Route route;
  read_cors(fields, route.cors);
  read_retry_policy(fields, route.retry);
  read_upstream(fields, context, route.upstream);
  for (const std::string_view name : kSystemWide) config.accept({name});
  if (!own.failed()) defaults.system_wide = system_wide(node);
}

void read_config(const Object& module, Report& report, Context& context, Gateway& gateway,
                 ListenDefaults& listen) {
  ObjectReport object_report(module, report);
  FieldReader fields = fields_of(object_report);
  std::optional<FieldReader> config = fields.object("config");
  if (!config) return;
  context.defaults.string_prefix = config->boolean("gatehouse_string_prefix").value_or(false);
  context.defaults.services_in_gateway_namespace =
      config->boolean("use_ambassador_namespace_for_service_resolution").value_or(false);
  read_defaults(*config, *fields.find("config"), report, context);
  read_gateway(*config, gateway);
  read_address_rules(*config, gateway);
  read_addresses_of_clients(*config, listen);
  read_client_certificates(*config, listen);
  read_limits(*config, gateway.limits);
  read_gzip(*config, gateway.compression);
  read_access_log(*config, gateway.access_log);
  read_probe(*config, "liveness_probe", context.defaults.alive_path);
  read_probe(*config, "readiness_probe", context.defaults.ready_path);
  accept_the_rest(*config);
  config->finish();
  fields.finish();
}

}  // namespace

void read_module(const Objects& objects, Report& report, Context& context, Gateway& gateway,
                 ListenDefaults& listen) {
  const Object* module = find_module(objects, report);
  if (module == nullptr) return;
  const auto nothing_said = std::tuple(context.defaults, gateway, listen);
  bool kept = true;
  const std::optional<Object> good =
      read_or_keep(*module, &LastGood::modules, context.versions, report, [&] {
        const std::size_t known = report.problem_count();
        read_config(*module, report, context, gateway, listen);
        kept = report.problem_count() != known;
        return kept ? std::nullopt : std::optional(*module);
      });
  if (!good || !kept) return;
  std::tie(context.defaults, gateway, listen) = nothing_said;
  Report told_before;
  read_config(*good, told_before, context, gateway, listen);
}

bool secret_names_are_dotted(const Objects& objects) {
  for (const Object* module : objects.of("Module")) {
    const YamlNode* config = member(*module->fields, "config");
    if (module->name != "ambassador" || config == nullptr) continue;
    const YamlNode* defaults = member(*config, "defaults");
    const YamlNode* dotted =
        defaults != nullptr ? member(*defaults, "tls_secret_namespacing") : nullptr;
    if (dotted != nullptr) return dotted->text != "false";
  }
  return true;
}

}  // namespace gatehouse::config::ambassador
