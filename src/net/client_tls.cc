#include <openssl/err.h>

#include <utility>

#include "net/tls.h"
#include "net/tls_state.h"
#include "net/tls_stream.h"

namespace gatehouse::net {

namespace {

Result<void> trust(SSL_CTX& context, const ClientTlsOptions& options) {
  const Pem pem{.file = options.ca_file, .text = options.ca_pem, .what = "ca_pem"};
  if (pem.empty()) {
    if (SSL_CTX_set_default_verify_paths(&context) == 1) return {};
    return fail(ErrorCode::kInternal, "the system's certificates: " + last_openssl_error());
  }
  const Result<std::vector<CertificatePtr>> authorities = read_certificates(pem);
  if (!authorities) return std::unexpected(authorities.error());
  return trust_all(context, *authorities);
}

Result<void> present(SSL_CTX& context, const ClientTlsOptions& options) {
  const Pem certificate{.file = options.client_certificate_file,
                        .text = options.client_certificate_pem,
                        .what = "certificate_pem"};
  const Pem key{
      .file = options.client_key_file, .text = options.client_key_pem.reveal(), .what = "key_pem"};
  if (certificate.empty() != key.empty()) {
    return fail(ErrorCode::kInvalid, "a client certificate needs both its file and its key's");
  }
  if (certificate.empty()) return {};
  const Result<Credential> credential = read_credential(certificate, key);
  if (!credential) return std::unexpected(credential.error());
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
  Result<void> trusted = trust(*state->context, options);
  if (!trusted) return fail(std::move(trusted));
  Result<void> presented = present(*state->context, options);
  if (!presented) return fail(std::move(presented));
  return std::shared_ptr<const ClientTls>(new ClientTls(std::move(state)));
}

ClientTls::ClientTls(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClientTls::~ClientTls() = default;

}  // namespace gatehouse::net
