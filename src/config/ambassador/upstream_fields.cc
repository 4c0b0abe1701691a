#include "config/ambassador/upstream_fields.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "config/ambassador/header_edits.h"
#include "config/text.h"
#include "http/headers.h"

namespace gatehouse::config::ambassador {
namespace {

constexpr long long kMaxCount = 1'000'000'000;
constexpr long long kMaxSeconds = kMaxMilliseconds / 1000;

template <class Number>
void read_count(FieldReader& fields, std::string_view name, Number& out) {
  if (const auto number = fields.integer(name, 0, kMaxCount)) out = static_cast<Number>(*number);
}

void read_milliseconds(FieldReader& fields, std::string_view name, milliseconds& out) {
  if (const auto time = fields.milliseconds(name)) out = *time;
}

/// Whole seconds.
void read_seconds(FieldReader& fields, std::string_view name, milliseconds& out) {
  if (const auto time = fields.integer(name, 0, kMaxSeconds)) out = seconds(*time);
}

void read_duration(FieldReader& fields, std::string_view name, milliseconds& out) {
  if (const auto time = fields.duration(name)) out = *time;
}

void read_dns(FieldReader& fields, Upstream& out) {
  if (const auto type = fields.text("dns_type")) {
    const std::string lower = http::lower_case(*type);
    if (lower == "logical_dns") {
      out.dns = "logical";
    } else if (lower != "strict_dns") {
      fields.warning("dns_type",
                     quote(*type) + " is neither strict_dns nor logical_dns; strict_dns is taken");
    }
  }
  if (const auto respect = fields.boolean("respect_dns_ttl")) out.respect_dns_ttl = *respect;
}

void read_keepalive(FieldReader& fields, Upstream& out) {
  std::optional<FieldReader> keepalive = fields.object("keepalive");
  if (!keepalive) return;
  read_seconds(*keepalive, "idle_time", out.keepalive_idle);
  read_seconds(*keepalive, "interval", out.keepalive_interval);
  read_count(*keepalive, "probes", out.keepalive_probes);
  keepalive->finish();
}

void read_cookie(FieldReader& balancer, LoadBalancer& out) {
  std::optional<FieldReader> cookie = balancer.object("cookie");
  if (!cookie) return;
  out.cookie = cookie->text("name").value_or("");
  if (!http::is_token(out.cookie)) cookie->problem("name", "must be the name of a cookie");
  out.cookie_path = cookie->text("path").value_or(out.cookie_path);
  milliseconds ttl{0};
  read_duration(*cookie, "ttl", ttl);
  out.cookie_ttl = std::chrono::ceil<seconds>(ttl);
  cookie->finish();
}

void read_load_balancer(FieldReader& fields, LoadBalancer& out) {
  std::optional<FieldReader> balancer = fields.object("load_balancer");
  if (!balancer) return;
  const auto policy =
      balancer->one_of("policy", {"round_robin", "least_request", "ring_hash", "maglev"});
  if (!policy && !balancer->has("policy")) balancer->problem("policy", "is missing");
  out.policy = policy.value_or(out.policy);
  read_cookie(*balancer, out);
  if (const auto header = balancer->text("header")) {
    out.header = *header;
    if (!http::is_token(*header)) balancer->problem("header", "must be the name of a header");
  }
  out.source_ip = balancer->boolean("source_ip").value_or(false);
  const int hashed = int{!out.cookie.empty()} + int{!out.header.empty()} + int{out.source_ip};
  const bool hashes = out.policy == "ring_hash" || out.policy == "maglev";
  if (policy && hashes && hashed != 1 && !fields.failed()) {
    balancer->problem("policy", *policy + " needs exactly one of cookie, header and source_ip");
  } else if (policy && !hashes && hashed > 0) {
    balancer->problem("policy",
                      *policy +
                          " hashes nothing; for cookie, header or source_ip use ring_hash or "
                          "maglev");
  }
  balancer->finish();
}

void read_detection(FieldReader& detection, OutlierDetection& out) {
  out.consecutive_5xx = 5;
  read_count(detection, "consecutive_5xx", out.consecutive_5xx);
  read_duration(detection, "interval", out.interval);
  read_duration(detection, "base_ejection_time", out.base_ejection);
  if (const auto percent = detection.integer("max_ejection_percent", 0, 100)) {
    out.max_ejection_percent = static_cast<std::size_t>(*percent);
  }
  if (detection.boolean("split_external_local_origin_errors") == true) {
    detection.warning("split_external_local_origin_errors",
                      "has no effect: a failed connection counts as an answer of 5xx does");
  }
  detection.finish();
}

/// A string that holds JSON, or the object itself.
void read_outlier_detection(FieldReader& fields, OutlierDetection& out) {
  const YamlNode* node = fields.find("outlier_detection");
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kScalar) {
    FieldReader detection = fields.at(*node, "outlier_detection");
    return read_detection(detection, out);
  }
  const YamlResult parsed = parse_yaml(node->text);
  if (!parsed || (*parsed)->kind != YamlNode::Kind::kMapping) {
    return fields.problem("outlier_detection", "must be a JSON object");
  }
  Object object = fields.report().object();
  object.subject.whole = object.subject.place(node->mark);
  ObjectReport report(object, fields.report().report());
  FieldReader detection(**parsed, object.path + "outlier_detection.", report);
  read_detection(detection, out);
  if (report.failed()) fields.report().fail();
}

void read_http_check(FieldReader& check, const Context& context, HealthCheck& out) {
  out.path = check.text("path").value_or("");
  if (!out.path.starts_with('/')) check.problem("path", "must begin with /");
  out.host = check.text("hostname").value_or("");
  out.headers = read_header_edits(check, "add_request_headers", context.base.managed_headers);
  out.remove_headers = read_header_names(check, "remove_request_headers");
  for (FieldReader& range : check.objects("expected_statuses")) {
    const auto min = range.integer("min", 100, 599);
    const auto max = range.integer("max", 100, 599);
    if (!min || !max || *min > *max) {
      range.problem("min", "min and max must be status codes, the smaller first");
      continue;
    }
    out.expected.push_back({.min = static_cast<int>(*min), .max = static_cast<int>(*max)});
    range.finish();
  }
  check.finish();
}

void read_health_check(FieldReader& fields, const Context& context, HealthCheck& out) {
  std::optional<FieldReader> check = fields.object("health_check");
  std::optional<FieldReader> http = check ? check->object("http") : std::nullopt;
  std::optional<FieldReader> grpc = check ? check->object("grpc") : std::nullopt;
  if (http.has_value() == grpc.has_value()) {
    return fields.problem("health_check", "must hold either http or grpc");
  }
  if (http) read_http_check(*http, context, out);
  if (grpc) {
    out.kind = "grpc";
    out.grpc_service = grpc->text("upstream_name").value_or("");
    out.host = grpc->text("authority").value_or("");
    grpc->finish();
  }
  read_duration(fields, "interval", out.interval);
  read_duration(fields, "timeout", out.timeout);
  for (auto [name, threshold] : {std::pair{"healthy_threshold", &out.healthy_threshold},
                                 std::pair{"unhealthy_threshold", &out.unhealthy_threshold}}) {
    if (const auto count = fields.integer(name, 1, 1000)) {
      *threshold = static_cast<std::size_t>(*count);
    }
  }
  if (out.interval.count() == 0) fields.problem("interval", "must be longer than 0");
  check->finish();
  fields.finish();
}

}  // namespace

void read_circuit_breakers(FieldReader& fields, CircuitBreakers& out) {
  for (FieldReader& breaker : fields.objects("circuit_breakers")) {
    const auto priority = breaker.one_of("priority", {"default", "high"});
    CircuitBreakers read = out;
    read_count(breaker, "max_connections", read.connections);
    read_count(breaker, "max_pending_requests", read.pending_requests);
    read_count(breaker, "max_requests", read.requests);
    read_count(breaker, "max_retries", read.retries);
    breaker.finish();
    if (priority == "high") {
      breaker.warning("priority", "there is one priority; this breaker has no effect");
    } else {
      out = read;
    }
  }
}

void read_retry_policy(FieldReader& fields, RetryPolicy& out) {
  std::optional<FieldReader> policy = fields.object("retry_policy");
  if (!policy) return;
  const std::vector<std::string> known{
      "5xx",           "gateway-error",  "connect-failure",       "reset",
      "retriable-4xx", "refused-stream", "retriable-status-codes"};
  out.on = policy->texts("retry_on").value_or(std::vector<std::string>{});
  for (const std::string& condition : out.on) {
    if (std::ranges::find(known, condition) == known.end()) {
      policy->problem("retry_on", quote(condition) + " must be one of " + list_of(known));
    }
  }
  if (const auto retries = policy->integer("num_retries", 0, 100)) {
    out.retries = static_cast<std::size_t>(*retries);
  }
  read_duration(*policy, "per_try_timeout", out.per_try_timeout);
  policy->finish();
}

void read_connection(FieldReader& fields, const Context& context, Upstream& out) {
  if (const auto ipv4 = fields.boolean("enable_ipv4")) out.ipv4 = *ipv4;
  if (const auto ipv6 = fields.boolean("enable_ipv6")) out.ipv6 = *ipv6;
  if (!out.ipv4 && !out.ipv6) {
    fields.problem("enable_ipv4", "without IPv4 and IPv6 there is no way to the service");
  }
  read_circuit_breakers(fields, out.circuit_breakers);
  fields.accept({"cluster_tag", "stats_name"});
  const std::optional<std::string> resolver = fields.text("resolver");
  if (resolver && context.consul_resolvers.contains(*resolver)) {
    fields.warning("resolver", "Consul is not asked; the service's name is looked up by DNS");
  }
}

void read_upstream(FieldReader& fields, const Context& context, Upstream& out) {
  read_milliseconds(fields, "connect_timeout_ms", out.connect_timeout);
  read_milliseconds(fields, "cluster_idle_timeout_ms", out.pool_idle_timeout);
  read_milliseconds(fields, "cluster_max_connection_lifetime_ms", out.connection_lifetime);
  read_connection(fields, context, out);
  read_dns(fields, out);
  read_keepalive(fields, out);
  read_load_balancer(fields, out.load_balancer);
  read_outlier_detection(fields, out.outlier_detection);
  for (FieldReader& check : fields.objects("health_checks")) {
    read_health_check(check, context, out.health_checks.emplace_back());
  }
}

}  // namespace gatehouse::config::ambassador
