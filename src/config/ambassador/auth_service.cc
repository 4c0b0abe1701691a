#include <optional>
#include <utility>

#include "config/ambassador/header_edits.h"
#include "config/ambassador/last_good.h"
#include "config/ambassador/service_address.h"
#include "config/ambassador/services.h"
#include "config/ambassador/upstream_fields.h"
#include "http/headers.h"

namespace gatehouse::config::ambassador {
namespace {

/// What allow_request_body, which has no number, stands for in Ambassador.
constexpr std::size_t kOldBodyBytes = 4096;
constexpr long long kMaxBodyBytes = 64LL * 1024 * 1024;
constexpr int kDefaultStatusOnError = 403;

void read_body(FieldReader& fields, AuthorizerSettings& out) {
  const bool old = fields.boolean("allow_request_body").value_or(false);
  std::optional<FieldReader> body = fields.object("include_body");
  if (!body) {
    if (!old) return;
    out.body_bytes = kOldBodyBytes;
    out.body_may_be_cut = true;
    return;
  }
  if (old) fields.warning("allow_request_body", "has no effect beside include_body");
  const auto bytes = body->integer("max_bytes", 1, kMaxBodyBytes);
  if (!bytes && !body->has("max_bytes")) body->problem("max_bytes", "is missing");
  out.body_bytes = static_cast<std::size_t>(bytes.value_or(0));
  out.body_may_be_cut = body->boolean("allow_partial").value_or(false);
  body->finish();
}

void read_failure(FieldReader& fields, AuthorizerSettings& out) {
  out.status_on_error = kDefaultStatusOnError;
  if (std::optional<FieldReader> status = fields.object("status_on_error")) {
    if (const auto code = status->integer("code", 400, 599)) {
      out.status_on_error = static_cast<int>(*code);
    }
    status->finish();
  }
  out.failure_mode_allow = fields.boolean("failure_mode_allow").value_or(false);
  if (out.failure_mode_allow) {
    fields.warning("failure_mode_allow",
                   "EVERY REQUEST PASSES UNASKED while the AuthService fails; take this out");
  }
}

void read_protocol(FieldReader& fields, AuthorizerSettings& out) {
  out.kind = fields.one_of("proto", {"http", "grpc"}).value_or("http");
  const auto version = fields.text("protocol_version");
  if (out.kind == "grpc" && version && *version != "v3") {
    fields.warning("protocol_version", "v3 is spoken (envoy.service.auth.v3.Authorization)");
  }
}

void read_headers(FieldReader& fields, AuthorizerSettings& out) {
  const auto names = [&](std::string_view field, std::vector<std::string>& list) {
    for (const std::string& name : fields.texts(field).value_or(std::vector<std::string>{})) {
      if (!http::is_token(name)) fields.problem(field, "holds a name that no header can have");
      list.push_back(http::lower_case(name));
    }
  };
  names("allowed_request_headers", out.allowed_request_headers);
  names("allowed_authorization_headers", out.allowed_authorization_headers);
  // v0 has one list for both ways.
  names("allowed_headers", out.allowed_request_headers);
  names("allowed_headers", out.allowed_authorization_headers);
  // The authorizer is the one who is told who the user is, and says it: nothing is forged here.
  out.add_headers = read_header_edits(fields, "add_auth_headers", {});
  for (FieldEdit& edit : out.add_headers) edit.append = false;
}

void read_fields(FieldReader& fields, const Context& context, AuthorizerSettings& out) {
  Upstream upstream;
  ServiceAddress address;
  read_service(fields, "auth_service", context, upstream, address);
  out.url = upstream.service;
  out.tls = upstream.tls;
  read_protocol(fields, out);
  out.path_prefix = fields.text("path_prefix").value_or("");
  if (!out.path_prefix.empty() && !out.path_prefix.starts_with('/')) {
    fields.problem("path_prefix", "must begin with /");
  }
  out.timeout = fields.milliseconds("timeout_ms").value_or(milliseconds(5'000));
  read_headers(fields, out);
  read_body(fields, out);
  read_failure(fields, out);
  read_circuit_breakers(fields, out.circuit_breakers);
  fields.ignore("add_linkerd_headers", "a mesh's headers are not set");
  fields.accept({"stats_name", "v2ExplicitTLS"});
  fields.finish();
}

std::optional<AuthorizerSettings> read_auth_service(const Object& object, const Context& context,
                                                    Report& report) {
  ObjectReport object_report(object, report);
  FieldReader fields = fields_of(object_report);
  AuthorizerSettings out;
  if (object.kind == "Module") {
    std::optional<FieldReader> config = fields.object("config");
    if (!config) return std::nullopt;
    read_fields(*config, context, out);
  } else {
    if (context.defaults.system_wide) {
      CircuitBreakers breakers;
      FieldReader defaults(*context.defaults.system_wide, "", object_report);
      read_circuit_breakers(defaults, breakers);
      out.circuit_breakers = breakers;
    }
    read_fields(fields, context, out);
  }
  if (object_report.failed()) return std::nullopt;
  return out;
}

}  // namespace

void read_auth_services(const Objects& objects, const Context& context, Report& report,
                        AuthorizerSettings& authorizer) {
  std::vector<const Object*> services = objects.of("AuthService");
  for (const Object* module : objects.of("Module")) {
    if (module->name == "authentication") services.push_back(module);
  }
  bool found = false;
  for (const Object* object : services) {
    if (found) {
      report.warning(object->subject, object->mark, "",
                     "has no effect: one AuthService is asked, and that is the first");
      continue;
    }
    std::optional<AuthorizerSettings> read =
        read_or_keep(*object, &LastGood::auth_services, context.versions, report,
                     [&] { return read_auth_service(*object, context, report); });
    if (!read) continue;
    authorizer = std::move(*read);
    found = true;
  }
  if (found || (services.empty() && !objects.lost_auth_service)) return;
  authorizer = {};
  authorizer.kind = "http";
  authorizer.url = kDenyingAuthorizer;
  const Subject nowhere{.file = "manifests"};
  report.problem(services.empty() ? nowhere : services.front()->subject,
                 services.empty() ? Mark{} : services.front()->mark, "",
                 "no AuthService can be read: until one is mended, every request is denied that is "
                 "not let through by bypass_auth");
}

}  // namespace gatehouse::config::ambassador
