// Requests and answers, and the three interfaces through which the roles meet the network and one
// another: Handler (answers a request), Client (sends one), ByteStream (what an upgrade gives).
//
// The same types serve local pages, the provider reached in process without a socket, and proxied
// traffic: a proxied answer is a Response whose body is read piece by piece from the upstream.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "http/headers.h"
#include "http/target.h"

namespace gatehouse::http {

/// Bytes of a body that lie in a socket unread, for who can let the kernel move them on unseen.
class SocketBytes {
 public:
  virtual ~SocketBytes() = default;
  /// Moves up to `limit` of them, at least one, into a pipe, which must be empty; waits until there
  /// are any. How many; errors are those of BodyReader::read().
  virtual Task<Result<std::size_t>> move_into(int pipe, std::size_t limit) = 0;
};

/// A body that arrives piece by piece.
class BodyReader {
 public:
  /// Abandons what has not been read: a connection under it is closed, not kept for reuse.
  virtual ~BodyReader() = default;
  /// The next piece, valid until the next call; empty at the end. An error means that the body is
  /// cut short and the message must not look complete to whoever gets it.
  virtual Task<Result<std::string_view>> read() = 0;
  /// True if the next read() will not wait. A writer flushes before it reads when this is false.
  virtual bool ready() const { return true; }
  /// Where the bytes that read() would give next lie in a socket still, and nobody on their way has
  /// to see them; null otherwise. Asked anew for each piece; either gives the next one.
  virtual SocketBytes* in_socket() { return nullptr; }
  /// After the end: the trailer fields that came, empty if none.
  virtual const Headers& trailers() const;
};

/// Either whole (`bytes`), or a stream. When there is a stream, bytes are no part of the message;
/// they may hold what the stream is about to give, for those who must know it before
/// (gateway/authz/body_buffer.h).
struct Body {
  std::string bytes;
  std::unique_ptr<BodyReader> stream;
  /// Of a stream, when the sender said it.
  std::optional<std::uint64_t> length;

  Body() = default;
  Body(std::string whole) : bytes(std::move(whole)) {}  // NOLINT(google-explicit-constructor)
  explicit Body(std::unique_ptr<BodyReader> reader, std::optional<std::uint64_t> size = {})
      : stream(std::move(reader)), length(size) {}
  bool empty() const { return stream == nullptr && bytes.empty(); }
};

/// Reads the whole body; kExhausted if it is longer than `limit` bytes.
Task<Result<std::string>> read_all(Body& body, std::size_t limit);

/// A connection after an upgrade: bytes in both directions, each with an end of its own.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// What came, valid until the next read; empty at the end.
  virtual Task<Result<std::string_view>> read() = 0;
  /// Returns when all is handed to the kernel.
  virtual Task<Result<void>> write(std::string_view bytes) = 0;
  /// Says that no more will be written.
  virtual void finish() = 0;
  /// Ends both directions at once; a pending read or write fails with kCancelled. Must not throw:
  /// timers call it too.
  virtual void abort() = 0;
};

/// Tells work under way that nobody waits for its answer any more (the client has gone, its session
/// has ended). Two may listen, each for itself: who works for the answer, and the server that waits
/// for that work. All on one loop.
class Cancellation {
 public:
  bool cancelled() const { return cancelled_; }
  void cancel() {
    cancelled_ = true;
    call(worker_);
    call(waiter_);
  }
  /// Called at most once, from cancel(); at once if that has been. An empty function removes it.
  void listen(std::move_only_function<void()> listener) { set(worker_, std::move(listener)); }
  /// The same for the server, which leaves what does not listen itself. Called after the worker.
  void listen_as_waiter(std::move_only_function<void()> listener) {
    set(waiter_, std::move(listener));
  }

 private:
  using Listener = std::move_only_function<void()>;

  static void call(Listener& listener) {
    if (Listener once = std::exchange(listener, nullptr)) once();
  }
  void set(Listener& place, Listener listener) {
    place = std::move(listener);
    if (cancelled_) call(place);
  }

  bool cancelled_ = false;
  Listener worker_, waiter_;
};

enum class Version : std::uint8_t { kHttp10, kHttp11, kHttp2 };

/// What a TLS client showed, verified against the authorities of the listener's host.
struct ClientCertificate {
  std::string sha256;   // of the certificate in DER; lower-case hex
  std::string subject;  // RFC 2253; never with a bare \" or a bare control character
  /// Of subjectAltName (RFC 5280 §4.2.1.6). Entries with anything but visible ASCII are left out.
  std::vector<std::string> uris, dns_names;
  std::string pem;
  std::string chain_pem;  // all that the client sent, its own certificate first
};

/// The other end of a connection, as the listener saw it, or as a PROXY protocol header says.
struct Peer {
  std::string address;  // an IP address without port; brackets never
  std::uint16_t port = 0;
  bool tls = false;
  std::string_view tls_version;                          // "TLSv1.3"; empty without TLS
  std::string server_name;                               // SNI, lower case; empty if none
  std::size_t listener = 0;                              // as the listener's options have it
  std::uint16_t local_port = 0;                          // the listener's own
  std::shared_ptr<const ClientCertificate> certificate;  // null: none was shown
};

/// Of W3C Trace Context; all zeros: none.
using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

/// A request's place in the trace that it belongs to.
struct SpanContext {
  TraceId trace_id{};
  SpanId span_id{};    // of the exchange in this process; zeros: it is not traced
  SpanId parent_id{};  // of the program that asked; zeros: the trace begins here
  bool sampled = false;
};

/// What the access log and the metrics say of a request beyond what the server itself knows.
struct Trace {
  std::string request_id;
  std::string route;     // the name of the route that won; bounded by the configuration
  std::string upstream;  // address the answer came from; empty for local answers
  std::shared_ptr<const std::string> service;  // that the address is of; null for local answers
  std::string user;
  std::string session;            // id, never the cookie
  std::string_view failure = "";  // a short constant: why the answer is not the upstream's
  SpanContext span;

  /// Keeps the strings' memory for the next request.
  void clear();
};

/// Names and values that a route's configuration gives to whoever judges its requests.
using AuthContext = std::vector<std::pair<std::string, std::string>>;

/// Request::upgrade of a CONNECT (RFC 9110 §9.3.6), whose path is "/": the client wants a tunnel.
/// Only servers that are told to serve it make such requests, and any 2xx to it would be taken for
/// the tunnel's beginning.
inline constexpr std::string_view kConnect = "connect";

struct Request {
  std::string method = "GET";
  /// Path and query; normalised by the server, which refused what was ambiguous.
  Target target;
  Version version = Version::kHttp11;
  /// Host and port as the client asked for them: lower case, one, checked. Not in `headers`.
  std::string authority;
  /// Without Host and without the framing (Content-Length, Transfer-Encoding, Connection and what
  /// Connection names, Keep-Alive, TE but trailers, Upgrade): the codecs make those.
  Headers headers;
  Body body;
  /// The protocol asked for: "websocket", "spdy/3.1" or kConnect; empty if none. Others are
  /// dropped.
  std::string upgrade;
  /// Told by who made it: it changes nothing, whatever its method, and may be sent again.
  bool changes_nothing = false;
  /// Told by a handler: the body is one side of a conversation, and pauses for as long as it likes.
  bool may_pause = false;

  /// Filled by a server; defaults when a role makes the request itself.
  std::shared_ptr<const Peer> peer;
  MonotonicTime received{};
  Cancellation* cancellation = nullptr;
  Trace trace;
  /// What the route tells an external authorizer besides the request; null: nothing.
  std::shared_ptr<const AuthContext> auth_context;
};

struct Response {
  int status = 200;
  Headers headers;  // without framing, as in Request; Content-Length only where there is no body
  Body body;
  /// With status 101, which stands for the 2xx of a CONNECT too: what the server joins with the
  /// client's connection.
  std::unique_ptr<ByteStream> upgrade;
  /// Close the client's connection after this answer.
  bool close = false;
};

/// Answers requests. One instance a loop; calls of one instance run on that loop, many at a time.
class Handler {
 public:
  virtual ~Handler() = default;
  /// `request` outlives the task; one that a server has read outlives the answer too. An exception
  /// becomes a 500.
  virtual Task<Response> handle(Request& request) = 0;
};

/// Sends requests: over the network, or straight into a Handler.
class Client {
 public:
  virtual ~Client() = default;
  /// `request` must outlive the task and, if it has a body stream, the answer's body. Errors:
  /// kUnavailable (no connection), kTimeout, kCorrupt (not HTTP), kCancelled.
  virtual Task<Result<Response>> send(Request& request) = 0;
};

/// A Client whose every request is answered by a handler in the same process, with no socket.
class HandlerClient final : public Client {
 public:
  explicit HandlerClient(Handler& handler) : handler_(handler) {}
  Task<Result<Response>> send(Request& request) override;

 private:
  Handler& handler_;
};

/// An answer whose body is whole. Adds Content-Type and `Cache-Control: no-store`.
Response make_response(int status, std::string_view content_type, std::string body);
/// `{"error": code, "error_description": description}` as RFC 6749 §5.2 has it.
Response json_error(int status, std::string_view code, std::string_view description);
/// 301, 302, 303, 307 or 308 to `location`, never cached.
Response redirect(int status, std::string_view location);
/// "Not Found" for 404; "" if unknown.
std::string_view reason_phrase(int status);

}  // namespace gatehouse::http
