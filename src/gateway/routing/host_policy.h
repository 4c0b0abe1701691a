// What happens to a request that counts as insecure, by the Host that its authority belongs to.
//
// Immutable. Which requests are insecure is for the listener to say (config::Listen::secure_by);
// whether the TLS handshake was for the same host is the proxy's to check.
#pragma once

#include <cstdint>
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

  /// Of the most particular Host that matches; kRoute if none does. kReject is answered 404.
  Insecure insecure_action(std::string_view authority) const;

 private:
  HostIndex<std::optional<Insecure>> actions_;
};

/// Where kRedirect sends the client, with 301: the same authority, path and query at https. An
/// authority with a port gets `https_port` in its place. nullopt, for 400, without an authority.
std::optional<std::string> https_location(const http::Request& request,
                                          std::uint16_t https_port = 443);

}  // namespace gatehouse::gateway
