// What ServerTls and ClientTls hold: OpenSSL's contexts, and how a TlsStream is put on a socket.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "net/openssl.h"
#include "net/pem_files.h"
#include "net/server_names.h"
#include "net/ticket_keys.h"
#include "net/tls.h"

namespace gatehouse::net {

struct ServerTls::State {
  /// A host as OpenSSL serves it. What a context does not hand on to a connection that changes to
  /// it is set there again: see on_client_hello().
  struct Host {
    SslContextPtr context;
    std::string alpn;         // as on the wire, in the order of our preference
    std::vector<int> groups;  // NIDs
    int min_version = TLS1_2_VERSION;
    int max_version = TLS1_3_VERSION;
    int verify = SSL_VERIFY_NONE;
  };

  mutable TicketKeys ticket_keys;  // guards itself
  std::vector<Host> hosts;         // of which connections begin with the first
  ServerNames names;               // → index in `hosts`
  std::vector<std::string> warnings;
  BioMethodPtr bio_method;
};

struct ClientTls::State {
  BioMethodPtr bio_method;
  SslContextPtr context;
};

/// Protocol names as ALPN has them on the wire (RFC 7301 §3.1). Empty or overlong names are left
/// out.
std::string alpn_on_the_wire(const std::vector<std::string>& protocols);

/// What server and client have in common. kInternal if OpenSSL gives none.
Result<SslContextPtr> make_context(const SSL_METHOD* method);

/// The peer's chain may end in any of these.
Result<void> trust_all(SSL_CTX& context, const std::vector<CertificatePtr>& authorities);

}  // namespace gatehouse::net
