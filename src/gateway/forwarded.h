// What is said to upstreams of the client's own connection: X-Forwarded-For, -Proto, -Host and
// X-Request-Id.
//
// From a peer that is no trusted proxy nothing of the kind is believed: all such fields, under any
// spelling that an upstream could confuse, are removed before ours are set. From a trusted proxy
// the fields that are well formed are kept, and X-Forwarded-For grows by the proxy's own address.
// Forwarded (RFC 7239) is always removed: two accounts of one thing can differ.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "config/settings.h"
#include "http/message.h"
#include "http/trusted_proxies.h"

namespace gatehouse::gateway {

/// Ids of requests: unique in the process as far as chance allows, in no order, of 13 characters.
class RequestIds {
 public:
  explicit RequestIds(Entropy& entropy);
  std::string next();

 private:
  std::uint64_t state_;
};

/// By what a listener's requests count as secure: by X-Forwarded-Proto of a trusted proxy, else by
/// the connection; or whatever comes.
enum class SecureBy { kForwarded, kAlways, kNever };

/// Of one listener; see config::Listen.
struct ListenerTrust {
  std::size_t hops = 0;
  SecureBy secure_by = SecureBy::kForwarded;
  /// What X-Forwarded-Client-Cert says of a client's certificate; see config::Tls. Empty: nothing.
  std::vector<std::string> forward_client;
};

struct ForwardedOptions {
  std::vector<ListenerTrust> listeners;  // by http::Peer::listener; one that is not here has none
  bool keep_request_id = true;           // that of a trusted proxy
  bool keep_any_request_id = false;      // that of every client
};

/// Who asks, as far as it is believed.
struct Client {
  std::string address;  // "" if there is no peer
  bool secure = false;
};

class Forwarded {
 public:
  /// As the settings have it. kInvalid names a trusted proxy that is no address.
  static Result<Forwarded> make(const config::Gateway& settings);
  explicit Forwarded(http::TrustedProxies trusted, ForwardedOptions options = {})
      : trusted_(std::move(trusted)), options_(std::move(options)) {}

  /// True if what the request's peer says of the client is believed.
  bool trusts(const http::Request& request) const;
  /// The address behind all trusted proxies, or behind the listener's number of hops; and whether
  /// the client came by https.
  Client client(const http::Request& request) const;
  /// The id the request came with, if it is from a trusted proxy and well formed; else "".
  std::string_view request_id(const http::Request& request) const;
  /// Rewrites the fields in `headers`, which are those of `request` or a copy. X-Request-Id is set
  /// from request.trace.request_id.
  void apply(const http::Request& request, http::Headers& headers) const;
  /// Only removes what a peer that is not trusted says of the client: for handlers in this process,
  /// which see the peer itself.
  void strip_untrusted(const http::Request& request, http::Headers& headers) const;

 private:
  void add_client_certificate(const http::Request& request, http::Headers& headers) const;
  const ListenerTrust& listener_of(const http::Request& request) const;
  bool secure(const http::Request& request, bool trusted) const;

  http::TrustedProxies trusted_;
  ForwardedOptions options_;
  ListenerTrust plain_;  // of listeners that are not in the options
};

}  // namespace gatehouse::gateway
