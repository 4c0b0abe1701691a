// TLS settings, for listeners (certificates that can be replaced while serving) and for clients
// (chain and host name are verified; there is no switch that leaves out the one without the other).
//
// How it is carried: OpenSSL reads and writes the socket through a BIO over the stream itself
// rather than a pair of memory BIOs, which saves a copy each way and lets the loop's knowledge of
// edges save system calls: one recv (read-ahead takes a record's head and body together) and one
// send a record. A short message is one record, gathered from its pieces; there is no splitting of
// first records. SSL_MODE_RELEASE_BUFFERS gives the two buffers (34 KB) back while a connection
// idles. A record that the socket took in part is finished by the next write (partial writes,
// moving buffer).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace gatehouse::net {

struct ServerTlsOptions {
  struct Certificate {
    std::string certificate_file;  // PEM, leaf first
    std::string key_file;          // PEM
  };
  std::vector<Certificate> certificates;  // chosen by SNI; the first is the default
  std::vector<std::string> alpn = {"http/1.1"};
  bool allow_tls12 = true;  // never lower
};

/// Immutable and thread-safe; a reload makes a new one and gives it to each Listener::set_tls().
///
/// TLS 1.3 or 1.2, ciphers with forward secrecy alone, no renegotiation, no compression, no early
/// data. Sessions resume by tickets, sealed under random keys that change every hour. A client
/// whose ALPN names nothing of `alpn` is refused; one without ALPN is served.
class ServerTls {
 public:
  /// Reads the files; the error names the file and what is wrong (missing, key does not match,
  /// expired is a warning, not an error).
  static Result<std::shared_ptr<const ServerTls>> load(const ServerTlsOptions& options);
  ~ServerTls();
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;

  /// What whoever loaded it should write to the log: a sentence each.
  const std::vector<std::string>& warnings() const;

  struct State;
  const State& state() const { return *state_; }

 private:
  explicit ServerTls(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Each as a PEM file or as the PEM text itself, which goes before the file.
struct ClientTlsOptions {
  std::string ca_file;  // both empty: the system's
  std::string client_certificate_file, client_key_file;
  std::string ca_pem;
  std::string client_certificate_pem;
  Secret client_key_pem;
};

/// Immutable and thread-safe.
class ClientTls {
 public:
  /// The error names the file (or says which text) and what is wrong.
  static Result<std::shared_ptr<const ClientTls>> load(const ClientTlsOptions& options);
  ~ClientTls();
  ClientTls(const ClientTls&) = delete;
  ClientTls& operator=(const ClientTls&) = delete;

  struct State;
  const State& state() const { return *state_; }

 private:
  explicit ClientTls(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse::net
