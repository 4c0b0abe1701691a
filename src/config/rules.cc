#include "config/rules.h"

#include <algorithm>
#include <string>

#include "config/rule_parts.h"
#include "http/headers.h"

namespace gatehouse::config {
namespace {

/// What a listener can be told that only the gateway heeds.
void check_role_listeners(const std::vector<Listen>& listeners, const std::string& list,
                          Findings& findings) {
  check_listeners(listeners, list, findings);
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const Subject subject(findings, element(list, i));
    constexpr const char* kElsewhere = "has a meaning only in gateway.listen; remove it";
    if (listeners[i].trusted_hops > 0) subject.refuse("trusted_hops", kElsewhere);
    if (listeners[i].secure_by != Listen{}.secure_by) subject.refuse("secure_by", kElsewhere);
    if (!listeners[i].tls.forward_client.empty()) {
      subject.refuse("tls.forward_client", kElsewhere);
    }
  }
}

void check_gatekeeper(const Gatekeeper& gatekeeper, Findings& findings) {
  check_role_listeners(gatekeeper.listen, "gatekeeper.listen", findings);
  if (gatekeeper.key_rotation < gatekeeper.session_max_age) {
    findings.add_at_field("gatekeeper.session_max_age",
                          "must not be longer than gatekeeper.key_rotation: of the keys that sign "
                          "sessions two are valid at a time");
  }
  if (gatekeeper.cookie_name.starts_with("__")) {
    findings.add_at_field("gatekeeper.cookie_name",
                          "must not begin with __: the prefix __Host- is put before it by itself");
  }
  if (!holds(gatekeeper.scopes, "openid")) {
    findings.add_at_field("gatekeeper.scopes",
                          "must hold openid (OpenID Connect Core, section 3.1.2.1)");
  }
  if (gatekeeper.userid_header == gatekeeper.groups_header) {
    findings.add_at_field("gatekeeper.groups_header", "must differ from gatekeeper.userid_header");
  }
}

void check_clients(const std::vector<ClientSettings>& clients, Findings& findings) {
  Repetitions ids;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const ClientSettings& client = clients[i];
    const Subject subject(findings, element("identity.clients", i));
    if (ids.seen_before(client.id, i) != nullptr) {
      subject.refuse("id", "is the id of another entry of this list");
    }
    if (client.is_public && !client.secret.empty()) {
      subject.refuse("secret", "must not be given to a public client");
    }
    if (!client.is_public && client.secret.empty()) {
      subject.refuse("secret", "must be given; only a client with public: true has none");
    }
  }
}

void check_users(const std::vector<StaticUser>& users, Findings& findings) {
  Repetitions emails;
  Repetitions ids;
  for (std::size_t i = 0; i < users.size(); ++i) {
    const StaticUser& user = users[i];
    const Subject subject(findings, element("identity.users", i));
    if (emails.seen_before(http::lower_case(user.email), i) != nullptr) {
      subject.refuse("email", "is another user's");
    }
    if (!user.user_id.empty() && ids.seen_before(user.user_id, i) != nullptr) {
      subject.refuse("user_id", "is another user's");
    }
  }
}

void check_identity(const Identity& identity, Findings& findings) {
  check_role_listeners(identity.listen, "identity.listen", findings);
  check_clients(identity.clients, findings);
  check_users(identity.users, findings);
  if (identity.refresh_idle > identity.refresh_absolute) {
    findings.add_at_field("identity.refresh_idle",
                          "must not be longer than identity.refresh_absolute");
  }
  if (identity.passwords.slow_down > identity.passwords.slow_down_limit) {
    findings.add_at_field("identity.passwords.slow_down",
                          "must not be longer than identity.passwords.slow_down_limit");
  }
}

}  // namespace

void check_rules(const Settings& settings, Findings& findings) {
  check_gateway(settings, findings);
  check_gatekeeper(settings.gatekeeper, findings);
  check_identity(settings.identity, findings);
}

}  // namespace gatehouse::config
