// TLS settings, for listeners (certificates that can be replaced while serving) and for clients
// (chain and host name are verified; there is no switch that leaves out the one without the other).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

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

/// Immutable and thread-safe; a reload makes a new one and swaps it (TlsServerSlot).
class ServerTls {
 public:
  /// Reads the files; the error names the file and what is wrong (missing, key does not match,
  /// expired is a warning of the log, not an error).
  static Result<std::shared_ptr<const ServerTls>> load(const ServerTlsOptions& options);
  ~ServerTls();

  struct State;
  const State& state() const { return *state_; }

 private:
  explicit ServerTls(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct ClientTlsOptions {
  std::string ca_file;  // PEM; empty: the system's
  std::string client_certificate_file, client_key_file;
};

class ClientTls {
 public:
  static Result<std::shared_ptr<const ClientTls>> load(const ClientTlsOptions& options);
  ~ClientTls();

  struct State;
  const State& state() const { return *state_; }

 private:
  explicit ClientTls(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse::net
