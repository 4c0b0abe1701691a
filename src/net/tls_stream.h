// TLS over a SocketStream.
//
// OpenSSL reads and writes the socket through a BIO of our own that calls receive() and send(), so
// that one buffer is between the socket and the caller, and the knowledge of edges saves the calls
// that would find nothing. With read-ahead, a record's head and body come by one recv; one record
// goes by one send; pieces are gathered into a record. Buffers are given back while nothing is
// under way (SSL_MODE_RELEASE_BUFFERS).
//
// A server's messages of the handshake are held back until the client's next ones are asked for, so
// that a flight goes by one send; the ticket at its end goes with the first answer, if the request
// has come together with the end of the handshake.
//
// After finish() reading is good only for what was read before the peer's next ticket or key
// update: OpenSSL ends it there. Nothing here reads on after having finished, but to let the peer
// take the last answer before the socket closes.
#pragma once

#include <memory>
#include <string>

#include "http/message.h"
#include "net/openssl.h"
#include "net/socket_stream.h"
#include "net/tls.h"

namespace gatehouse::net {

class TlsStream final : public SocketStream {
 public:
  /// The server's side of an accepted socket, before its handshake. `early`: what was read from it
  /// already.
  static Result<std::unique_ptr<TlsStream>> accept(Loop& loop, FileDescriptor socket,
                                                   std::shared_ptr<const ServerTls> tls,
                                                   std::string_view early = {});

  struct Target {
    std::string name;  // a DNS name or an IP address: what the certificate must be for
    std::vector<std::string> alpn;
  };
  /// The client's side of a socket that may still be connecting.
  static Result<std::unique_ptr<TlsStream>> connect(Loop& loop, FileDescriptor socket,
                                                    std::shared_ptr<const ClientTls> tls,
                                                    const Target& target);

  /// Once, before anything else but waiting for the connection. Set deadlines for both directions.
  /// kTimeout; kUnavailable with the reason.
  Task<Result<void>> handshake();

  IoResult try_read(std::span<char> into) override;
  IoResult try_write(std::span<const iovec> pieces) override;
  bool splices() const override { return false; }
  void finish() override;
  std::string_view protocol() const override;
  std::string_view server_name() const override { return server_name_; }
  bool secure() const override { return true; }

  /// After the handshake: "TLSv1.3".
  std::string_view version() const;
  /// Of the server's side, after the handshake: what the client showed, verified. Null if nothing.
  std::shared_ptr<const http::ClientCertificate> client_certificate() const;

  /// The stream that owns the connection.
  static TlsStream& of(SSL* ssl) { return *static_cast<TlsStream*>(SSL_get_app_data(ssl)); }
  /// As the client asked for it, lower case.
  void set_server_name(std::string name) { server_name_ = std::move(name); }
  static BioMethodPtr make_bio_method();
  /// Of the loop of the TlsStream that owns the connection.
  static MonotonicTime time_of(SSL* ssl);

 private:
  /// The TLS settings are kept because the connection uses them by reference.
  TlsStream(Loop& loop, FileDescriptor socket, bool connecting, std::shared_ptr<const void> tls,
            SSL_CTX* context);
  Result<void> start(const BIO_METHOD* method);

  static int bio_write(BIO* bio, const char* data, int size);
  static int bio_read(BIO* bio, char* data, int size);
  static long bio_control(BIO* bio, int command, long number, void* pointer);

  void on_writable() override;
  /// Sends `data` behind what is held back. True once nothing of that is left; `sent` is then of
  /// `data` alone.
  bool send_held(std::span<const char> data, IoResult& sent);
  /// After a call of OpenSSL that gave `result` on behalf of `direction`.
  IoResult interpret(Direction direction, int result);
  IoResult write_record(std::span<const iovec> pieces);
  std::string failure_reason() const;
  void send_close_notify();

  const std::shared_ptr<const void> tls_;
  SslPtr ssl_;
  bool end_of_input_ = false;  // the socket's
  bool finishing_ = false;     // close_notify waits for room in the socket's buffer
  std::size_t sealed_ = 0;     // bytes of the caller in a record that has not gone out whole
  bool holding_back_ = false;  // what OpenSSL writes
  std::unique_ptr<std::string> held_;    // of the handshake; null if nothing
  std::unique_ptr<std::string> reason_;  // why TLS failed; null if it has not
  std::string server_name_;
};

}  // namespace gatehouse::net
