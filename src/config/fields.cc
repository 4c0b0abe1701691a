#include "config/fields.h"

#include <iterator>
#include <type_traits>
#include <utility>

namespace gatehouse::config {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

/// Nothing in here waits or lives longer on purpose, and it is far from overflowing.
constexpr milliseconds kLongest = days(3650);

Period at_least(milliseconds min, milliseconds max = kLongest) {
  return {.min = min, .max = max, .zero = {}};
}
Period or_zero(std::string_view zero, milliseconds max = hours(24)) {
  return {.min = milliseconds(1), .max = max, .zero = zero};
}

Form form(const Syntax& syntax) {
  return {.syntax = &syntax, .may_be_empty = false};
}
Form empty_or(const Syntax& syntax) {
  return {.syntax = &syntax, .may_be_empty = true};
}

void append(std::vector<Field>& all, std::vector<Field> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::vector<Field> process_fields(Settings& s) {
  return {
      {"public_url", &s.public_url, empty_or(kOrigin),
       "The origin under which browsers reach this front door. Empty: taken from each request."},
      {"threads", &s.threads, Range{0, 1024, "event loops"},
       "Event loops, each on a thread of its own. 0: one a core."},
      {"drain_timeout", &s.drain_timeout, or_zero("stop at once", hours(1)),
       "How long exchanges under way may go on after SIGTERM."},
      {"log.level", &s.log.level, OneOf{{"trace", "debug", "info", "warning", "error"}},
       "The least severe lines that are written."},
      {"log.format", &s.log.format, OneOf{{"text", "json"}}, "The form of a line on stderr."},
      {"operations.listen", &s.operations.listen, empty_or(kAddress),
       "Address of /metrics, /healthz/live and /healthz/ready, for operators only. Empty: off."},
      {"store.kind", &s.store.kind, OneOf{{"sqlite", "memory"}},
       "Where sessions, users and keys are kept. memory forgets all at the end of the process."},
      {"store.path", &s.store.path, form(kOneLine),
       "The database's file. ~ and variables are not expanded."},
      {"store.sealing_key", &s.store.sealing_key, empty_or(kSealingKey),
       "Opens what is sealed in the store: 32 bytes as base64. Empty: made at first start and kept "
       "in `<path>.key`, which only the owner can read."},
      {"store.queue", &s.store.queue, Range{1, 1'000'000, "transactions"},
       "Transactions that may wait; a further one is answered 503."},
  };
}

std::vector<Field> limits_fields(Limits& l) {
  return {
      {"gateway.limits.head_bytes", &l.head_bytes, Bytes{1024, 1024 * 1024},
       "The longest head of a request; a longer one is answered 431."},
      {"gateway.limits.header_fields", &l.header_fields, Range{8, 10'000, "fields"},
       "The most header fields in a request."},
      {"gateway.limits.head_timeout", &l.head_timeout, at_least(milliseconds(100), hours(1)),
       "From a request's first byte to the end of its head."},
      {"gateway.limits.keep_alive_timeout", &l.keep_alive_timeout,
       at_least(milliseconds(100), hours(24)), "How long an idle connection is kept."},
      {"gateway.limits.body_idle_timeout", &l.body_idle_timeout,
       at_least(milliseconds(100), hours(24)), "The longest pause within a request's body."},
      {"gateway.limits.write_idle_timeout", &l.write_idle_timeout,
       at_least(milliseconds(100), hours(24)),
       "How long a client may take nothing of an answer that waits for it."},
      {"gateway.limits.tunnel_idle_timeout", &l.tunnel_idle_timeout, or_zero("no limit"),
       "The longest silence in a WebSocket."},
      {"gateway.limits.connections", &l.connections, Range{1, 10'000'000, "connections"},
       "Connections that may be open at once; a further one is closed."},
  };
}

std::vector<Field> authorizer_fields(AuthorizerSettings& a) {
  return {
      {"gateway.authorizer.kind", &a.kind, OneOf{{"gatekeeper", "http", "none"}},
       "Who judges requests: the gatekeeper of this process, an external service by ext_authz over "
       "HTTP, or nobody: then every request passes."},
      {"gateway.authorizer.url", &a.url, empty_or(kIssuer),
       "The base URL of an external service, as http://oidc-gatekeeper:8080."},
      {"gateway.authorizer.path_prefix", &a.path_prefix, empty_or(kPathBelow),
       "Put before the original path when the external service is asked."},
      {"gateway.authorizer.timeout", &a.timeout, at_least(milliseconds(10), minutes(5)),
       "How long the external service may take; after it the request is denied."},
      {"gateway.authorizer.allowed_request_headers", &a.allowed_request_headers, form(kToken),
       "Request headers that the external service is sent besides those it always gets."},
      {"gateway.authorizer.allowed_authorization_headers", &a.allowed_authorization_headers,
       form(kToken), "Headers of the external service's answer that go to the upstream."},
      {"gateway.authorizer.status_on_error", &a.status_on_error, Range{400, 599, ""},
       "The answer when the external service fails."},
  };
}

std::vector<Field> gateway_fields(Gateway& g) {
  std::vector<Field> all = {
      {"gateway.listen", &g.listen, NotEmpty{}, "Where clients connect."},
      {"gateway.routes", &g.routes, Anything{},
       "Which upstream serves which host and path. The longest prefix wins, an exact host before a "
       "pattern, a pattern before any host."},
  };
  append(all, authorizer_fields(g.authorizer));
  append(all, limits_fields(g.limits));
  append(all,
         {{"gateway.managed_headers", &g.managed_headers, form(kToken),
           "Headers that only the authorizer may set: a client's own are removed."},
          {"gateway.private_cookies", &g.private_cookies, form(kToken),
           "Cookies that no upstream sees; * stands for any end of the name."},
          {"gateway.trusted_proxies", &g.trusted_proxies, form(kNetwork),
           "Proxies in front whose X-Forwarded-* headers are believed."},
          {"gateway.recheck_interval", &g.recheck_interval, at_least(milliseconds(50), hours(1)),
           "How often exchanges that stay open, such as WebSockets, are judged anew."},
          {"gateway.access_log.form", &g.access_log.form, OneOf{{"text", "json", "off"}},
           "The form of the line that is written for each request."}});
  return all;
}

std::vector<Field> provider_fields(Gatekeeper& g) {
  return {
      {"gatekeeper.listen", &g.listen, NotEmpty{}, "Where the role listens when it runs alone."},
      {"gatekeeper.issuer", &g.issuer, empty_or(kIssuer),
       "The OpenID provider's issuer, exactly as its discovery document has it. Empty: the "
       "identity "
       "role of this process."},
      {"gatekeeper.provider_url", &g.provider_url, empty_or(kIssuer),
       "Where to reach the provider if not at its issuer, as an address within the cluster."},
      {"gatekeeper.client_id", &g.client_id, form(kClientId),
       "This relying party's name at the provider."},
      {"gatekeeper.client_secret", &g.client_secret, empty_or(kOneLine),
       "Its secret there. Empty with the provider of this process: made and kept in the store."},
      {"gatekeeper.redirect_uri", &g.redirect_uri, form(kLocation),
       "Where the provider sends the browser back, as registered there: a path on this site or an "
       "absolute URL."},
      {"gatekeeper.auth_path", &g.auth_path, form(kLocation),
       "Where the browser is sent to log in: a path on this site or an absolute URL."},
      {"gatekeeper.scopes", &g.scopes, form(kScope), "What the provider is asked for."},
      {"gatekeeper.url_prefix", &g.url_prefix, form(kPathBelow),
       "The gatekeeper's own pages: callback, logout, verify."},
      {"gatekeeper.skip_auth", &g.skip_auth, form(kPathBelow), "Path prefixes that pass unasked."},
      {"gatekeeper.redirect_status", &g.redirect_status, OneOfNumbers{{301, 302, 303}},
       "The status of the redirect to the login."},
  };
}

std::vector<Field> session_fields(Gatekeeper& g) {
  return {
      {"gatekeeper.cookie_name", &g.cookie_name, form(kToken),
       "The session cookie. Served by https it gets the prefix __Host-."},
      {"gatekeeper.secure_cookies", &g.secure_cookies, OneOf{{"auto", "always", "never"}},
       "Whether cookies are sent by https only; auto: as the login itself was."},
      {"gatekeeper.session_max_age", &g.session_max_age, at_least(minutes(1), days(365)),
       "How long a session lasts after its login."},
      {"gatekeeper.login_max_age", &g.login_max_age, at_least(minutes(1), hours(24)),
       "How long a login may be in progress."},
      {"gatekeeper.key_rotation", &g.key_rotation, at_least(minutes(1), days(365)),
       "How often the sessions' signing key changes. Two keys are valid at a time, so this is at "
       "least session_max_age."},
      {"gatekeeper.revocation_poll", &g.revocation_poll, at_least(milliseconds(50), minutes(1)),
       "How often the store is asked for sessions ended by other processes."},
      {"gatekeeper.userid_header", &g.userid_header, form(kToken),
       "The header that tells upstreams who asks."},
      {"gatekeeper.userid_prefix", &g.userid_prefix, empty_or(kOneLine),
       "Put before the user's id."},
      {"gatekeeper.userid_claim", &g.userid_claim, form(kClientId),
       "The ID token's claim that is the user's id."},
      {"gatekeeper.groups_header", &g.groups_header, form(kToken),
       "The header with the user's groups, separated by commas."},
      {"gatekeeper.groups_claim", &g.groups_claim, form(kClientId),
       "The ID token's claim that lists the groups."},
      {"gatekeeper.after_logout_url", &g.after_logout_url, empty_or(kLocation),
       "Where a logout leads. Empty: our page that says so."},
      {"gatekeeper.trusted_proxies", &g.trusted_proxies, form(kNetwork),
       "Proxies whose X-Forwarded-* headers the role believes when it runs alone."},
  };
}

std::vector<Field> identity_fields(Identity& i) {
  return {
      {"identity.listen", &i.listen, NotEmpty{}, "Where the role listens when it runs alone."},
      {"identity.trusted_proxies", &i.trusted_proxies, form(kNetwork),
       "Proxies whose X-Forwarded-For header the role believes when it runs alone."},
      {"identity.issuer", &i.issuer, empty_or(kIssuer),
       "The issuer that tokens name. Empty: `<public_url>/dex`, or the gateway's first listener "
       "with /dex."},
      {"identity.clients", &i.clients, Anything{}, "Relying parties besides the gatekeeper."},
      {"identity.users", &i.users, Anything{},
       "Users that this file keeps, besides those of `gatehouse user add`."},
      {"identity.id_token_lifetime", &i.id_token_lifetime, at_least(minutes(1), days(365)),
       "How long an ID token is valid."},
      {"identity.access_token_lifetime", &i.access_token_lifetime, at_least(minutes(1), days(365)),
       "How long an access token is valid."},
      {"identity.code_lifetime", &i.code_lifetime, at_least(seconds(5), minutes(10)),
       "How long an authorization code is valid (RFC 6749, section 4.1.2: at most 10 minutes)."},
      {"identity.login_lifetime", &i.login_lifetime, at_least(minutes(1), hours(24)),
       "How long a login page may stay open."},
      {"identity.refresh_idle", &i.refresh_idle, at_least(minutes(1)),
       "A refresh token unused for so long is void."},
      {"identity.refresh_absolute", &i.refresh_absolute, at_least(minutes(1)),
       "The life of a family of refresh tokens, however much it is used."},
      {"identity.refresh_reuse_interval", &i.refresh_reuse_interval, or_zero("none", minutes(1)),
       "How long the last refresh token may be used again by a client that lost the answer."},
      {"identity.key_rotation", &i.key_rotation, at_least(hours(1)),
       "How often the key that signs tokens changes."},
  };
}

std::vector<Field> password_fields(Passwords& p) {
  return {
      {"identity.passwords.argon2_memory_kib", &p.argon2_memory_kib,
       Range{8, 4 * 1024 * 1024, "KiB"}, "Memory that one Argon2id hash takes."},
      {"identity.passwords.argon2_passes", &p.argon2_passes, Range{1, 1000, "passes"},
       "How often Argon2id goes over its memory."},
      {"identity.passwords.threads", &p.threads, Range{1, 1024, "threads"},
       "Hashes that are worked out at once."},
      {"identity.passwords.queue", &p.queue, Range{1, 100'000, "logins"},
       "Logins that may wait for a hash; a further one is answered 503."},
      {"identity.passwords.free_failures", &p.free_failures, Range{0, 1000, "failures"},
       "Wrong passwords for one user before answers slow down."},
      {"identity.passwords.slow_down", &p.slow_down, at_least(seconds(1), hours(1)),
       "The first delay; each further failure doubles it."},
      {"identity.passwords.slow_down_limit", &p.slow_down_limit, at_least(seconds(1), hours(24)),
       "The longest delay."},
  };
}

}  // namespace

std::vector<Field> fields(Settings& settings) {
  std::vector<Field> all = process_fields(settings);
  append(all, gateway_fields(settings.gateway));
  append(all, provider_fields(settings.gatekeeper));
  append(all, session_fields(settings.gatekeeper));
  append(all, identity_fields(settings.identity));
  append(all, password_fields(settings.identity.passwords));
  return all;
}

std::vector<Field> fields(Listen& listen) {
  return {
      {"address", &listen.address, form(kAddress), "Host and port; port 0 takes a free one.",
       Presence::kRequired},
      {"tls.certificate", &listen.tls.certificate, empty_or(kOneLine),
       "PEM file of the certificate and its chain. Empty: no TLS. A reload reads the file again.",
       Presence::kOptional, Applies::kReload},
      {"tls.key", &listen.tls.key, empty_or(kOneLine),
       "PEM file of the certificate's private key. A reload reads the file again.",
       Presence::kOptional, Applies::kReload},
  };
}

std::vector<Field> fields(Route& route) {
  return {
      {"name", &route.name, empty_or(kOneLine), "For logs and metrics. Empty: the prefix."},
      {"host", &route.host, empty_or(kHostPattern),
       "example.org or *.example.org. Empty: any host."},
      {"prefix", &route.prefix, form(kPath), "Matches by whole path segments."},
      {"rewrite", &route.rewrite, empty_or(kPath), "Replaces the prefix. Empty: it stays."},
      {"service", &route.upstream.service, form(kService),
       "The upstream's URL, or a part of this process: identity, gatekeeper or demo.",
       Presence::kRequired},
      {"ca_file", &route.upstream.tls.ca_file, empty_or(kOneLine),
       "PEM file of the authorities that an https upstream may be certified by. Empty: the "
       "system's."},
      {"authenticate", &route.authenticate, Anything{}, "false: requests pass unasked."},
      {"upgrades", &route.upgrades, Anything{},
       "Protocols that a connection may switch to: websocket, spdy/3.1, connect."},
      {"connect_timeout", &route.upstream.connect_timeout, at_least(milliseconds(10), minutes(5)),
       "How long the upstream may take to accept a connection."},
      {"timeout", &route.timeout, or_zero("no limit"),
       "How long the upstream may take to the head of its answer."},
      {"idle_timeout", &route.idle_timeout, or_zero("no limit"),
       "The longest pause within an upstream's answer."},
      {"host_rewrite", &route.host_rewrite, empty_or(kHost),
       "The Host that the upstream is sent. Empty: the client's."},
  };
}

std::vector<Field> fields(ClientSettings& client) {
  return {
      {"id", &client.id, form(kClientId), "Its client_id.", Presence::kRequired},
      {"secret", &client.secret, empty_or(kOneLine),
       "Its client secret; a public client has none."},
      {"name", &client.name, empty_or(kOneLine), "What people are shown. Empty: the id."},
      {"redirect_uris", &client.redirect_uris, form(kRedirectUri),
       "Where it may be sent back to, compared character by character.", Presence::kRequired},
      {"public", &client.is_public, Anything{},
       "A client that cannot keep a secret; it must use PKCE."},
      {"id_token_alg", &client.id_token_alg, OneOf{{"RS256", "ES256"}},
       "The algorithm that signs its ID tokens."},
  };
}

std::vector<Field> fields(StaticUser& user) {
  return {
      {"email", &user.email, form(kEmail), "The login and the e-mail claim.", Presence::kRequired},
      {"username", &user.username, empty_or(kOneLine), "The preferred_username claim."},
      {"name", &user.name, empty_or(kOneLine), "The name claim."},
      {"user_id", &user.user_id, empty_or(kOneLine),
       "What `sub` is made from; it must never change."},
      {"password_hash", &user.password_hash, form(kPasswordHash),
       "Argon2id in PHC form, or bcrypt.", Presence::kRequired},
      {"groups", &user.groups, form(kGroup), "The groups claim."},
  };
}

bool is_list_of_objects(const Member& member) {
  return std::visit(
      [](auto* at) {
        using Type = std::remove_pointer_t<decltype(at)>;
        return requires { fields(at->emplace_back()); } && !std::is_same_v<Type, std::string>;
      },
      member);
}

}  // namespace gatehouse::config
