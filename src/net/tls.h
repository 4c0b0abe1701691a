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

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace gatehouse::net {

/// What a listener does for some host names. Each thing in PEM is a file, or the text itself.
struct TlsHost {
  /// "example.org"; "*.example.org", which is every name below it; "" or "*": every other name, and
  /// clients that name none. Empty: the names that the certificate is for and, of the first host
  /// that is without names, every other name too.
  std::vector<std::string> names;
  std::string certificate_file;  // leaf first
  std::string key_file;
  std::string certificate_pem;
  Secret key_pem;
  /// Who may have certified a client: each certificate of these is trusted by itself. Empty: a
  /// client is asked for no certificate.
  std::string client_ca_file;
  std::string client_ca_pem;
  bool client_required = false;  // false: a client without certificate is let in too
  /// Revoked client certificates: with this, each authority of a client's chain must have a list.
  std::string crl_file;
  std::string crl_pem;
  std::string min_version = "1.2";  // 1.2 or 1.3
  std::string max_version = "1.3";
  std::vector<std::string> ciphers;  // of TLS 1.2, by OpenSSL's names; empty: the default
  std::vector<std::string> curves;   // by OpenSSL's names; empty: the default
  /// In the order of our preference. Empty: none is agreed upon, whatever the client offers.
  std::vector<std::string> alpn = {"h2", "http/1.1"};
};

struct ServerTlsOptions {
  std::vector<TlsHost> hosts;  // at least one
};

/// Immutable and thread-safe; a reload makes a new one and gives it to each Listener::set_tls().
///
/// TLS 1.3 or 1.2, by default ciphers with forward secrecy alone; no renegotiation, no compression,
/// no early data. SNI chooses the host: the exact name, then the longest pattern, then the one for
/// all others; if there is none, the client is refused. All of the host's rules hold then, those
/// for clients' certificates included. Sessions resume by tickets, sealed under random keys that
/// change every hour, at the same host alone, and not where client certificates are asked for: each
/// connection shows its own, so that what is revoked or expired meanwhile is refused. A client
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
  /// The index in `hosts` of the one that a client gets with that SNI ("": without). Nullopt: it is
  /// refused. Two names of different hosts must not share a connection (RFC 9110 §7.4, 421).
  std::optional<std::size_t> host_of(std::string_view server_name) const;

  struct State;
  const State& state() const { return *state_; }

 private:
  explicit ServerTls(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A certificate that nobody vouches for, and its key, for a first start without any.
struct SelfSigned {
  std::string certificate_pem;
  Secret key_pem;
};
/// P-256, valid for a year from now, for DNS names and IP addresses; the first is the subject too.
/// kInvalid if there is none or one is neither; kInternal if OpenSSL fails.
Result<SelfSigned> make_self_signed(const std::vector<std::string>& names);

struct ClientTlsOptions {
  std::string ca_file;  // PEM; with ca_pem empty too: the system's
  std::string ca_pem;   // the text itself
  std::string client_certificate_file, client_key_file;
  std::string client_certificate_pem;
  Secret client_key_pem;
};

/// Immutable and thread-safe.
class ClientTls {
 public:
  /// The error names the file and what is wrong.
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
