// Certificates, private keys and revocation lists in PEM, from files or as text; errors name the
// file and what is wrong with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/openssl.h"

namespace gatehouse::net {

/// Where some PEM is: in a file, or here. One of both at most. Refers to what it was made from.
struct Pem {
  std::string_view file;
  std::string_view text;
  std::string_view what;  // for errors about text, as "client_ca_pem"

  bool empty() const { return file.empty() && text.empty(); }
  /// The file's name, or what the text is.
  std::string name() const { return std::string(file.empty() ? what : file); }
};

/// A certificate, those that it was issued by (without the root, as a server sends them), its key.
struct Credential {
  CertificatePtr certificate;
  std::vector<CertificatePtr> chain;
  KeyPtr key;
  std::string name;  // of the certificate, for people: the file
};

Result<Credential> read_credential(const Pem& certificate, const Pem& key);
/// One at least.
Result<std::vector<CertificatePtr>> read_certificates(const Pem& pem);
/// One at least.
Result<std::vector<RevocationListPtr>> read_revocation_lists(const Pem& pem);

/// kInvalid if OpenSSL refuses it for this context (too weak, for example).
Result<void> use_credential(SSL_CTX& context, const Credential& credential);

}  // namespace gatehouse::net
