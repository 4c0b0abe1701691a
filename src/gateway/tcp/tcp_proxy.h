// Passes connections through to upstreams, by port and by the name that TLS clients ask for; TLS
// ends here or passes through untouched. One a loop.
//
// A connection: its ClientHello is read if names matter; its route is chosen; TLS is begun if it
// ends here; the upstream is connected to; bytes go both ways, with the sender held back by the
// receiver, each direction with an end of its own, until both have ended, either breaks, or neither
// says anything for idle_timeout. Whom no route is for, or whose upstream cannot be reached, is
// reset.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "gateway/tcp/tcp_routes.h"
#include "http/message.h"
#include "net/loop.h"
#include "net/tcp.h"

namespace gatehouse::gateway {

/// How a connection ended.
enum class TcpResult : std::uint8_t {
  kOk,  // both sides ended in order
  kBadClientHello,
  kClientClosed,  // before its name was known
  kDrained,
  kHandshake,         // TLS that ends here
  kHandshakeTimeout,  // of the ClientHello
  kIdleTimeout,
  kInternalError,
  kNoRoute,  // for the name that was asked for
  kReset,    // either side broke off
  kUpstreamConnect,
  kCount
};

/// Names for logs and metrics.
inline constexpr std::array<std::string_view, static_cast<std::size_t>(TcpResult::kCount)>
    kTcpResultNames = {"ok",           "bad_client_hello", "client_closed",
                       "drained",      "handshake",        "handshake_timeout",
                       "idle_timeout", "internal_error",   "no_route",
                       "reset",        "upstream_connect"};

/// What became of a connection.
struct TcpOutcome {
  const http::Peer& peer;
  const config::TcpRoute* route = nullptr;  // null: none was chosen
  std::string_view upstream;                // the address that was connected to; "" if none was
  TcpResult result = TcpResult::kOk;
  std::string_view reason;               // of a failure, for a person; may be empty
  std::uint64_t received = 0, sent = 0;  // bytes, from and to the client
  std::chrono::nanoseconds duration{0};

  /// The result's name; "" if it is none.
  std::string_view failure() const {
    return result == TcpResult::kOk ? "" : kTcpResultNames[static_cast<std::size_t>(result)];
  }
};

class TcpProxy {
 public:
  /// A connection to an upstream.
  struct Upstream {
    std::shared_ptr<void> counted;  // where it counts for as long as it lasts; may be null
    std::unique_ptr<net::Stream> stream;
    std::string address;  // for TcpOutcome
  };
  /// Connects to the upstream of a route, which outlives the task; with a time-out.
  using Connect = std::function<Task<Result<Upstream>>(const config::TcpRoute&)>;
  /// Called at each connection's end, on the loop; must not throw.
  using Observe = std::function<void(const TcpOutcome&)>;

  struct Options {
    /// For each listener; endpoint and tls are the routes'. Its handshake_timeout is for the
    /// ClientHello too.
    net::Listener::Options listener;
    Connect connect;
    Observe observe;  // may be empty
  };

  /// Listens on all addresses of the routes. Errors as Listener::open() has them.
  static Result<std::unique_ptr<TcpProxy>> open(net::Loop& loop,
                                                std::shared_ptr<const TcpRoutes> routes,
                                                Options options);
  virtual ~TcpProxy() = default;
  /// In the order of the routes' listens(), with the ports that the system chose.
  virtual std::vector<net::Endpoint> endpoints() const = 0;
  /// New connections get these routes; what is open goes on. Addresses come and go with them: what
  /// is open on one that goes is reset after `drain_limit`. If a new one cannot be listened on,
  /// that is the error, and all stays as it was.
  virtual Result<void> set_routes(std::shared_ptr<const TcpRoutes> routes,
                                  std::chrono::milliseconds drain_limit) = 0;
  /// What new connections are held to, as of Listener::set_limits().
  virtual void set_limits(const net::Listener::Options& listener) = 0;
  virtual std::size_t connections() const = 0;
  /// Accepts no more, waits until all connections have ended, and resets those that are left after
  /// `limit`. Once; `this` must outlive it.
  virtual Task<void> drain(std::chrono::milliseconds limit) = 0;
};

}  // namespace gatehouse::gateway
