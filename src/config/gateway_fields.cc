// The lines of the field table for the gateway as a whole: where it listens, whom it asks, what it
// bounds and what it tells.
#include "config/field_lines.h"

namespace gatehouse::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

std::vector<Field> head_limit_fields(Limits& l) {
  return {
      {"head_bytes", &l.head_bytes, Bytes{1024, 1024 * 1024},
       "The longest head of a request; a longer one is answered 431."},
      {"target_bytes", &l.target_bytes, Bytes{256, 1024 * 1024},
       "The longest request target; a longer one is answered 414."},
      {"header_fields", &l.header_fields, Range{8, 10'000, "fields"},
       "The most header fields in a request."},
      {"body_bytes", &l.body_bytes, Bytes{0, std::size_t{1} << 40},
       "The longest body of a request; a longer one is answered 413. 0: no limit."},
      {"head_timeout", &l.head_timeout, at_least(milliseconds(100), hours(1)),
       "From a request's first byte to the end of its head."},
      {"keep_alive_timeout", &l.keep_alive_timeout, at_least(milliseconds(100), hours(24)),
       "How long an idle connection is kept."},
      {"body_idle_timeout", &l.body_idle_timeout, at_least(milliseconds(100), hours(24)),
       "The longest pause within a request's body."},
      {"body_bytes_per_second", &l.body_bytes_per_second, Bytes{0, std::size_t{1} << 30},
       "A body that comes more slowly, over each body_idle_timeout, is cut. 0: no limit."},
      {"write_idle_timeout", &l.write_idle_timeout, at_least(milliseconds(100), hours(24)),
       "How long a client may take nothing of an answer that waits for it."},
      {"tunnel_idle_timeout", &l.tunnel_idle_timeout, or_zero("no limit"),
       "The longest silence in a WebSocket or tunnel, besides its route's idle_timeout."},
  };
}

std::vector<Field> connection_limit_fields(Limits& l) {
  return {
      {"connections", &l.connections, Range{1, 10'000'000, "connections"},
       "Connections that each event loop may have open at a listener; a further one waits for an "
       "end."},
      {"connections_per_address", &l.connections_per_address, Range{0, 10'000'000, "connections"},
       "Connections that one address may have open at once; trusted proxies may have any number. "
       "0: no limit."},
      {"requests_per_connection", &l.requests_per_connection, Range{0, 1'000'000'000, "requests"},
       "After so many requests a connection is closed. 0: no limit."},
      {"streams", &l.streams, Range{1, 100'000, "streams"},
       "Streams that an HTTP/2 connection may have open at once."},
      {"resets_per_second", &l.resets_per_second, Range{1, 1'000'000, "resets"},
       "Streams that an HTTP/2 client may reset in a second; after more its connection is closed."},
      {"continuation_frames", &l.continuation_frames, Range{1, 10'000, "frames"},
       "The most CONTINUATION frames of one header block."},
      {"control_frames_per_second", &l.control_frames_per_second, Range{1, 1'000'000, "frames"},
       "PING, SETTINGS and empty DATA frames that an HTTP/2 connection may send in a second."},
  };
}

std::vector<Field> authorizer_question_fields(AuthorizerSettings& a) {
  return {
      {"kind", &a.kind, OneOf{{"gatekeeper", "http", "grpc", "none"}},
       "Who judges requests: the gatekeeper of this process, an external service by ext_authz over "
       "HTTP or gRPC, or nobody: then every request passes."},
      {"url", &a.url, empty_or(kIssuer),
       "The base URL of an external service, as http://oidc-gatekeeper:8080."},
      {"path_prefix", &a.path_prefix, empty_or(kPathBelow),
       "Put before the original path when an external service is asked over HTTP."},
      {"timeout", &a.timeout, at_least(milliseconds(10), minutes(5)),
       "How long the external service may take; after it the request is denied."},
      {"allowed_request_headers", &a.allowed_request_headers, form(kToken),
       "Request headers that the external service is sent besides those it always gets."},
      {"allowed_authorization_headers", &a.allowed_authorization_headers, form(kToken),
       "Headers of the external service's answer that go to the upstream."},
      {"add_headers", &a.add_headers, Named{&kToken},
       "Headers that the external service is sent with each question."},
      {"body_bytes", &a.body_bytes, Bytes{0, 16 * 1024 * 1024},
       "How much of a request's body the external service is told. 0: none."},
      {"body_may_be_cut", &a.body_may_be_cut, Anything{},
       "true: of a longer body its beginning is told; false: the request is answered 413."},
      {"status_on_error", &a.status_on_error, Range{400, 599, ""},
       "The answer when the external service fails."},
      {"failure_mode_allow", &a.failure_mode_allow, Anything{},
       "true: requests pass unasked when the external service fails; each start warns of it."},
  };
}

std::vector<Field> authorizer_fields(AuthorizerSettings& a) {
  std::vector<Field> all = authorizer_question_fields(a);
  append(all, upstream_tls_fields(a.tls));
  append(all, below("circuit_breakers.", circuit_breaker_fields(a.circuit_breakers)));
  return all;
}

std::vector<Field> compression_fields(Compression& c) {
  return {
      {"algorithms", &c.algorithms, OneOf{{"gzip", "br", "zstd"}},
       "What answers are compressed with, the preferred one first. Empty: nothing is compressed."},
      {"min_bytes", &c.min_bytes, Bytes{0, std::size_t{1} << 30},
       "Answers known to be shorter stay as they are."},
      {"level", &c.level, Range{0, 11, ""}, "More is smaller and slower. 0: each one's default."},
      {"content_types", &c.content_types, form(kMediaType),
       "Media types that are compressed. Empty: text, JSON, JavaScript, XML, SVG and fonts."},
  };
}

std::vector<Field> observation_fields(Gateway& g) {
  return {
      {"access_log.form", &g.access_log.form, OneOf{{"text", "json", "off"}},
       "The form of the line that is written for each request."},
      {"access_log.format", &g.access_log.format, empty_or(kOneLine),
       "What a line of the form text holds, in Envoy's command operators. Empty: our own."},
      {"access_log.path", &g.access_log.path, empty_or(kOneLine),
       "The file that the lines are added to. Empty: they go to stderr with the log."},
      {"tracing.endpoint", &g.tracing.endpoint, empty_or(kIssuer),
       "Where spans are sent by OTLP over HTTP, as http://collector:4318. Empty: off."},
      {"tracing.service_name", &g.tracing.service_name, form(kOneLine),
       "The service that spans name."},
      {"tracing.sampling_percent", &g.tracing.sampling_percent, Range{0, 100, "percent"},
       "The share of requests without a trace of their own that are traced."},
      {"tracing.tags", &g.tracing.tags, Named{&kOneLine},
       "Attributes that each span gets; values may name the request's fields, as %REQ(:path)%."},
  };
}

std::vector<Field> traffic_fields(Gateway& g) {
  return {
      {"managed_headers", &g.managed_headers, form(kToken),
       "Headers that only the authorizer may set: a client's own are removed."},
      {"private_cookies", &g.private_cookies, form(kToken),
       "Cookies that no upstream sees; * stands for any end of the name."},
      {"trusted_proxies", &g.trusted_proxies, form(kNetwork),
       "Proxies in front whose X-Forwarded-* headers are believed."},
      {"ip_allow", &g.ip_allow, form(kNetwork),
       "Addresses whose requests are served. Empty: all are."},
      {"ip_deny", &g.ip_deny, form(kNetwork),
       "Addresses whose requests are answered 403, even if ip_allow has them."},
      {"rate_limits", &g.rate_limits, Anything{},
       "How often requests may come; one that is over a limit is answered 429."},
      {"error_overrides", &g.error_overrides, Anything{},
       "What is sent instead of answers with some statuses."},
      {"grpc_web", &g.grpc_web, Anything{}, "true: gRPC-Web is translated to gRPC."},
      {"http10", &g.http10, Anything{}, "false: HTTP/1.0 is answered 426."},
      {"merge_slashes", &g.merge_slashes, Anything{},
       "true: a run of slashes in a path counts as one; false: it is answered 400."},
      {"server_name", &g.server_name, empty_or(kOneLine),
       "The Server header of answers. Empty: the upstream's."},
      {"keep_request_id", &g.keep_request_id, Anything{},
       "true: a trusted proxy's X-Request-Id is passed on; false: each request gets a new one."},
      {"keep_any_request_id", &g.keep_any_request_id, Anything{},
       "Keeps the X-Request-Id of every client, not only that of trusted proxies."},
      {"recheck_interval", &g.recheck_interval, at_least(milliseconds(50), hours(1)),
       "How often exchanges that stay open, such as WebSockets, are judged anew."},
  };
}

std::vector<Field> route_list_fields(Gateway& g) {
  return {
      {"hosts", &g.hosts, Anything{},
       "What holds for requests to some host names, whatever the route."},
      {"unknown_hosts", &g.unknown_hosts, OneOf{{"route", "reject"}},
       "What becomes of requests to host names that no entry of hosts is for; reject answers 404. "
       "Ambassador's Hosts, where a manifest has some, reject."},
      {"routes", &g.routes, Anything{},
       "Which upstream serves which host and path. The higher precedence wins, then the longest "
       "prefix, an exact host before a pattern, a pattern before any host."},
      {"tcp", &g.tcp, Anything{}, "Ports whose bytes are passed through."},
      {"manifests", &g.manifests, empty_or(kOneLine),
       "A folder of Ambassador's manifests, watched, whose routes are added. Empty: none."},
      {"ambassador_id", &g.ambassador_id, form(kOneLine),
       "Of the manifests' objects, those count that name this in ambassador_id; those that name "
       "none are for default. AMBASSADOR_ID sets it too."},
      {"ambassador_namespace", &g.ambassador_namespace, form(kNamespace),
       "The namespace that the gateway runs in. A service without a dot is looked up in the "
       "namespace of the manifest that names it, and as it stands where that is this one, or none "
       "is given. AMBASSADOR_NAMESPACE sets it too."},
  };
}

}  // namespace

std::vector<Field> tls_fields(Tls& t) {
  return {
      {"certificate", &t.certificate, empty_or(kOneLine),
       "PEM file of the certificate and its chain, leaf first. Empty: no TLS. A reload reads the "
       "file again."},
      {"key", &t.key, empty_or(kOneLine),
       "PEM file of the certificate's private key. A reload reads the file again."},
      {"certificate_pem", &t.certificate_pem, empty_or(kPem),
       "The text itself instead of the file certificate."},
      {"key_pem", &t.key_pem, empty_or(kPem), "The text itself instead of the file key."},
      {"client_ca", &t.client_ca, empty_or(kOneLine),
       "PEM file of the authorities that clients may be certified by. Empty: no client is asked "
       "for a certificate."},
      {"client_ca_pem", &t.client_ca_pem, empty_or(kPem),
       "The text itself instead of the file client_ca."},
      {"client_required", &t.client_required, Anything{},
       "true: a client without certificate is refused."},
      {"crl", &t.crl, empty_or(kOneLine), "PEM file of revoked client certificates."},
      {"crl_pem", &t.crl_pem, empty_or(kPem), "The text itself instead of the file crl."},
      {"forward_client", &t.forward_client,
       OneOf{{"hash", "subject", "uri", "dns", "cert", "chain"}},
       "What X-Forwarded-Client-Cert tells upstreams of the client's certificate."},
      {"min_version", &t.min_version, OneOf{{"1.2", "1.3"}}, "The oldest version of TLS."},
      {"max_version", &t.max_version, OneOf{{"1.2", "1.3"}}, "The newest version of TLS."},
      {"ciphers", &t.ciphers, form(kToken),
       "Cipher suites of TLS 1.2 by OpenSSL's names. Empty: OpenSSL's default."},
      {"curves", &t.curves, form(kToken),
       "Groups for key exchange by OpenSSL's names. Empty: OpenSSL's default."},
      {"alpn", &t.alpn, OneOf{{"h2", "http/1.1"}},
       "Protocols that are offered, the preferred one first. Empty: h2, http/1.1."},
  };
}

std::vector<Field> fields(Listen& listen) {
  std::vector<Field> all = {
      {"address", &listen.address, form(kAddress), "Host and port; port 0 takes a free one.",
       Presence::kRequired},
      {"cleartext_too", &listen.cleartext_too, Anything{},
       "true: beside TLS, connections in cleartext are served, by the rules for insecure "
       "requests."},
      {"proxy_protocol", &listen.proxy_protocol, Anything{},
       "true: each connection begins with a PROXY protocol header, v1 or v2; one without is "
       "closed."},
  };
  append(all, applied_by_reload(
                  {{"trusted_hops", &listen.trusted_hops, Range{0, 16, "proxies"},
                    "Proxies in front whose X-Forwarded-For and X-Forwarded-Proto are believed, "
                    "counted from the right, besides trusted_proxies."},
                   {"secure_by", &listen.secure_by, OneOf{{"forwarded", "always", "never"}},
                    "Which requests count as https: those that a trusted proxy or the connection "
                    "says so of, all or none."}}));
  append(all, below("tls.", applied_by_reload(tls_fields(listen.tls))));
  return all;
}

std::vector<Field> fields(Host& host) {
  std::vector<Field> all = applied_by_reload({
      {"hostname", &host.hostname, form(kAnyHostPattern),
       "example.org, *.example.org, or * for every host."},
      {"insecure", &host.insecure, OneOf{{"redirect", "route", "reject"}},
       "What happens to requests that are not https: 301 to https, served all the same, or 404."},
      {"route_selector", &host.route_selector, empty_or(kLabel),
       "Only routes with this label serve the host. Empty: all do."},
      {"insecure_port", &host.insecure_port, Range{0, 65'535, ""},
       "A further port without TLS, where the same happens. 0: none."},
  });
  append(all, below("tls.", applied_by_reload(tls_fields(host.tls))));
  return all;
}

std::vector<Field> fields(RateLimit& limit) {
  return applied_by_reload({
      {"key", &limit.key, form(kRateKey), "What has a limit of its own."},
      {"requests", &limit.requests, Range{1, 1'000'000'000, "requests"},
       "How many requests may come in each period.", Presence::kRequired},
      {"period", &limit.period, at_least(milliseconds(1), hours(24)), "The time they are for."},
      {"burst", &limit.burst, Range{0, 1'000'000'000, "requests"},
       "How many may come at once. 0: as many as requests."},
  });
}

std::vector<Field> fields(ErrorOverride& error) {
  return applied_by_reload({
      {"status", &error.status, Range{400, 599, ""}, "The status whose answers are replaced.",
       Presence::kRequired},
      {"content_type", &error.content_type, empty_or(kOneLine),
       "The answer's Content-Type. Empty: text/plain, or application/json for json."},
      {"text", &error.text, empty_or(kText),
       "The answer's body; it may hold command operators, as %RESPONSE_CODE%."},
      {"json", &error.json, Named{&kOneLine}, "Members of the JSON object that is the body."},
      {"file", &error.file, empty_or(kOneLine), "A file whose content is the body."},
  });
}

std::vector<Field> gateway_fields(Gateway& g) {
  std::vector<Field> all = applied_by_reload(
      {{"listen", &g.listen, NotEmpty{},
        "Where clients connect. What is open on an address that a reload takes out has "
        "drain_timeout to end."}});
  append(all, applied_by_reload(route_list_fields(g)));
  append(all, applied_by_reload(below("authorizer.", authorizer_fields(g.authorizer))));
  append(all, applied_by_reload(below("limits.", head_limit_fields(g.limits))));
  append(all, applied_by_reload(below("limits.", connection_limit_fields(g.limits))));
  append(all, applied_by_reload(traffic_fields(g)));
  append(all, applied_by_reload(below("compression.", compression_fields(g.compression))));
  append(all, applied_by_reload(observation_fields(g)));
  return all;
}

}  // namespace gatehouse::config
