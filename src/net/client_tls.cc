#include <openssl/err.h>

#include <utility>

#include "net/tls.h"
#include "net/tls_state.h"
#include "net/tls_stream.h"

namespace gatehouse::net {

namespace {

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
  Result<void> trusted = trust(*state->context, options.ca_file);
  if (!trusted) return fail(std::move(trusted));
  Result<void> presented = present(*state->context, options);
  if (!presented) return fail(std::move(presented));
  return std::shared_ptr<const ClientTls>(new ClientTls(std::move(state)));
}

ClientTls::ClientTls(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClientTls::~ClientTls() = default;

}  // namespace gatehouse::net
