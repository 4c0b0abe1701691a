// For tests: a TLS client of OpenSSL's own on a blocking socket, which resumes sessions and begins
// with whatever bytes it is told, as ours does not. Runs on a thread of its own.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <string>

#include "net/file_descriptor.h"
#include "net/openssl.h"

namespace gatehouse::net {

using SessionPtr = std::unique_ptr<SSL_SESSION, FreeBy<SSL_SESSION_free>>;

struct TestVisit {
  struct Wish {
    std::string name;  // SNI; empty: none
    int version = TLS1_3_VERSION;
    SSL_SESSION* session = nullptr;  // to resume
    std::string first_bytes;         // before TLS
    std::string certificate_file, key_file;
    std::string groups;
    std::string alpn;  // as on the wire
  };
  bool welcome = false;  // the handshake is done, and the server's first byte has come
  bool resumed = false;
  std::string certificate;  // the server's subject
  std::string alpn;
  SessionPtr session;
  std::string error;
};

inline FileDescriptor connect_to_loopback(std::uint16_t port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    socket.close();
  }
  return socket;
}

/// Blocks; the server must be on another thread and send a byte first.
inline TestVisit pay_visit(std::uint16_t port, const TestVisit::Wish& wish) {
  TestVisit visit;
  const FileDescriptor socket = connect_to_loopback(port);
  if (::send(socket.get(), wish.first_bytes.data(), wish.first_bytes.size(), MSG_NOSIGNAL) < 0) {
    return visit;
  }
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), wish.version);
  SSL_CTX_set_max_proto_version(context.get(), wish.version);
  if (!wish.groups.empty()) SSL_CTX_set1_groups_list(context.get(), wish.groups.c_str());
  if (!wish.certificate_file.empty()) {
    SSL_CTX_use_certificate_chain_file(context.get(), wish.certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(context.get(), wish.key_file.c_str(), SSL_FILETYPE_PEM);
  }
  const SslPtr ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), socket.get());
  if (!wish.name.empty()) SSL_set_tlsext_host_name(ssl.get(), wish.name.c_str());
  SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(wish.alpn.data()),
                      static_cast<unsigned int>(wish.alpn.size()));
  if (wish.session != nullptr) SSL_set_session(ssl.get(), wish.session);
  char byte = 0;
  visit.welcome = SSL_connect(ssl.get()) == 1 && SSL_read(ssl.get(), &byte, 1) == 1;
  if (!visit.welcome) {
    visit.error = last_openssl_error();
    return visit;
  }
  visit.resumed = SSL_session_reused(ssl.get()) == 1;
  visit.session.reset(SSL_get1_session(ssl.get()));
  const CertificatePtr certificate(SSL_get1_peer_certificate(ssl.get()));
  char name[256] = {};
  X509_NAME_oneline(X509_get_subject_name(certificate.get()), name, sizeof name);
  visit.certificate = name;
  const unsigned char* alpn = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl.get(), &alpn, &size);
  visit.alpn.assign(reinterpret_cast<const char*>(alpn), size);
  SSL_shutdown(ssl.get());
  return visit;
}

}  // namespace gatehouse::net
