#include <algorithm>
#include <optional>
#include <utility>

#include "config/ambassador/last_good.h"
#include "config/ambassador/service_address.h"
#include "config/ambassador/services.h"
#include "config/text.h"
#include "http/headers.h"
#include "http/url.h"

namespace gatehouse::config::ambassador {
namespace {

constexpr std::uint16_t kOtlpGrpcPort = 4317;
constexpr std::uint16_t kOtlpHttpPort = 4318;

void read_endpoint(FieldReader& fields, const Context& context, Tracing& out) {
  Upstream upstream;
  ServiceAddress address;
  if (!read_service(fields, "service", context, upstream, address)) return;
  Result<http::Url> url = http::parse_url(upstream.service);
  if (!url) return;
  if (url->port == kOtlpGrpcPort) {
    url->port = kOtlpHttpPort;
    fields.warning("service", "spans go by OTLP over HTTP: port 4318 is taken instead of 4317");
  }
  out.endpoint = url->origin();
}

void read_sampling(FieldReader& fields, Tracing& out) {
  std::optional<FieldReader> sampling = fields.object("sampling");
  if (!sampling) return;
  const long long overall = sampling->integer("overall", 0, 100).value_or(100);
  const long long random = sampling->integer("random", 0, 100).value_or(100);
  out.sampling_percent = static_cast<double>(std::min(overall, random));
  sampling->ignore("client", "a client's own sampling decision (traceparent) is kept");
  sampling->finish();
}

std::optional<std::string> read_tag_value(FieldReader& tag) {
  std::optional<FieldReader> literal = tag.object("literal");
  std::optional<FieldReader> header = tag.object("request_header");
  std::optional<FieldReader> variable = tag.object("environment");
  if (literal) return literal->text("value");
  if (header) {
    const std::string name = header->text("name").value_or("");
    if (!http::is_token(name)) {
      header->problem("name", "must be the name of a header");
      return std::nullopt;
    }
    header->ignore("default_value", "a tag without its header is left out");
    return "%REQ(" + name + ")%";
  }
  if (variable) {
    variable->warning("name", "the environment is not read: default_value is taken");
    return variable->text("default_value");
  }
  tag.problem("literal", "one of literal, request_header and environment is needed");
  return std::nullopt;
}

void read_tags(FieldReader& fields, Tracing& out) {
  for (FieldReader& tag : fields.objects("custom_tags")) {
    const std::optional<std::string> name = tag.text("tag");
    const std::optional<std::string> value = read_tag_value(tag);
    if (!name) tag.problem("tag", "is missing");
    if (name && value) out.tags.push_back({.name = *name, .value = *value});
    tag.finish();
  }
  for (const std::string& header :
       fields.texts("tag_headers").value_or(std::vector<std::string>{})) {
    if (http::is_token(header)) {
      out.tags.push_back({.name = header, .value = "%REQ(" + header + ")%"});
    } else {
      fields.problem("tag_headers", quote(header) + " must be the name of a header");
    }
  }
}

std::optional<Tracing> read_tracing_service(const Object& object, const Context& context,
                                            Report& report) {
  ObjectReport object_report(object, report);
  FieldReader fields = fields_of(object_report);
  const auto driver = fields.one_of("driver", {"opentelemetry", "zipkin", "datadog", "lightstep"});
  if (!driver) {
    if (!fields.has("driver")) fields.problem("driver", "is missing");
    return std::nullopt;
  }
  if (*driver != "opentelemetry") {
    fields.warning("driver", quote(*driver) +
                                 " has no effect: spans go by OTLP; give opentelemetry, which "
                                 "collectors of Zipkin, Jaeger and Datadog take too");
    return std::nullopt;
  }
  Tracing out;
  read_endpoint(fields, context, out);
  read_sampling(fields, out);
  read_tags(fields, out);
  if (std::optional<FieldReader> config = fields.object("config")) {
    out.service_name = config->text("service_name").value_or(out.service_name);
  }
  fields.accept({"stats_name", "tls"});
  fields.finish();
  if (object_report.failed()) return std::nullopt;
  return out;
}

}  // namespace

void read_tracing_services(const Objects& objects, const Context& context, Report& report,
                           Tracing& tracing) {
  bool found = false;
  for (const Object* object : objects.of("TracingService")) {
    if (found) {
      report.warning(object->subject, object->mark, "", "has no effect beside the first one");
      continue;
    }
    std::optional<Tracing> read =
        read_or_keep(*object, &LastGood::tracing_services, context.versions, report,
                     [&] { return read_tracing_service(*object, context, report); });
    if (!read) continue;
    tracing = std::move(*read);
    found = true;
  }
}

}  // namespace gatehouse::config::ambassador
