// The clients (relying parties) that the configuration registers, and where a browser may be sent
// on their behalf.
//
// Immutable; read by all loops. A client that breaks a rule is refused at start, never at the first
// login.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "jose/jwk.h"

namespace gatehouse::identity {

using Client = config::ClientSettings;

class Clients {
 public:
  explicit Clients(std::vector<Client> clients) : clients_(std::move(clients)) {}

  /// nullptr if there is none of that id.
  const Client* find(std::string_view id) const;
  /// kInvalid names the first client that breaks a rule, and the rule.
  Result<void> check() const;

 private:
  std::vector<Client> clients_;
};

/// Whether codes may be sent to `redirect_uri`, which has been decoded exactly once: it is equal to
/// a registered one, byte for byte (RFC 9700 §2.1). A public client that registered none may use
/// http on a loopback host with any port and path (RFC 8252 §7.3), as with Dex.
bool allows_redirect(const Client& client, std::string_view redirect_uri);

/// What a Content-Security-Policy calls the place that `redirect_uri` leads to: 'self' for a
/// relative one, an origin, or a scheme for an application's own.
std::string csp_source(std::string_view redirect_uri);

/// The algorithm of the client's ID tokens.
jose::Algorithm id_token_algorithm(const Client& client);

}  // namespace gatehouse::identity
