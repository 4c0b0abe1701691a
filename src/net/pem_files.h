// Certificates and private keys from PEM files; errors name the file and what is wrong with it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "net/openssl.h"

namespace gatehouse::net {

/// A certificate, those that it was issued by (without the root, as a server sends them), its key.
struct Credential {
  CertificatePtr certificate;
  std::vector<CertificatePtr> chain;
  KeyPtr key;
  std::string file;  // of the certificate
};

Result<Credential> read_credential(const std::string& certificate_file,
                                   const std::string& key_file);

/// kInvalid if OpenSSL refuses it for this context (too weak, for example).
Result<void> use_credential(SSL_CTX& context, const Credential& credential);

}  // namespace gatehouse::net
