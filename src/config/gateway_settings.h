// What the gateway is told to do: the one model of routes, upstreams, listeners, hosts and limits.
//
// Filled from two sources that mean the same: the configuration file, by the field table
// (config/fields.cc), and Ambassador's manifests (config/ambassador/). Plain values without
// behaviour; the gateway compiles them. Structs compare, so that a reload can tell what changed.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "base/secret.h"

namespace gatehouse::config {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A certificate and its key, each as a file or as PEM text; and what a client must show. All
/// empty: plain.
struct Tls {
  std::string certificate;      // PEM file, leaf first
  std::string key;              // PEM file
  std::string certificate_pem;  // the text itself, instead of the file
  Secret key_pem;
  std::string client_ca;      // PEM file: who may have certified the client; "": none is asked for
  std::string client_ca_pem;  // the text itself
  bool client_required = false;  // false: a client without certificate is let in too
  std::string crl;               // PEM file of revoked client certificates
  std::string crl_pem;
  std::vector<std::string> forward_client;  // into X-Forwarded-Client-Cert: hash, subject, uri,
                                            // dns, cert, chain
  std::string min_version = "1.2";          // 1.2, 1.3
  std::string max_version = "1.3";
  std::vector<std::string> ciphers;  // of TLS 1.2, OpenSSL's names; empty: the default
  std::vector<std::string> curves;   // empty: the default
  std::vector<std::string> alpn;     // empty: h2, http/1.1
  bool operator==(const Tls&) const = default;
};

/// One address that the gateway listens on.
struct Listen {
  std::string address = "127.0.0.1:8080";
  Tls tls;
  /// With a certificate: a connection that does not begin with a TLS handshake is served in
  /// cleartext, by the rules for insecure requests. Ambassador's protocol HTTPS.
  bool cleartext_too = false;
  /// Connections begin with a PROXY protocol header, v1 or v2; one without is closed.
  bool proxy_protocol = false;
  /// Proxies in front whose X-Forwarded-For and -Proto are believed, counted from the right,
  /// besides those of trusted_proxies. Ambassador's l7Depth.
  std::size_t trusted_hops = 0;
  /// Which requests count as secure: forwarded (by X-Forwarded-Proto of a trusted proxy, else by
  /// the connection), always, never. Ambassador's securityModel XFP, SECURE, INSECURE.
  std::string secure_by = "forwarded";
  bool operator==(const Listen&) const = default;
};

/// What holds for requests to some host names, whatever the route.
struct Host {
  /// "example.org", "*.example.org", "*"; without a certificate also "*example.org", "example.*".
  std::string hostname = "*";
  Tls tls;                            // chosen by SNI; empty: the listener's
  std::string insecure = "redirect";  // redirect (301 to https), route, reject (404)
  std::size_t insecure_port = 0;      // a further plain port that does the same; 0: none
  std::string route_selector;         // only routes with that label match; "": all
  bool operator==(const Host&) const = default;
};

/// A field that a request must have: with that value, with a value that the regular expression
/// matches whole, or, if both are empty, at all. Several fields of one name count as one, joined by
/// commas.
struct FieldMatch {
  std::string name;
  std::string value;
  std::string regex;
  bool operator==(const FieldMatch&) const = default;
};

/// A field that is put into a message. The value may hold %REQ(name)%, %RESP(name)%,
/// %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%, %PROTOCOL% and their like (gateway/filters).
struct FieldEdit {
  std::string name;
  std::string value;
  bool append = false;  // beside fields of that name that are there; false: in their place
  bool operator==(const FieldEdit&) const = default;
};

/// Answers the client with another address instead of asking an upstream. Off if host, path, prefix
/// and regex are all empty.
struct Redirect {
  std::string host;          // takes the place of the host and port
  std::string path;          // takes the place of the whole path
  std::string prefix;        // takes the place of the matched prefix
  std::string regex;         // of the path; what matches becomes
  std::string substitution;  // this; \1 is the first group
  bool https = false;        // the scheme becomes https
  int status = 301;          // 301, 302, 303, 307, 308
  bool operator==(const Redirect&) const = default;
};

/// Off if there are no origins.
struct Cors {
  std::vector<std::string> origins;  // "https://a.example.org", "https://*.example.org", "*"
  std::vector<std::string> methods;
  std::vector<std::string> headers;
  std::vector<std::string> exposed_headers;
  bool credentials = false;
  seconds max_age{0};  // 0: not said
  bool operator==(const Cors&) const = default;
};

/// What is sent instead of an answer with that status. At most one of text, json, file; with none,
/// which only manifests may say, the body is empty.
struct ErrorOverride {
  int status = 0;
  std::string content_type;
  std::string text;
  std::vector<FieldEdit> json;  // members of one object
  std::string file;
  bool operator==(const ErrorOverride&) const = default;
};

/// A token bucket for each user, bearer token, client address or value of a header. What is over it
/// is answered 429 with Retry-After.
struct RateLimit {
  std::string key = "address";  // user, token, address, all, or header:<name>
  std::size_t requests = 0;     // in each period
  milliseconds period{1'000};
  std::size_t burst = 0;  // at once; 0: as requests
  bool operator==(const RateLimit&) const = default;
};

struct RetryPolicy {
  /// 5xx, gateway-error, connect-failure, reset, retriable-4xx, refused-stream,
  /// retriable-status-codes; empty: only what is safe without being asked (http_client.h).
  std::vector<std::string> on;
  std::size_t retries = 1;
  milliseconds per_try_timeout{0};  // 0: none
  std::vector<int> status_codes;    // of retriable-status-codes
  bool operator==(const RetryPolicy&) const = default;
};

struct LoadBalancer {
  std::string policy = "round_robin";  // round_robin, least_request, ring_hash, maglev
  /// What ring_hash and maglev hash: the first of these that is given and present.
  std::string cookie;  // a client without it is given one, if cookie_ttl is not 0
  std::string cookie_path = "/";
  seconds cookie_ttl{0};
  std::string header;
  bool source_ip = false;
  bool operator==(const LoadBalancer&) const = default;
};

/// Over a limit, a request is answered 503 at once. 0: no limit.
struct CircuitBreakers {
  std::size_t connections = 1024;
  std::size_t pending_requests = 1024;  // that wait for a connection
  std::size_t requests = 1024;          // under way
  std::size_t retries = 3;              // under way
  bool operator==(const CircuitBreakers&) const = default;
};

/// Takes an address out that fails for real requests. Off if consecutive_5xx is 0.
struct OutlierDetection {
  std::size_t consecutive_5xx = 0;
  milliseconds interval{10'000};
  milliseconds base_ejection{30'000};  // times how often it was out already
  std::size_t max_ejection_percent = 10;
  bool operator==(const OutlierDetection&) const = default;
};

/// An inclusive range of status codes.
struct StatusRange {
  int min = 200;
  int max = 200;
  bool operator==(const StatusRange&) const = default;
};

/// Asks each address by itself whether it is well.
struct HealthCheck {
  std::string kind = "http";  // http, grpc (grpc.health.v1.Health/Check)
  std::string path = "/";
  std::string host;  // Host, or gRPC's authority; "": the service's
  std::vector<FieldEdit> headers;
  std::vector<std::string> remove_headers;
  std::vector<StatusRange> expected;  // empty: 200
  std::string grpc_service;
  milliseconds interval{5'000};
  milliseconds timeout{3'000};
  std::size_t healthy_threshold = 1;
  std::size_t unhealthy_threshold = 2;
  bool operator==(const HealthCheck&) const = default;
};

/// How an https upstream is reached. Chain and host name are always verified.
struct UpstreamTls {
  std::string ca_file;  // PEM; "": the system's
  std::string ca_pem;
  std::string certificate, key;  // PEM files of our own certificate, if it asks for one
  std::string certificate_pem;
  Secret key_pem;
  std::string server_name;  // SNI and the name that is verified; "": the service's host
  bool operator==(const UpstreamTls&) const = default;
};

/// A service with all that says how to reach it. Routes whose Upstreams are equal share one
/// cluster: its addresses, connections, health and breakers.
struct Upstream {
  /// http://host:port, https://…, or "identity", "gatekeeper", "demo" (parts of this process).
  std::string service;
  UpstreamTls tls;
  /// auto (https: by ALPN; http: 1.1), http1, http2 (cleartext: by prior knowledge)
  std::string protocol = "auto";
  milliseconds connect_timeout{3'000};
  milliseconds pool_idle_timeout{30'000};  // an idle connection is kept for so long
  milliseconds connection_lifetime{0};     // 0: no limit
  milliseconds keepalive_idle{0};          // TCP keep-alive; 0: the system's
  milliseconds keepalive_interval{0};
  std::size_t keepalive_probes = 0;
  std::string dns = "strict";   // strict (all addresses), logical (one at a time)
  bool respect_dns_ttl = true;  // false: asked again every 5 s
  bool ipv4 = true;
  bool ipv6 = true;
  LoadBalancer load_balancer;
  CircuitBreakers circuit_breakers;
  OutlierDetection outlier_detection;
  std::vector<HealthCheck> health_checks;
  bool operator==(const Upstream&) const = default;
};

/// Of a route that says nothing of it. A call of gRPC may be silent for hours.
inline constexpr milliseconds kIdleTimeout{300'000};
inline constexpr milliseconds kGrpcIdleTimeout{0};

struct Route {
  std::string name;    // for logs and metrics; default: the prefix
  std::string origin;  // where it was written, for people: "Mapping a in b.yaml:12"

  // What matches.
  std::string host;        // "" any; "example.org", "*.example.org", "*example.org", "example.*"
  std::string host_regex;  // instead of host
  std::string prefix = "/";
  /// How prefix is compared: segment (whole path segments), string (Ambassador's), exact, regex.
  std::string match = "segment";
  bool case_sensitive = true;
  std::vector<std::string> methods;  // empty: all
  std::string method_regex;          // instead of methods
  std::vector<FieldMatch> headers;
  std::vector<FieldMatch> query;
  int precedence = 0;
  std::vector<std::string> labels;  // "key=value", for hosts' route_selector

  // What is changed.
  std::string rewrite;               // replaces the prefix; "" keeps it
  std::string rewrite_regex;         // of the path; what matches becomes
  std::string rewrite_substitution;  // this; \1 is the first group
  std::string host_rewrite;          // Host sent upstream; "": the client's
  bool auto_host_rewrite = false;    // Host is the upstream's own name
  Redirect redirect;
  std::vector<FieldEdit> add_request_headers;
  std::vector<std::string> remove_request_headers;
  std::vector<FieldEdit> add_response_headers;
  std::vector<std::string> remove_response_headers;
  Cors cors;
  std::vector<ErrorOverride> error_overrides;  // before the gateway's own
  bool bypass_error_overrides = false;         // neither these nor the gateway's

  // Who may pass.
  bool authenticate = true;             // false: passes unasked
  std::vector<FieldEdit> auth_context;  // told to an external authorizer
  std::vector<RateLimit> rate_limits;   // besides the gateway's

  // Where it goes, and how.
  Upstream upstream;
  /// Share of the requests, in percent, among routes that match the same; -1: what is left,
  /// equally.
  int weight = -1;
  bool shadow = false;      // gets a copy (weight percent of the requests); its answer is dropped
  milliseconds timeout{0};  // to the end of the answer's head; 0: none
  milliseconds idle_timeout = kIdleTimeout;  // without a byte either way; 0: none
  RetryPolicy retry;
  std::vector<std::string> upgrades = {"websocket"};  // websocket, spdy/3.1, connect
  bool grpc = false;  // HTTP/2 upstream; kGrpcIdleTimeout, and requests may pause
  bool operator==(const Route&) const = default;
};

/// Bytes passed through, by port and SNI.
struct TcpRoute {
  std::string name;
  std::string origin;  // as Route::origin
  std::string listen = "127.0.0.1:8443";
  std::string host;  // SNI, "*.example.org" too; "": any
  Upstream upstream;
  int weight = -1;
  milliseconds idle_timeout{0};
  Tls tls;  // ended here if given; else TLS passes through, and SNI is read from its first message
  bool operator==(const TcpRoute&) const = default;
};

/// Each is counted in gatehouse_limit_reached_total{limit="…"} when it strikes.
struct Limits {
  std::size_t head_bytes = 64 * 1024;
  std::size_t target_bytes = 16 * 1024;  // of the request target; longer: 414
  std::size_t header_fields = 128;
  std::size_t body_bytes = 0;  // of a request; longer: 413; 0: no limit
  milliseconds head_timeout{10'000};
  milliseconds keep_alive_timeout{75'000};
  milliseconds body_idle_timeout{60'000};
  /// A body that comes more slowly than this, over each body_idle_timeout, is cut; 0: no limit.
  std::size_t body_bytes_per_second = 0;
  milliseconds write_idle_timeout{60'000};
  milliseconds tunnel_idle_timeout{0};
  std::size_t connections = 20'000;
  std::size_t connections_per_address = 4'000;  // 0: no limit; trusted proxies have none
  std::size_t requests_per_connection = 0;      // 0: no limit
  std::size_t streams = 100;                    // of one HTTP/2 connection, at once
  std::size_t resets_per_second = 100;          // of streams, by one client's connection
  std::size_t continuation_frames = 16;         // of one header block
  std::size_t control_frames_per_second = 100;  // PING, SETTINGS and empty DATA, of one connection
  bool operator==(const Limits&) const = default;
};

struct AuthorizerSettings {
  std::string kind = "gatekeeper";  // gatekeeper (in process), http, grpc (ext_authz), none
  std::string url;                  // of http and grpc: the base, e.g. http://oidc-gatekeeper:8080
  UpstreamTls tls;
  std::string path_prefix;  // put before the original path
  milliseconds timeout{5'000};
  std::vector<std::string> allowed_request_headers;
  std::vector<std::string> allowed_authorization_headers;
  std::vector<FieldEdit> add_headers;  // to the question
  std::size_t body_bytes = 0;          // of the request's body, told to the authorizer; 0: none
  bool body_may_be_cut = false;        // a longer body is told in part; false: 413
  int status_on_error = 503;
  /// Lets requests pass when the authorizer fails. Off, and warned of at each start.
  bool failure_mode_allow = false;
  CircuitBreakers circuit_breakers;
  bool operator==(const AuthorizerSettings&) const = default;
};

struct Compression {
  std::vector<std::string> algorithms;  // gzip, br, zstd, in order of preference; empty: off
  std::size_t min_bytes = 1024;
  int level = 0;                           // 0: each one's default
  std::vector<std::string> content_types;  // empty: text, JSON, JavaScript, XML, SVG, fonts
  bool operator==(const Compression&) const = default;
};

struct AccessLog {
  std::string form = "text";  // text, json, off
  std::string format;         // of text: Envoy's command operators; "": our own
  std::string path;           // "": with the log, on stderr
  bool operator==(const AccessLog&) const = default;
};

/// Spans by OTLP over HTTP. Off if there is no endpoint.
struct Tracing {
  std::string endpoint;  // http://collector:4318
  std::string service_name = "gatehouse";
  double sampling_percent = 100;
  std::vector<FieldEdit> tags;  // values as of headers
  bool operator==(const Tracing&) const = default;
};

struct Gateway {
  std::vector<Listen> listen = {Listen{}};
  std::vector<Host> hosts;
  std::string unknown_hosts = "route";  // route, reject (404); of requests that no Host is for
  std::vector<Route> routes;
  std::vector<TcpRoute> tcp;
  std::string manifests;  // a folder of Ambassador's manifests, watched; "": none
  /// Which of their objects count; those that name none are for "default".
  std::string ambassador_id = "default";
  /// Where this gateway runs: a service that an object there names without one is not qualified.
  std::string ambassador_namespace = "default";
  AuthorizerSettings authorizer;
  Limits limits;
  std::vector<std::string> managed_headers = {"kubeflow-userid", "kubeflow-groups",
                                              "gatehouse-session-expires"};
  std::vector<std::string> private_cookies = {"gatehouse_*", "__Host-gatehouse_*"};
  std::vector<std::string> trusted_proxies;  // addresses or CIDR whose X-Forwarded-* is believed
  std::vector<std::string> ip_allow;         // addresses or CIDR; empty: all
  std::vector<std::string> ip_deny;
  std::vector<RateLimit> rate_limits;
  std::vector<ErrorOverride> error_overrides;
  Compression compression;
  bool grpc_web = false;
  bool http10 = true;                  // HTTP/1.0 is served
  bool merge_slashes = true;           // false: runs of slashes are refused
  std::string server_name;             // the Server header of answers; "": the upstream's
  bool keep_request_id = true;         // a trusted proxy's X-Request-Id is passed on
  bool keep_any_request_id = false;    // every client's is
  milliseconds recheck_interval{500};  // of exchanges that stay open
  AccessLog access_log;
  Tracing tracing;
  bool operator==(const Gateway&) const = default;
};

}  // namespace gatehouse::config
