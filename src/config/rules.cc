#include "config/rules.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "http/headers.h"

namespace gatehouse::config {
namespace {

std::string element(std::string_view list, std::size_t index, std::string_view field) {
  return std::string(list) + "[" + std::to_string(index) + "]." + std::string(field);
}

/// Finds what stands twice in a list of objects.
class Repetitions {
 public:
  /// The index at which the same key came first, if it did.
  const std::size_t* seen_before(std::string key, std::size_t index) {
    const auto [first, is_new] = first_.try_emplace(std::move(key), index);
    return is_new ? nullptr : &first->second;
  }

 private:
  std::map<std::string, std::size_t> first_;
};

void check_listeners(const std::vector<Listen>& listeners, std::string_view list,
                     Findings& findings) {
  Repetitions addresses;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const Listen& listen = listeners[i];
    if (listen.tls.certificate.empty() != listen.tls.key.empty()) {
      const bool certificate = listen.tls.certificate.empty();
      findings.add_at_field(
          element(list, i, certificate ? "tls.certificate" : "tls.key"),
          certificate ? "must be given with tls.key" : "must be given with tls.certificate");
    }
    // Port 0 is another free port each time.
    if (listen.address.ends_with(":0")) continue;
    if (addresses.seen_before(listen.address, i) != nullptr) {
      findings.add_at_field(element(list, i, "address"), "is taken by another entry of this list");
    }
  }
}

void check_routes(const std::vector<Route>& routes, Findings& findings) {
  constexpr std::string_view kList = "gateway.routes";
  Repetitions places;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const Route& route = routes[i];
    const std::size_t* first = places.seen_before(route.host + route.prefix, i);
    if (first != nullptr) {
      findings.add_at_field(element(kList, i, "prefix"), "has the same host and prefix as " +
                                                             std::string(kList) + "[" +
                                                             std::to_string(*first) + "]");
    }
    const bool https = http::lower_case(route.upstream.service).starts_with("https://");
    if (!route.upstream.tls.ca_file.empty() && !https) {
      findings.add_at_field(element(kList, i, "ca_file"), "needs a service with https://");
    }
  }
}

bool contains_header(const std::vector<std::string>& headers, std::string_view name) {
  return std::ranges::any_of(headers, [&](const std::string& header) {
    return http::lower_case(header) == http::lower_case(name);
  });
}

bool matches_cookie(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](std::string_view pattern) {
    if (!pattern.ends_with('*')) return pattern == name;
    return name.starts_with(pattern.substr(0, pattern.size() - 1));
  });
}

/// A client could claim to be anyone by a header that the gateway does not remove, and an upstream
/// could act for the user by a cookie that it is sent.
void check_identity_is_protected(const Settings& settings, Findings& findings) {
  const Gateway& gateway = settings.gateway;
  const Gatekeeper& gatekeeper = settings.gatekeeper;
  for (const auto& [field, header] :
       {std::pair("gatekeeper.userid_header", gatekeeper.userid_header),
        std::pair("gatekeeper.groups_header", gatekeeper.groups_header)}) {
    if (contains_header(gateway.managed_headers, header)) continue;
    findings.add_at_field(
        "gateway.managed_headers",
        "must hold " + header + ", which " + field + " names, or clients could send it themselves");
  }
  for (const std::string& name : {gatekeeper.cookie_name, "__Host-" + gatekeeper.cookie_name}) {
    if (matches_cookie(gateway.private_cookies, name)) continue;
    findings.add_at_field("gateway.private_cookies",
                          "must match " + name +
                              ", which gatekeeper.cookie_name names, or upstreams would see the "
                              "session");
  }
}

void check_gateway(const Settings& settings, Findings& findings) {
  const Gateway& gateway = settings.gateway;
  check_listeners(gateway.listen, "gateway.listen", findings);
  check_routes(gateway.routes, findings);
  if (gateway.authorizer.kind == "http" && gateway.authorizer.url.empty()) {
    findings.add_at_field("gateway.authorizer.url", "must be given when kind is http");
  }
  if (gateway.authorizer.kind != "http" && !gateway.authorizer.url.empty()) {
    findings.add_at_field("gateway.authorizer.url", "has a meaning only when kind is http");
  }
  if (gateway.authorizer.kind == "gatekeeper") check_identity_is_protected(settings, findings);
}

void check_gatekeeper(const Gatekeeper& gatekeeper, Findings& findings) {
  check_listeners(gatekeeper.listen, "gatekeeper.listen", findings);
  if (gatekeeper.key_rotation < gatekeeper.session_max_age) {
    findings.add_at_field("gatekeeper.session_max_age",
                          "must not be longer than gatekeeper.key_rotation: of the keys that sign "
                          "sessions two are valid at a time");
  }
  if (gatekeeper.cookie_name.starts_with("__")) {
    findings.add_at_field("gatekeeper.cookie_name",
                          "must not begin with __: the prefix __Host- is put before it by itself");
  }
  if (std::ranges::find(gatekeeper.scopes, "openid") == gatekeeper.scopes.end()) {
    findings.add_at_field("gatekeeper.scopes",
                          "must hold openid (OpenID Connect Core, section 3.1.2.1)");
  }
  if (gatekeeper.userid_header == gatekeeper.groups_header) {
    findings.add_at_field("gatekeeper.groups_header", "must differ from gatekeeper.userid_header");
  }
}

void check_clients(const std::vector<ClientSettings>& clients, Findings& findings) {
  constexpr std::string_view kList = "identity.clients";
  Repetitions ids;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const ClientSettings& client = clients[i];
    if (ids.seen_before(client.id, i) != nullptr) {
      findings.add_at_field(element(kList, i, "id"), "is the id of another entry of this list");
    }
    if (client.is_public && !client.secret.empty()) {
      findings.add_at_field(element(kList, i, "secret"), "must not be given to a public client");
    }
    if (!client.is_public && client.secret.empty()) {
      findings.add_at_field(element(kList, i, "secret"),
                            "must be given; only a client with public: true has none");
    }
  }
}

void check_users(const std::vector<StaticUser>& users, Findings& findings) {
  constexpr std::string_view kList = "identity.users";
  Repetitions emails;
  Repetitions ids;
  for (std::size_t i = 0; i < users.size(); ++i) {
    const StaticUser& user = users[i];
    if (emails.seen_before(http::lower_case(user.email), i) != nullptr) {
      findings.add_at_field(element(kList, i, "email"), "is another user's");
    }
    if (!user.user_id.empty() && ids.seen_before(user.user_id, i) != nullptr) {
      findings.add_at_field(element(kList, i, "user_id"), "is another user's");
    }
  }
}

void check_identity(const Identity& identity, Findings& findings) {
  check_listeners(identity.listen, "identity.listen", findings);
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
