#include "identity/clients/clients.h"

#include <algorithm>

#include "http/url.h"

namespace gatehouse::identity {
namespace {

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

/// RFC 3986 §3.1.
bool is_scheme_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.';
}

/// What may be registered: without a fragment (RFC 6749 §3.1.2), and fit for a Location field as it
/// stands. Relative ones are allowed, because Kubeflow registers /authservice/oidc/callback.
bool is_registrable(std::string_view uri) {
  if (!is_visible_ascii(uri) || uri.find_first_of("#\\\"<>") != std::string_view::npos) {
    return false;
  }
  if (uri.starts_with('/')) return http::is_local_redirect(uri);
  if (uri.starts_with("http:") || uri.starts_with("https:"))
    return http::parse_url(uri).has_value();
  // An application's own scheme (RFC 8252 §7.1). Without a dot it could be javascript: or data:.
  const std::size_t colon = uri.find(':');
  return colon != std::string_view::npos && uri.substr(0, colon).contains('.') &&
         std::ranges::all_of(uri.substr(0, colon), is_scheme_character);
}

bool is_loopback(std::string_view uri) {
  // What follows ends up in a Location field and in a policy: nothing that needs a second thought.
  if (!is_visible_ascii(uri) || !uri.starts_with("http://") || !is_registrable(uri)) return false;
  const Result<http::Url> url = http::parse_url(uri);
  return url && (url->host == "localhost" || url->host == "127.0.0.1" || url->host == "::1");
}

Result<void> check_client(const Client& client) {
  const std::string where = "client \"" + client.id + "\"";
  if (client.id.empty()) return fail(ErrorCode::kInvalid, "a client has no id");
  if (!client.is_public && client.secret.empty()) {
    return fail(ErrorCode::kInvalid, where + ": a secret is needed, or public: true");
  }
  if (!client.is_public && client.redirect_uris.empty()) {
    return fail(ErrorCode::kInvalid, where + ": at least one redirect URI is needed");
  }
  if (client.id_token_alg != "RS256" && client.id_token_alg != "ES256") {
    return fail(ErrorCode::kInvalid, where + ": id_token_alg must be RS256 or ES256");
  }
  for (const std::string& uri : client.redirect_uris) {
    if (!is_registrable(uri)) {
      return fail(ErrorCode::kInvalid, where + ": the redirect URI \"" + uri +
                                           "\" is neither a path, an http(s) URL nor a URI of an "
                                           "application's own scheme, without a fragment");
    }
  }
  return {};
}

}  // namespace

const Client* Clients::find(std::string_view id) const {
  const auto found = std::ranges::find(clients_, id, &Client::id);
  return found == clients_.end() ? nullptr : &*found;
}

Result<void> Clients::check() const {
  for (const Client& client : clients_) {
    Result<void> checked = check_client(client);
    if (!checked) return checked;
    if (find(client.id) != &client) {
      return fail(ErrorCode::kInvalid, "client \"" + client.id + "\" stands twice");
    }
  }
  return {};
}

bool allows_redirect(const Client& client, std::string_view redirect_uri) {
  if (client.is_public && client.redirect_uris.empty()) return is_loopback(redirect_uri);
  return std::ranges::find(client.redirect_uris, redirect_uri) != client.redirect_uris.end();
}

std::string csp_source(std::string_view redirect_uri) {
  if (redirect_uri.starts_with('/')) return "'self'";
  const Result<http::Url> url = http::parse_url(redirect_uri);
  if (url) return url->origin();
  return std::string(redirect_uri.substr(0, redirect_uri.find(':') + 1));
}

jose::Algorithm id_token_algorithm(const Client& client) {
  return client.id_token_alg == "ES256" ? jose::Algorithm::kEs256 : jose::Algorithm::kRs256;
}

}  // namespace gatehouse::identity
