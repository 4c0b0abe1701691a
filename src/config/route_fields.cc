// The lines of the field table for routes and for the upstreams that they lead to.
#include "config/field_lines.h"

namespace gatehouse::config {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

/// Each number of circuit_breakers.
constexpr Range kBreaker{0, 10'000'000, ""};

std::vector<Field> match_fields(Route& r) {
  return {
      {"host", &r.host, empty_or(kRouteHost),
       "example.org, *.example.org or example.*. Empty: any host."},
      {"host_regex", &r.host_regex, empty_or(kOneLine),
       "A regular expression (RE2) for the whole host, instead of host."},
      {"prefix", &r.prefix, form(kOneLine), "The path, compared as match says."},
      {"match", &r.match, OneOf{{"segment", "string", "exact", "regex"}},
       "How prefix is compared: by whole path segments, as the beginning of the path's text, with "
       "the whole path, or as a regular expression (RE2) for the whole path."},
      {"case_sensitive", &r.case_sensitive, Anything{},
       "false: prefix is compared without regard to case."},
      {"methods", &r.methods, form(kMethod), "Methods that match. Empty: all."},
      {"method_regex", &r.method_regex, empty_or(kOneLine),
       "A regular expression (RE2) for the whole method, instead of methods."},
      {"headers", &r.headers, Named{&kToken}, "Header fields that a request must have."},
      {"query", &r.query, Named{&kOneLine}, "Query parameters that a request must have."},
      {"precedence", &r.precedence, Range{-1'000'000, 1'000'000, ""},
       "A route with a higher one is asked first, whatever its prefix."},
      {"labels", &r.labels, form(kLabel), "For route_selector of hosts."},
  };
}

std::vector<Field> rewrite_fields(Route& r) {
  return {
      {"rewrite", &r.rewrite, empty_or(kPath), "Replaces the prefix. Empty: it stays."},
      {"rewrite_regex", &r.rewrite_regex, empty_or(kOneLine),
       "A regular expression (RE2); what it matches of the path becomes rewrite_substitution."},
      {"rewrite_substitution", &r.rewrite_substitution, empty_or(kOneLine),
       R"(What rewrite_regex puts in place; \1 is its first group.)"},
      {"host_rewrite", &r.host_rewrite, empty_or(kHost),
       "The Host that the upstream is sent. Empty: the client's."},
      {"auto_host_rewrite", &r.auto_host_rewrite, Anything{},
       "true: the upstream is sent its own host name as Host."},
      {"redirect.host", &r.redirect.host, empty_or(kHost),
       "Answers with this host instead of asking an upstream."},
      {"redirect.path", &r.redirect.path, empty_or(kLocalPath),
       "Answers with this path in place of the request's."},
      {"redirect.prefix", &r.redirect.prefix, empty_or(kLocalPath),
       "Answers with this in place of the prefix."},
      {"redirect.regex", &r.redirect.regex, empty_or(kOneLine),
       "A regular expression (RE2); what it matches of the path becomes redirect.substitution."},
      {"redirect.substitution", &r.redirect.substitution, empty_or(kOneLine),
       R"(What redirect.regex puts in place; \1 is its first group.)"},
      {"redirect.https", &r.redirect.https, Anything{}, "true: the redirect leads to https."},
      {"redirect.status", &r.redirect.status, OneOfNumbers{{301, 302, 303, 307, 308}},
       "The redirect's status."},
  };
}

std::vector<Field> edit_fields(Route& r) {
  return {
      {"add_request_headers", &r.add_request_headers, Named{&kToken, true},
       "Header fields that the upstream is sent; values may hold command operators, as "
       "%REQ(x-a)%."},
      {"remove_request_headers", &r.remove_request_headers, form(kToken),
       "Header fields that the upstream is not sent."},
      {"add_response_headers", &r.add_response_headers, Named{&kToken, true},
       "Header fields that the client is sent; values may hold command operators."},
      {"remove_response_headers", &r.remove_response_headers, form(kToken),
       "Header fields of the upstream's answer that the client is not sent."},
      {"cors.origins", &r.cors.origins, form(kCorsOrigin),
       "Origins whose scripts may read answers. Empty: CORS is the upstream's affair."},
      {"cors.methods", &r.cors.methods, form(kToken), "Methods that they may use."},
      {"cors.headers", &r.cors.headers, form(kToken), "Request headers that they may send."},
      {"cors.exposed_headers", &r.cors.exposed_headers, form(kToken),
       "Answer headers that they may read."},
      {"cors.credentials", &r.cors.credentials, Anything{},
       "true: their requests may carry cookies."},
      {"cors.max_age", &r.cors.max_age, or_zero("not said", days(365)),
       "How long a browser may remember the answer to a preflight."},
      {"error_overrides", &r.error_overrides, Anything{},
       "What is sent instead of answers with some statuses; asked before the gateway's own."},
      {"bypass_error_overrides", &r.bypass_error_overrides, Anything{},
       "true: answers stay as they are, whatever error_overrides say."},
  };
}

std::vector<Field> admission_fields(Route& r) {
  return {
      {"authenticate", &r.authenticate, Anything{}, "false: requests pass unasked."},
      {"auth_context", &r.auth_context, Named{&kOneLine},
       "Names and values that an external authorizer is told of this route."},
      {"rate_limits", &r.rate_limits, Anything{},
       "How often requests may come, besides the gateway's own limits."},
  };
}

std::vector<Field> forward_fields(Route& r) {
  return {
      {"weight", &r.weight, Range{-1, 100, "percent"},
       "The share of requests among routes that match the same; a user stays with one. -1: what "
       "others leave, in equal parts."},
      {"shadow", &r.shadow, Anything{},
       "true: the upstream gets a copy of the requests, and its answer is dropped."},
      {"timeout", &r.timeout, or_zero("no limit"),
       "How long the upstream may take to the head of its answer."},
      {"idle_timeout", &r.idle_timeout, or_zero("no limit"),
       "The longest pause within an upstream's answer, and the longest silence, either way, of a "
       "WebSocket or tunnel. With grpc the default is no limit."},
      {"retry.on", &r.retry.on,
       OneOf{{"5xx", "gateway-error", "connect-failure", "reset", "retriable-4xx", "refused-stream",
              "retriable-status-codes"}},
       "What is tried again. Empty: only what is safe to send again whatever it does."},
      {"retry.retries", &r.retry.retries, Range{0, 100, "retries"}, "How often, at most."},
      {"retry.per_try_timeout", &r.retry.per_try_timeout, or_zero("no limit of its own"),
       "How long each try may take."},
      {"retry.status_codes", &r.retry.status_codes, Range{100, 599, ""},
       "The statuses that retriable-status-codes means."},
      {"upgrades", &r.upgrades, OneOf{{"websocket", "spdy/3.1", "connect"}},
       "Protocols that a connection may switch to. connect: a CONNECT is sent on to the upstream, "
       "which may open a tunnel to wherever it reaches."},
      {"grpc", &r.grpc, Anything{},
       "true: the upstream speaks HTTP/2, and only a timeout or idle_timeout that is given here "
       "ends a call."},
  };
}

std::vector<Field> connection_fields(Upstream& u) {
  return {
      {"connect_timeout", &u.connect_timeout, at_least(milliseconds(10), minutes(5)),
       "How long the upstream may take to accept a connection."},
      {"keepalive_idle", &u.keepalive_idle, or_zero("the system's"),
       "The silence after which TCP asks whether the upstream is still there."},
      {"keepalive_interval", &u.keepalive_interval, or_zero("the system's"),
       "The pause between two such probes."},
      {"keepalive_probes", &u.keepalive_probes, Range{0, 127, "probes"},
       "Probes without answer after which the connection counts as dead. 0: the system's."},
      {"dns", &u.dns, OneOf{{"strict", "logical"}},
       "Which of the host's addresses are used: all, or one at a time."},
      {"respect_dns_ttl", &u.respect_dns_ttl, Anything{},
       "true: DNS is asked again when its answer's TTL is over; false: every 5 seconds."},
      {"ipv4", &u.ipv4, Anything{}, "false: IPv4 addresses are not used."},
      {"ipv6", &u.ipv6, Anything{}, "false: IPv6 addresses are not used."},
  };
}

std::vector<Field> balance_fields(Upstream& u) {
  LoadBalancer& balancer = u.load_balancer;
  OutlierDetection& outliers = u.outlier_detection;
  return {
      {"load_balancer.policy", &balancer.policy,
       OneOf{{"round_robin", "least_request", "ring_hash", "maglev"}},
       "How one of several addresses is chosen."},
      {"load_balancer.cookie", &balancer.cookie, empty_or(kToken),
       "The cookie by which ring_hash and maglev choose."},
      {"load_balancer.cookie_path", &balancer.cookie_path, form(kPath),
       "The Path of a cookie that is given out."},
      {"load_balancer.cookie_ttl", &balancer.cookie_ttl, or_zero("none is given out", days(365)),
       "How long a cookie lasts that a client without one is given."},
      {"load_balancer.header", &balancer.header, empty_or(kToken),
       "The header by which ring_hash and maglev choose."},
      {"load_balancer.source_ip", &balancer.source_ip, Anything{},
       "true: ring_hash and maglev choose by the client's address."},
      {"outlier_detection.consecutive_5xx", &outliers.consecutive_5xx, Range{0, 10'000, "failures"},
       "Failures in a row that take an address out, for the event loop that has met them. 0: none "
       "is taken out."},
      {"outlier_detection.interval", &outliers.interval, at_least(milliseconds(10), hours(1)),
       "How often addresses that were out are looked at."},
      {"outlier_detection.base_ejection", &outliers.base_ejection,
       at_least(milliseconds(10), hours(24)),
       "How long an address is out, times how often it was out already."},
      {"outlier_detection.max_ejection_percent", &outliers.max_ejection_percent,
       Range{0, 100, "percent"}, "The most addresses that are out at once."},
      {"health_checks", &u.health_checks, Anything{},
       "Questions by which each address is found well or not."},
  };
}

/// Without `service`, which means something else to bytes that are passed through.
std::vector<Field> upstream_fields(Upstream& u) {
  std::vector<Field> all = upstream_tls_fields(u.tls);
  append(all, connection_fields(u));
  append(all, balance_fields(u));
  append(all, below("circuit_breakers.", circuit_breaker_fields(u.circuit_breakers)));
  return all;
}

}  // namespace

std::vector<Field> upstream_tls_fields(UpstreamTls& t) {
  return {
      {"ca_file", &t.ca_file, empty_or(kOneLine),
       "PEM file of the authorities that an https service may be certified by. Empty: the "
       "system's."},
      {"ca_pem", &t.ca_pem, empty_or(kPem), "The text itself instead of ca_file."},
      {"client_certificate", &t.certificate, empty_or(kOneLine),
       "PEM file of the gateway's own certificate, for a service that asks for one."},
      {"client_key", &t.key, empty_or(kOneLine), "PEM file of its private key."},
      {"client_certificate_pem", &t.certificate_pem, empty_or(kPem),
       "The text itself instead of the file client_certificate."},
      {"client_key_pem", &t.key_pem, empty_or(kPem),
       "The text itself instead of the file client_key."},
      {"tls_server_name", &t.server_name, empty_or(kHost),
       "The name that is asked for (SNI) and verified. Empty: the service's host."},
  };
}

std::vector<Field> circuit_breaker_fields(CircuitBreakers& b) {
  return {
      {"connections", &b.connections, kBreaker,
       "Connections that each event loop may have open at once. Requests that find all in use wait "
       "for one within their time-out; a question to the authorizer is denied. 0: no limit."},
      {"pending_requests", &b.pending_requests, kBreaker,
       "Requests that may wait for a connection in each event loop; a further one is answered 503. "
       "0: no limit."},
      {"requests", &b.requests, kBreaker,
       "Requests that may be under way in each event loop; a further one is answered 503. 0: no "
       "limit."},
      {"retries", &b.retries, kBreaker,
       "Retries that may be under way in each event loop. 0: no limit."},
  };
}

std::vector<Field> fields(Route& route) {
  std::vector<Field> all = {
      {"name", &route.name, empty_or(kOneLine), "For logs and metrics. Empty: the prefix."}};
  append(all, match_fields(route));
  append(all, {{"service", &route.upstream.service, empty_or(kService),
                "The upstream's URL, or a part of this process: identity, gatekeeper, demo, or "
                "health, which answers at /healthz/live and /healthz/ready. Only a route with a "
                "redirect needs none."}});
  append(all, rewrite_fields(route));
  append(all, admission_fields(route));
  append(all, edit_fields(route));
  append(all, forward_fields(route));
  Upstream& upstream = route.upstream;
  append(all, {{"protocol", &upstream.protocol, OneOf{{"auto", "http1", "http2"}},
                "auto: by ALPN with https, else HTTP/1.1. http2 without https: by prior "
                "knowledge."},
               {"pool_idle_timeout", &upstream.pool_idle_timeout, or_zero("no limit"),
                "How long an idle connection is kept."},
               {"connection_lifetime", &upstream.connection_lifetime, or_zero("no limit"),
                "How old a connection may become; it is closed between two requests."}});
  append(all, upstream_fields(upstream));
  return applied_by_reload(std::move(all));
}

std::vector<Field> fields(TcpRoute& route) {
  std::vector<Field> all = applied_by_reload({
      {"name", &route.name, empty_or(kOneLine), "For logs and metrics. Empty: the address."},
      {"host", &route.host, empty_or(kHostPattern),
       "example.org or *.example.org, compared with the name that the client asks for (SNI). "
       "Empty: any, and connections without TLS."},
      {"service", &route.upstream.service, form(kHostUrl),
       "http://HOST:PORT, or https://HOST:PORT to put TLS around the bytes.", Presence::kRequired},
      {"weight", &route.weight, Range{-1, 100, "percent"},
       "The share of connections among entries with the same address and host. -1: what others "
       "leave, in equal parts."},
      {"idle_timeout", &route.idle_timeout, or_zero("no limit"),
       "The longest silence, either way."},
      {"listen", &route.listen, form(kAddress), "Host and port to listen at.", Presence::kRequired},
  });
  append(all, applied_by_reload(below("tls.", tls_fields(route.tls))));
  append(all, applied_by_reload(upstream_fields(route.upstream)));
  return all;
}

std::vector<Field> fields(FieldMatch& match) {
  return applied_by_reload({
      {"name", &match.name, form(kOneLine), "Its name.", Presence::kRequired},
      {"value", &match.value, empty_or(kOneLine),
       "Its value. Empty, as regex is: any value will do."},
      {"regex", &match.regex, empty_or(kOneLine),
       "A regular expression (RE2) for its whole value, instead of value."},
  });
}

std::vector<Field> fields(FieldEdit& edit) {
  return applied_by_reload({
      {"name", &edit.name, form(kOneLine), "Its name.", Presence::kRequired},
      {"value", &edit.value, empty_or(kOneLine), "Its value."},
      {"append", &edit.append, Anything{},
       "true: it is added to fields of that name; false: it takes their place."},
  });
}

std::vector<Field> fields(HealthCheck& check) {
  return applied_by_reload({
      {"kind", &check.kind, OneOf{{"http", "grpc"}},
       "GET over HTTP, or grpc.health.v1.Health/Check."},
      {"path", &check.path, form(kLocalPath), "What is asked for over HTTP."},
      {"host", &check.host, empty_or(kHost),
       "The Host, or gRPC's authority. Empty: the service's."},
      {"headers", &check.headers, Named{&kToken, true}, "Header fields that are sent."},
      {"remove_headers", &check.remove_headers, form(kToken), "Header fields that are not sent."},
      {"expected", &check.expected, Anything{},
       "Ranges of statuses that count as well. Empty: 200."},
      {"grpc_service", &check.grpc_service, empty_or(kOneLine),
       "The service that gRPC is asked about. Empty: the server as a whole."},
      {"interval", &check.interval, at_least(milliseconds(10), hours(1)),
       "How often each address is asked."},
      {"timeout", &check.timeout, at_least(milliseconds(10), minutes(5)),
       "How long it may take to answer."},
      {"healthy_threshold", &check.healthy_threshold, Range{1, 1'000, "answers"},
       "Good answers in a row after which an address is used again."},
      {"unhealthy_threshold", &check.unhealthy_threshold, Range{1, 1'000, "answers"},
       "Bad ones in a row after which it is no longer used."},
  });
}

std::vector<Field> fields(StatusRange& range) {
  return applied_by_reload({
      {"min", &range.min, Range{100, 599, ""}, "The lowest status."},
      {"max", &range.max, Range{100, 599, ""}, "The highest status."},
  });
}

}  // namespace gatehouse::config
