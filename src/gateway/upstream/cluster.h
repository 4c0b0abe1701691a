// A service that routes lead to: its addresses, which of them gets a request, its connections, its
// health and its limits. What Envoy calls a cluster.
//
// One instance a loop (see Clusters), all calls on that loop. Not for the parts of this process
// that routes can name ("identity", "gatekeeper"): those are handlers.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "config/gateway_settings.h"
#include "gateway/upstream/breaker.h"
#include "gateway/upstream/endpoint.h"
#include "gateway/upstream/status.h"
#include "gateway/upstream/stickiness.h"
#include "http/message.h"
#include "net/connection_counts.h"
#include "net/stream.h"

namespace gatehouse::gateway::upstream {

struct SendOptions {
  /// From the request's end to the end of the answer's head, all retries included; 0: none, which
  /// gRPC and its like want.
  std::chrono::milliseconds response_timeout{0};
  /// No progress while a body or tunnel is open; 0: none.
  std::chrono::milliseconds idle_timeout{0};
  /// Outlives the task; null: nothing is retried but what cannot have reached the service.
  const config::RetryPolicy* retry = nullptr;
  /// For whom: what its views show outlives the task.
  Client client;
};

/// A TCP connection to one address, which counts there for as long as it lives.
struct Connection {
  std::string address;  // "192.0.2.1:5432"
  Use use;
  BreakerPlace place;
  net::CountedConnection counted;
  std::unique_ptr<net::Stream> stream;  // last: it goes before its place
};

class Cluster {
 public:
  virtual ~Cluster() = default;

  /// Sends the request to one of the addresses, and to others by these rules:
  ///  - an address that cannot be connected to is left for the next at once, Tried::kLimit in all;
  ///  - one that the upstream says it has not looked at (HTTP/2 REFUSED_STREAM, GOAWAY) is sent
  ///    once more at once;
  ///  - where the service has as many connections as it may, and all are in use, it waits for one,
  ///    at most until `options.response_timeout`: kTimeout. kExhausted if too many wait already;
  ///  - a failure or an answer that `options.retry` names is retried, at another address if there
  ///    is one, after a wait that grows (retry.h); never once a byte of an answer was handed on,
  ///    never a body that is a stream and has been begun, and not beyond the limit and the budget
  ///    of retries.
  /// Names the address in request.trace.upstream, fills an empty request.authority with the
  /// service's, and gives the answer a Set-Cookie field where the load balancer wants one.
  ///
  /// `request` outlives the task and the answer's body; so does its Cancellation. kExhausted (a
  /// circuit breaker: 503), kUnavailable, kNotFound (no address; 503), kTimeout (504), kCorrupt
  /// (502), kCancelled.
  virtual Task<Result<http::Response>> send(http::Request& request, SendOptions options) = 0;

  /// A connection for bytes of any kind; over TLS if the service is https. Errors as of send(), but
  /// nothing waits for a connection to end: kExhausted.
  virtual Task<Result<Connection>> connect(Client client) = 0;

  /// The service's host and port, as a Host field has them.
  virtual const std::string& authority() const = 0;
  virtual ClusterStatus status() const = 0;
};

}  // namespace gatehouse::gateway::upstream
