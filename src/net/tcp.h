// TCP (and TLS over it): listening, accepting, connecting, names.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "http/trusted_proxies.h"
#include "net/address_counts.h"
#include "net/limit_counts.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"

namespace gatehouse::net {

/// A listening socket of one loop. Several loops listen on one address by SO_REUSEPORT.
class Listener {
 public:
  struct Options {
    Endpoint endpoint;
    std::shared_ptr<const ServerTls> tls;   // null: plain
    std::size_t connection_limit = 20'000;  // of this listener; more wait in the backlog
    /// Of TLS, and of the PROXY protocol's header before it.
    std::chrono::milliseconds handshake_timeout{10'000};
    /// With `tls`: what does not begin with a TLS handshake is served in cleartext.
    bool cleartext_too = false;
    /// Connections begin with a PROXY protocol header; one without is closed. Peer's address and
    /// port are then the client's.
    bool proxy_protocol = false;
    std::size_t index = 0;  // for Peer::listener
    /// Over so many of one client's address (of its /64, if IPv6), a connection is reset at once;
    /// 0: no limit. Those of `uncounted` (null: nobody) have none.
    std::size_t connections_per_address = 0;
    std::shared_ptr<const http::TrustedProxies> uncounted;
    /// Shared by all loops of the process. Null: no limit.
    std::shared_ptr<AddressCounts> address_counts;
    LimitCounts* limit_counts = nullptr;  // of this loop; outlives the listener; may be null
  };
  /// Called for each connection, after its handshake.
  using Accept = std::move_only_function<void(std::unique_ptr<Stream>, http::Peer)>;

  /// kConflict if the port is in use; the message names it and says what to do. Listeners of the
  /// same user share a port silently (SO_REUSEPORT): see check_port_free().
  static Result<std::unique_ptr<Listener>> open(Loop& loop, Options options, Accept accept);
  virtual ~Listener() = default;
  /// With the port that the system chose, if 0 was asked for.
  virtual Endpoint endpoint() const = 0;
  /// Accepts no more; what is open goes on, handshakes included. The destructor ends handshakes.
  virtual void close() = 0;
  /// New connections get these certificates. A plain listener stays plain.
  virtual void set_tls(std::shared_ptr<const ServerTls> tls) = 0;
  /// New connections get these limits: all of `options` but endpoint, tls, index and counts.
  virtual void set_limits(const Options& options) = 0;
  /// A connection that came from here has ended: called once for each that Accept was given.
  virtual void release() = 0;
};

/// Begins TLS, as its server, on a plain connection of a Listener's: what has been read from it is
/// `early`. Errors as of a handshake that fails: kTimeout, kUnavailable.
Task<Result<std::unique_ptr<Stream>>> start_tls(Loop& loop, std::unique_ptr<Stream> plain,
                                                std::string_view early,
                                                std::shared_ptr<const ServerTls> tls,
                                                std::chrono::milliseconds timeout);

/// kConflict if somebody listens on the endpoint already, be it another process of the same user
/// that would share it. The composition root calls it once, before the loops open their listeners.
Result<void> check_port_free(const Endpoint& endpoint);

struct ResolverOptions {
  /// "address:port,address"; empty: those of /etc/resolv.conf, as it is when the resolver is made.
  std::string name_servers;
};

/// Turns host names into addresses, by c-ares, with a cache that honours TTLs (1 s to 5 min) and
/// keeps 1,024 names at most. Several who ask for one name share one query. /etc/hosts goes before
/// DNS; localhost and what ends in .localhost is the loopback without either (RFC 6761 §6.3).
class Resolver {
 public:
  /// What a name stands for, and for how long that may be relied on.
  struct Lookup {
    std::vector<std::string> addresses;
    std::chrono::seconds ttl;  // what is left of it; of literals and localhost the longest
  };
  static constexpr std::chrono::seconds kLongestTtl{300};

  static std::unique_ptr<Resolver> make(Loop& loop, const ResolverOptions& options = {});
  virtual ~Resolver() = default;
  /// IP addresses as text; literals come back as they are. kUnavailable, kNotFound, kTimeout;
  /// kExhausted if too many queries are under way; kCancelled if the resolver goes meanwhile.
  virtual Task<Result<std::vector<std::string>>> resolve(std::string host) = 0;
  /// Like resolve(), with the TTL. An answer that has been in the cache for max_age or longer is
  /// asked for again, whatever its TTL. A resolver without TTLs says kLongestTtl.
  virtual Task<Result<Lookup>> look_up(std::string host, std::chrono::seconds max_age);
};

/// Probes that find a peer that has gone without a word (RFC 9293 §3.8.4). 0: as the system has it;
/// all 0: none are sent. Rounded up to seconds.
struct TcpKeepAlive {
  std::chrono::milliseconds idle{0};      // without a byte, before the first probe
  std::chrono::milliseconds interval{0};  // between probes
  std::size_t probes = 0;                 // unanswered, until the connection is broken
  bool operator==(const TcpKeepAlive&) const = default;
};

struct ConnectOptions {
  std::chrono::milliseconds timeout{3'000};  // TLS handshake included; 0: none
  TcpKeepAlive keep_alive;
  std::shared_ptr<const ClientTls> tls;  // null: plain
  // Of TLS: what the certificate must be for, sent as SNI if a DNS name. Empty: the IP address.
  std::string server_name;
  std::vector<std::string> alpn = {"http/1.1"};
};
/// Connects to an IP address. kUnavailable (refused, unreachable, bad certificate: the message says
/// which), kTimeout.
Task<Result<std::unique_ptr<Stream>>> connect(Loop& loop, std::string address, std::uint16_t port,
                                              ConnectOptions options);

}  // namespace gatehouse::net
