// The configuration as the program uses it: plain values, checked, with defaults in place.
//
// The one field table (config/fields.cc) says of each field its YAML name, type, default, unit,
// range, documentation and whether a reload applies it; the parser, the environment's names, the
// JSON Schema and docs/configuration.md are made from it. A field that is not in the table does not
// exist; a member here without a line there is caught by a test.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"
#include "config/gateway_settings.h"

namespace gatehouse::config {

struct Log {
  std::string level = "info";   // trace, debug, info, warning, error
  std::string format = "text";  // text, json
};

struct StoreSettings {
  std::string kind = "sqlite";  // sqlite, memory
  std::string path = "gatehouse.db";
  /// Opens what is sealed in the store: session keys, signing keys, client secrets. 32 bytes as
  /// base64. Without it the store makes `<path>.key` (mode 0600) at first start.
  Secret sealing_key;
  std::size_t queue = 4096;  // transactions that may wait
};

struct Gatekeeper {
  /// Of the role alone.
  std::vector<Listen> listen = {{.address = "127.0.0.1:8080", .tls = {}}};
  std::string issuer;        // of the provider; "" : the identity role of this process
  std::string provider_url;  // where to reach it, if not at its issuer (in-cluster address)
  std::string client_id = "authservice-oidc";
  Secret client_secret;  // "" with the built-in provider: made and kept in the store
  std::string redirect_uri = "/authservice/oidc/callback";  // relative or absolute, exact
  std::string auth_path = "/dex/auth";  // where the browser is sent, if relative
  std::vector<std::string> scopes = {"openid", "profile", "email", "groups"};
  std::string url_prefix = "/authservice";
  std::vector<std::string> skip_auth = {"/dex"};  // path prefixes that pass unasked
  int redirect_status = 301;                      // 301, 302, 303
  std::string cookie_name = "gatehouse_session";
  std::string secure_cookies = "auto";  // auto (by the request's scheme), always, never
  seconds session_max_age{86'400};
  seconds login_max_age{3'600};  // how long a login may be in progress
  seconds key_rotation{86'400};
  milliseconds revocation_poll{500};
  std::string userid_header = "kubeflow-userid";
  std::string userid_prefix;
  std::string userid_claim = "email";
  std::string groups_header = "kubeflow-groups";
  std::string groups_claim = "groups";
  std::string after_logout_url;              // "": our signed-out page
  std::vector<std::string> trusted_proxies;  // whose X-Forwarded-* is believed
};

struct ClientSettings {
  std::string id;
  Secret secret;
  std::string name;
  std::vector<std::string> redirect_uris;
  bool is_public = false;              // no secret; PKCE required
  std::string id_token_alg = "RS256";  // RS256, ES256
  bool operator==(const ClientSettings&) const = default;
};

struct StaticUser {
  std::string email, username, name, user_id;
  Secret password_hash;  // Argon2id or bcrypt
  std::vector<std::string> groups;
  bool operator==(const StaticUser&) const = default;
};

struct Passwords {
  unsigned argon2_memory_kib = 19 * 1024;
  unsigned argon2_passes = 2;
  std::size_t threads = 1;
  std::size_t queue = 64;
  std::size_t free_failures = 4;  // the next one slows down
  seconds slow_down{2};           // after that one; doubles with each more
  seconds slow_down_limit{300};
};

struct Identity {
  /// Of the role alone.
  std::vector<Listen> listen = {{.address = "127.0.0.1:5556", .tls = {}}};
  std::string issuer;  // "": http(s)://<first listener of the gateway>/dex
  std::vector<ClientSettings> clients;
  std::vector<StaticUser> users;
  std::vector<std::string> trusted_proxies;  // of the role alone: whose X-Forwarded-For is believed
  seconds id_token_lifetime{86'400};
  seconds access_token_lifetime{86'400};
  seconds code_lifetime{60};
  seconds login_lifetime{3'600};
  seconds refresh_idle{2'592'000};  // a refresh token unused so long is void
  seconds refresh_absolute{31'536'000};
  seconds refresh_reuse_interval{3};
  seconds key_rotation{2'592'000};
  Passwords passwords;
};

struct Operations {
  std::string listen = "127.0.0.1:8082";  // /metrics, /healthz/live, /healthz/ready; "" : off
};

struct Settings {
  Log log;
  StoreSettings store;
  std::string public_url;   // "": taken from the request; else https://kubeflow.example.org
  std::size_t threads = 0;  // event loops; 0: one a core
  milliseconds drain_delay{0};
  milliseconds drain_timeout{30'000};
  Operations operations;
  Gateway gateway;
  Gatekeeper gatekeeper;
  Identity identity;
};

}  // namespace gatehouse::config
