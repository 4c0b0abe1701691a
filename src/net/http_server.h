// Serves HTTP on the connections of one listener: reads requests, calls the Handler, writes
// answers, keeps connections alive, joins upgrades, drains.
//
// One send per answer where it fits; bodies stream both ways without being held; no buffer is held
// while a connection idles. A handler that does not read the body has it drained up to a limit,
// else the connection closes. `Expect: 100-continue` is answered when the handler first reads the
// body.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "http/message.h"
#include "net/http1/codec.h"
#include "net/limit_counts.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tcp.h"

namespace gatehouse::net {

struct ServerOptions {
  http1::Limits limits;
  std::chrono::milliseconds head_timeout{10'000};  // from a request's first byte to its head's end
  std::chrono::milliseconds keep_alive_timeout{75'000};  // idle between requests
  std::chrono::milliseconds body_idle_timeout{60'000};   // no progress of a request's body
  std::chrono::milliseconds write_idle_timeout{60'000};  // no progress of an answer
  // Who has only finished sending, as `nc -N` does, reads the answer; who has closed looks the same
  // until something is sent. So long an answer is waited for, or its next piece.
  std::chrono::milliseconds half_closed_timeout{3'000};
  std::chrono::milliseconds tunnel_idle_timeout{0};  // of an upgrade; 0: none
  std::size_t undrained_body_limit = 256 * 1024;
  std::size_t requests_per_connection = 0;  // 0: no limit
  std::uint64_t body_bytes = 0;             // of a request; longer: 413; 0: no limit
  std::size_t body_bytes_per_second = 0;    // a body that comes more slowly is cut; 0: no limit
  struct Http2 {
    bool enabled = true;                          // by ALPN, and in cleartext by prior knowledge
    std::size_t streams = 100;                    // of one connection, at once
    std::size_t resets_per_second = 100;          // of streams, by the client
    std::size_t continuation_frames = 16;         // of one header block
    std::size_t control_frames_per_second = 100;  // PING, SETTINGS, empty DATA
  } http2;
  LimitCounts* limit_counts = nullptr;  // of the loop; may be null, else outlives the server
};

/// What is known of an exchange when it has ended.
struct Exchange {
  const http::Request& request;
  const http::Response* response = nullptr;  // null: the connection broke before there was one
  int status = 0;                            // 0: the same
  std::uint64_t received = 0;                // bytes of the request's body
  std::uint64_t sent = 0;                    // bytes of the answer's body (or through the tunnel)
  MonotonicTime started{}, answered{}, finished{};
  bool complete = true;  // false if either side cut it short

  /// Of the answer's body; null if there are none.
  const http::Headers* trailers() const {
    const bool streamed = response != nullptr && response->body.stream != nullptr;
    return streamed ? &response->body.stream->trailers() : nullptr;
  }
};

/// Is told of each exchange, on the loop; must not block. Also of requests refused by the codec,
/// whose Request is then as far as it was read.
class ExchangeObserver {
 public:
  virtual ~ExchangeObserver() = default;
  virtual void ended(const Exchange& exchange) = 0;
};

/// One listener of one loop.
class HttpServer {
 public:
  /// `handler` and `observer` (may be null) must outlive the server.
  static Result<std::unique_ptr<HttpServer>> open(Loop& loop, Listener::Options listener,
                                                  ServerOptions options, http::Handler& handler,
                                                  ExchangeObserver* observer);
  virtual ~HttpServer() = default;
  virtual Endpoint endpoint() const = 0;
  virtual void set_tls(std::shared_ptr<const ServerTls> tls) = 0;
  /// What new connections are held to, as of Listener::set_limits(); and what requests are that
  /// begin from now on.
  virtual void set_limits(const Listener::Options& listener, const ServerOptions& options) = 0;
  virtual std::size_t connections() const = 0;

  /// From now on answers end their connections, and clients of HTTP/2 are told to open no more
  /// streams; what is open and what is new is served on, until drain().
  virtual void dismiss() = 0;
  /// Stops accepting, lets exchanges under way finish with `Connection: close`, closes idle
  /// connections, and cuts what is left after `limit`. Returns when all are gone.
  virtual Task<void> drain(std::chrono::milliseconds limit) = 0;
};

}  // namespace gatehouse::net
