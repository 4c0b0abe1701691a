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

std::unexpected<Error> bad(ErrorCode code, const Pem& pem, std::string_view what) {
  return fail(code, pem.name() + ": " + std::string(what));
}

Result<BioPtr> open_file(const Pem& pem) {
  BioPtr bio(BIO_new_file(std::string(pem.file).c_str(), "r"));
  const int error = errno;
  if (bio) return bio;
  ERR_clear_error();
  const ErrorCode code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  return bad(code, pem, std::string("cannot be read: ") + std::strerror(error));
}

Result<BioPtr> open(const Pem& pem) {
  if (!pem.file.empty() && !pem.text.empty()) {
    return bad(ErrorCode::kInvalid, pem,
               "given beside " + std::string(pem.what) + "; leave out one of both");
  }
  if (!pem.file.empty()) return open_file(pem);
  return BioPtr(BIO_new_mem_buf(pem.text.data(), static_cast<int>(pem.text.size())));
}

/// All objects of one kind; what lies between them is skipped. `thing` is "certificate".
template <class Ptr, class Read>
Result<std::vector<Ptr>> read_all_of(const Pem& pem, Read read, const std::string& thing) {
  Result<BioPtr> bio = open(pem);
  if (!bio) return fail(std::move(bio));
  std::vector<Ptr> found;
  while (auto* const next = read(bio->get(), nullptr, no_pass_phrase, nullptr)) {
    found.emplace_back(next);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return bad(ErrorCode::kInvalid, pem, "a " + thing + " in it is damaged");
  if (found.empty()) return bad(ErrorCode::kInvalid, pem, "holds no " + thing + " in PEM");
  return found;
}

Result<KeyPtr> read_key(const Pem& pem) {
  Result<BioPtr> bio = open(pem);
  if (!bio) return fail(std::move(bio));
  KeyPtr key(PEM_read_bio_PrivateKey(bio->get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  if (key) return key;
  return bad(ErrorCode::kInvalid, pem, "holds no private key in PEM without a pass phrase");
}

}  // namespace

Result<std::vector<CertificatePtr>> read_certificates(const Pem& pem) {
  return read_all_of<CertificatePtr>(pem, PEM_read_bio_X509, "certificate");
}

Result<std::vector<RevocationListPtr>> read_revocation_lists(const Pem& pem) {
  return read_all_of<RevocationListPtr>(pem, PEM_read_bio_X509_CRL, "revocation list");
}

Result<Credential> read_credential(const Pem& certificate, const Pem& key_pem) {
  Result<std::vector<CertificatePtr>> certificates = read_certificates(certificate);
  if (!certificates) return fail(std::move(certificates));
  Result<KeyPtr> key = read_key(key_pem);
  if (!key) return fail(std::move(key));
  Credential credential{.key = *std::move(key), .name = certificate.name()};
  credential.certificate = std::move(certificates->front());
  certificates->erase(certificates->begin());
  credential.chain = *std::move(certificates);
  if (X509_check_private_key(credential.certificate.get(), credential.key.get()) != 1) {
    ERR_clear_error();
    return bad(ErrorCode::kInvalid, key_pem,
               "does not belong to the first certificate of " + certificate.name());
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
  return fail(ErrorCode::kInvalid, credential.name + ": " + last_openssl_error());
}

}  // namespace gatehouse::net
