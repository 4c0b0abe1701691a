#include <openssl/err.h>
#include <openssl/pem.h>

#include <string_view>
#include <utility>
#include <vector>

#include "net/tls.h"
#include "net/tls_state.h"
#include "net/tls_stream.h"

namespace gatehouse::net {

namespace {

BioPtr text_bio(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// A key in settings has nobody to ask for its pass phrase.
int no_pass_phrase(char* /*out*/, int /*size*/, int /*writing*/, void* /*context*/) {
  return -1;
}

Result<std::vector<CertificatePtr>> read_certificates(std::string_view pem, std::string_view what) {
  const BioPtr bio = text_bio(pem);
  std::vector<CertificatePtr> found;
  while (X509* const next = PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr)) {
    found.emplace_back(next);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (at_end && !found.empty()) return found;
  return fail(ErrorCode::kInvalid, std::string(what) + (at_end ? ": the text holds no certificate"
                                                               : ": a certificate is damaged"));
}

Result<void> trust_text(SSL_CTX& context, std::string_view pem) {
  Result<std::vector<CertificatePtr>> trusted = read_certificates(pem, "the CA certificates");
  if (!trusted) return fail(std::move(trusted));
  for (const CertificatePtr& certificate : *trusted) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(&context), certificate.get()) != 1) {
      return fail(ErrorCode::kInvalid, "the CA certificates: " + last_openssl_error());
    }
  }
  return {};
}

Result<Credential> read_credential_text(const ClientTlsOptions& options) {
  Result<std::vector<CertificatePtr>> chain =
      read_certificates(options.client_certificate_pem, "the client certificate");
  if (!chain) return fail(std::move(chain));
  const BioPtr bio = text_bio(options.client_key_pem.reveal());
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  const bool fits = key && X509_check_private_key(chain->front().get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) return fail(ErrorCode::kInvalid, "the client certificate's key is not its own");
  Credential credential{.key = std::move(key), .file = "the client certificate"};
  credential.certificate = std::move(chain->front());
  chain->erase(chain->begin());
  credential.chain = *std::move(chain);
  return credential;
}

Result<void> trust(SSL_CTX& context, const std::string& ca_file) {
  if (ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(&context) == 1) return {};
    return fail(ErrorCode::kInternal, "the system's certificates: " + last_openssl_error());
  }
  if (SSL_CTX_load_verify_file(&context, ca_file.c_str()) == 1) return {};
  return fail(ErrorCode::kInvalid,
              ca_file + ": no certificates to trust can be read from it: " + last_openssl_error());
}

Result<void> present(SSL_CTX& context, const ClientTlsOptions& options) {
  if (!options.client_certificate_pem.empty()) {
    Result<Credential> credential = read_credential_text(options);
    if (!credential) return fail(std::move(credential));
    return use_credential(context, *credential);
  }
  const bool certificate = !options.client_certificate_file.empty();
  if (certificate != !options.client_key_file.empty()) {
    return fail(ErrorCode::kInvalid, "a client certificate needs both its file and its key's");
  }
  if (!certificate) return {};
  Result<Credential> credential =
      read_credential(options.client_certificate_file, options.client_key_file);
  if (!credential) return fail(std::move(credential));
  return use_credential(context, *credential);
}

}  // namespace

Result<std::shared_ptr<const ClientTls>> ClientTls::load(const ClientTlsOptions& options) {
  auto state = std::make_unique<State>();
  Result<SslContextPtr> context = make_context(TLS_client_method());
  if (!context) return fail(std::move(context));
  state->context = *std::move(context);
  state->bio_method = TlsStream::make_bio_method();
  SSL_CTX_set_verify(state->context.get(), SSL_VERIFY_PEER, nullptr);
  Result<void> trusted = options.ca_pem.empty() ? trust(*state->context, options.ca_file)
                                                : trust_text(*state->context, options.ca_pem);
  if (!trusted) return fail(std::move(trusted));
  Result<void> presented = present(*state->context, options);
  if (!presented) return fail(std::move(presented));
  return std::shared_ptr<const ClientTls>(new ClientTls(std::move(state)));
}

ClientTls::ClientTls(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClientTls::~ClientTls() = default;

}  // namespace gatehouse::net
