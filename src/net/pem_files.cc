#include "net/pem_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace gatehouse::net {

namespace {

/// A server has nobody to ask for the pass phrase of a key.
int no_pass_phrase(char* /*out*/, int /*size*/, int /*writing*/, void* /*context*/) {
  return -1;
}

std::unexpected<Error> bad_file(ErrorCode code, const std::string& file, std::string_view what) {
  return fail(code, file + ": " + std::string(what));
}

Result<BioPtr> open_file(const std::string& file) {
  BioPtr bio(BIO_new_file(file.c_str(), "r"));
  const int error = errno;
  if (bio) return bio;
  ERR_clear_error();
  const ErrorCode code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  return bad_file(code, file, std::string("cannot be read: ") + std::strerror(error));
}

Result<std::vector<CertificatePtr>> read_certificates(const std::string& file) {
  Result<BioPtr> bio = open_file(file);
  if (!bio) return fail(std::move(bio));
  std::vector<CertificatePtr> found;
  while (X509* const next = PEM_read_bio_X509(bio->get(), nullptr, no_pass_phrase, nullptr)) {
    found.emplace_back(next);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return bad_file(ErrorCode::kInvalid, file, "a certificate in it is damaged");
  if (found.empty()) return bad_file(ErrorCode::kInvalid, file, "holds no certificate in PEM");
  return found;
}

Result<KeyPtr> read_key(const std::string& file) {
  Result<BioPtr> bio = open_file(file);
  if (!bio) return fail(std::move(bio));
  KeyPtr key(PEM_read_bio_PrivateKey(bio->get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  if (key) return key;
  return bad_file(ErrorCode::kInvalid, file, "holds no private key in PEM without a pass phrase");
}

}  // namespace

Result<Credential> read_credential(const std::string& certificate_file,
                                   const std::string& key_file) {
  Result<std::vector<CertificatePtr>> certificates = read_certificates(certificate_file);
  if (!certificates) return fail(std::move(certificates));
  Result<KeyPtr> key = read_key(key_file);
  if (!key) return fail(std::move(key));
  Credential credential{.key = *std::move(key), .file = certificate_file};
  credential.certificate = std::move(certificates->front());
  certificates->erase(certificates->begin());
  credential.chain = *std::move(certificates);
  if (X509_check_private_key(credential.certificate.get(), credential.key.get()) != 1) {
    ERR_clear_error();
    return bad_file(ErrorCode::kInvalid, key_file,
                    "does not belong to the first certificate of " + certificate_file);
  }
  return credential;
}

Result<void> use_credential(SSL_CTX& context, const Credential& credential) {
  bool used = SSL_CTX_use_certificate(&context, credential.certificate.get()) == 1 &&
              SSL_CTX_use_PrivateKey(&context, credential.key.get()) == 1;
  for (const CertificatePtr& issuer : credential.chain) {
    used = used && SSL_CTX_add1_chain_cert(&context, issuer.get()) == 1;
  }
  if (used) return {};
  return bad_file(ErrorCode::kInvalid, credential.file, last_openssl_error());
}

}  // namespace gatehouse::net
