// What happens to a request that counts as insecure, by the Host that its authority belongs to.
//
// Immutable. Which requests are insecure is for the listener to say (config::Listen::secure_by);
// whether the TLS handshake was for the same host is the proxy's to check.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/gateway_settings.h"
#include "gateway/routing/host_pattern.h"
#include "gateway/routing/problem.h"
#include "http/message.h"

namespace gatehouse::gateway {

class HostPolicy {
 public:
  enum class Insecure { kRoute, kRedirect, kReject };

  /// Lets all requests take their routes.
  HostPolicy() = default;
  /// A host with a wrong or repeated hostname is left out; one with a wrong action rejects.
  static HostPolicy make(const std::vector<config::Host>& hosts, std::vector<Problem>& problems);

  /// A Host matches.
  bool knows(std::string_view authority) const;
  /// Of the most particular Host that matches; kRoute if none does. kReject is answered 404.
  Insecure insecure_action(std::string_view authority) const;
  /// The most particular Host but "*" that has TLS of its own asks clients for certificates. Who
  /// named no host in the handshake was not asked by it.
  bool asks_for_certificates(std::string_view authority) const;

 private:
  struct Rules {
    std::optional<Insecure> insecure;
    std::optional<bool> asks_for_certificates;  // nullopt: no TLS of its own
  };

  HostIndex<Rules> rules_;
};

/// Where kRedirect sends the client, with 301: the same host, path and query at https, at the
/// default port or at the authority's own. nullopt, for 400, without an authority.
enum class HttpsPort { kDefault, kSame };
std::optional<std::string> https_location(const http::Request& request,
                                          HttpsPort port = HttpsPort::kDefault);

}  // namespace gatehouse::gateway
