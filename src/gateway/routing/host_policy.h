// What a request's Host says of it before its route is looked for: whether there is one at all, and
// what happens if the request counts as insecure.
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
  enum class Outcome {
    kRoute,
    kUnknown,   // 404: no Host is for it, and there has to be one
    kRedirect,  // 301 to https_location()
    kReject     // 404: insecure
  };
  enum class Unknown { kRoute, kReject };

  /// Lets all requests take their routes.
  HostPolicy() = default;
  /// A host with a wrong or repeated hostname is left out; one with a wrong action rejects.
  static HostPolicy make(const std::vector<config::Host>& hosts, Unknown unknown,
                         std::vector<Problem>& problems);

  /// By the most particular Host that matches. Where certificate authorities look for an answer
  /// over plain HTTP (RFC 8555 §8.3), and load balancers for a sign of life by whatever name
  /// (/ambassador/v0/check_…), it is kRoute always.
  Outcome outcome(const http::Request& request, bool secure) const;
  /// The most particular Host but "*" that has TLS of its own asks clients for certificates. Who
  /// named no host in the handshake was not asked by it.
  bool asks_for_certificates(std::string_view authority) const;

 private:
  struct Rules {
    std::optional<Outcome> insecure;
    std::optional<bool> asks_for_certificates;  // nullopt: no TLS of its own
  };

  std::optional<Outcome> insecure(std::string_view authority) const;

  HostIndex<Rules> rules_;
  Unknown unknown_ = Unknown::kRoute;
};

/// Where kRedirect sends the client, with 301: the same host, path and query at https, at the
/// default port or at the authority's own. nullopt, for 400, without an authority.
enum class HttpsPort { kDefault, kSame };
std::optional<std::string> https_location(const http::Request& request,
                                          HttpsPort port = HttpsPort::kDefault);

}  // namespace gatehouse::gateway
