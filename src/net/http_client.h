// Sends requests to one origin over a pool of connections of one loop, in HTTP/1.1 or HTTP/2.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "http/message.h"
#include "http/url.h"
#include "net/connection_counts.h"
#include "net/http1/codec.h"
#include "net/tcp.h"

namespace gatehouse::net {

struct ClientOptions {
  enum class Protocol {
    kHttp1,
    kHttp2,   // by ALPN, which must choose it; in cleartext by prior knowledge
    kByAlpn,  // what the upstream chooses; in cleartext HTTP/1.1
  };
  Protocol protocol = Protocol::kHttp1;
  std::chrono::milliseconds connect_timeout{3'000};  // 0: none
  // From the request's end to the answer's head; 0: none.
  std::chrono::milliseconds response_timeout{0};
  // No progress while a body or tunnel is open; 0: none.
  std::chrono::milliseconds idle_timeout{300'000};
  std::chrono::milliseconds pool_idle_timeout{30'000};  // 0: none
  std::size_t idle_connections = 256;                   // kept for reuse
  std::size_t connections = 4096;                       // at once; more fail with kExhausted
  std::chrono::milliseconds connection_lifetime{0};     // one that is older ends; 0: no limit
  std::shared_ptr<ConnectionCounts> shared_counts;      // with clients of other addresses; or null
  http1::Limits limits;
  std::shared_ptr<const ClientTls> tls;  // of https origins
  // An IP address to connect to; "": those that the origin's host has.
  std::string address;
  // SNI, and whom the certificate must be for; "": the origin's host.
  std::string server_name;
  TcpKeepAlive keep_alive;
};

/// An origin (scheme, host, port). Rules of reuse: a connection goes back to the pool only after an
/// answer that ended exactly where its framing said, with nothing left over, with the request's
/// body sent whole and neither side asking to close. A request that fails on a reused connection
/// before any byte of the answer came is sent once more on a fresh one, if its method is idempotent
/// (RFC 9110 §9.2.2) and its body is not a stream. 1xx answers but 101 are passed over; a 101 that
/// was not asked for is kCorrupt.
///
/// HTTP/2 multiplexes: another connection is opened when the upstream allows no more streams on
/// those that are open. A request that the upstream says it has not looked at (REFUSED_STREAM, or
/// above GOAWAY's last stream) is sent once more, whatever its method, if none of its body stream
/// has been read. A request that asks for an upgrade becomes an extended CONNECT (RFC 8441);
/// kUnavailable if the upstream does not allow one. A CONNECT is one (RFC 9113 §8.5).
///
/// A WebSocket request without Sec-WebSocket-Key (it came by HTTP/2) gets one where the upstream
/// speaks HTTP/1.1, and the answer's Sec-WebSocket-Accept is held against it.
///
/// A request without `authority` gets the origin's. Its Cancellation resets the connection while
/// the answer or its body is read, and must outlive both; behind a 101 it is the caller's again.
class HttpClient : public http::Client {
 public:
  static std::unique_ptr<HttpClient> make(Loop& loop, Resolver& resolver, http::Url origin,
                                          ClientOptions options);
  /// Like send(), with time-outs of its own for this request.
  struct Timeouts {
    std::chrono::milliseconds response{0};
    std::chrono::milliseconds idle{0};
  };
  /// How far a request that failed has come.
  enum class Progress {
    kUnsent,    // there was no connection: nothing of it, and nothing of its body, was used
    kRefused,   // the upstream says that it has not looked at it (HTTP/2 REFUSED_STREAM, GOAWAY)
    kSent,      // the upstream may have had it
    kAnswered,  // something of an answer came
  };
  /// `progress`, if not null, tells of failures only, and must outlive the task; what is kRefused
  /// and has no body stream is then not sent again here.
  virtual Task<Result<http::Response>> send(http::Request& request, Timeouts timeouts,
                                            Progress* progress = nullptr) = 0;
  using http::Client::send;

  /// Connections that are open, idle ones included.
  virtual std::size_t connections() const = 0;
  /// Closes the connection that has idled for longest, to make room; false if none idles.
  virtual bool close_idle() = 0;
};

}  // namespace gatehouse::net
