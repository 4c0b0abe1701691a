// What ServerTls and ClientTls hold: OpenSSL's contexts, and how a TlsStream is put on a socket.
#pragma once

#include <string>
#include <vector>

#include "net/openssl.h"
#include "net/pem_files.h"
#include "net/ticket_keys.h"
#include "net/tls.h"

namespace gatehouse::net {

struct ServerTls::State {
  mutable TicketKeys ticket_keys;  // guards itself
  std::vector<Credential> credentials;
  std::string alpn;  // as on the wire, in the order of our preference
  std::vector<std::string> warnings;
  BioMethodPtr bio_method;
  SslContextPtr context;
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

}  // namespace gatehouse::net
