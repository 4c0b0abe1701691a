#include "config/fields.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "config/field_lines.h"

namespace gatehouse::config {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

std::vector<Field> process_fields(Settings& s) {
  return {
      {"public_url", &s.public_url, empty_or(kOrigin),
       "The origin under which browsers reach this front door. Empty: taken from each request."},
      {"threads", &s.threads, Range{0, 1024, "event loops"},
       "Event loops, each on a thread of its own. 0: one a core."},
      {"drain_delay", &s.drain_delay, or_zero("none", hours(1)),
       "How long requests are still taken after SIGTERM, while the process already says that it is "
       "not ready: until whoever sends them has heard of it."},
      {"drain_timeout", &s.drain_timeout, or_zero("stop at once", hours(1)),
       "How long exchanges under way may go on after that."},
      {"log.level", &s.log.level, OneOf{{"trace", "debug", "info", "warning", "error"}},
       "The least severe lines that are written."},
      {"log.format", &s.log.format, OneOf{{"text", "json"}}, "The form of a line on stderr."},
      {"operations.listen", &s.operations.listen, empty_or(kAddress),
       "Address of /metrics, /healthz/live, /healthz/ready and the page /ambassador/v0/diag/, for "
       "operators only. Empty: off."},
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
  append(all, below("gateway.", gateway_fields(settings.gateway)));
  append(all, provider_fields(settings.gatekeeper));
  append(all, session_fields(settings.gatekeeper));
  append(all, identity_fields(settings.identity));
  append(all, password_fields(settings.identity.passwords));
  return all;
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

std::vector<Field> of_entry(std::vector<Field> fields, const Rule& list) {
  const Named* named = std::get_if<Named>(&list);
  if (named == nullptr) return fields;
  if (!named->may_append) std::erase_if(fields, [](const Field& f) { return f.name == "append"; });
  const auto name = std::ranges::find(fields, "name", &Field::name);
  if (name != fields.end()) name->rule = form(*named->name);
  return fields;
}

bool is_list_of_objects(const Member& member) {
  return std::visit([](auto* at) { return kIsListOfObjects<std::remove_pointer_t<decltype(at)>>; },
                    member);
}

bool is_list(const Member& member) {
  return is_list_of_objects(member) || std::holds_alternative<std::vector<std::string>*>(member) ||
         std::holds_alternative<std::vector<int>*>(member);
}

}  // namespace gatehouse::config
