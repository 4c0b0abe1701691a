#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <utility>

#include "net/tls.h"
#include "net/tls_state.h"
#include "net/tls_stream.h"

namespace gatehouse::net {

namespace {

/// How long a client may resume: as long as its ticket's key is kept.
constexpr long kResumptionSeconds = std::chrono::seconds(2 * TicketKeys::kSealingTime).count();

ServerTls::State& state_of(SSL* ssl) {
  return *static_cast<ServerTls::State*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

int on_ticket(SSL* ssl, unsigned char* key_name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
              EVP_MAC_CTX* mac, int sealing) {
  const Ticket ticket{.key_name = key_name, .iv = iv, .cipher = cipher, .mac = mac};
  TicketKeys& keys = state_of(ssl).ticket_keys;
  const MonotonicTime now = TlsStream::time_of(ssl);
  return sealing == 1 ? seal_ticket(keys, ticket, now) : open_ticket(keys, ticket, now);
}

int on_alpn(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
            const unsigned char* offered, unsigned int offered_size, void* context) {
  const std::string& ours = static_cast<const ServerTls::State*>(context)->alpn;
  unsigned char* chosen = nullptr;
  const int outcome =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned int>(ours.size()), offered, offered_size);
  // A client that speaks nothing we do is told so, rather than served a protocol that it did not
  // ask for (RFC 7301 §3.2).
  if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

const Credential& choose(const ServerTls::State& state, const char* name) {
  for (const Credential& credential : state.credentials) {
    if (name == nullptr) break;
    if (X509_check_host(credential.certificate.get(), name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                        nullptr) == 1)
      return credential;
  }
  return state.credentials.front();
}

/// The context has the first certificate; another is set for this connection alone.
int on_certificate(SSL* ssl, void* context) {
  const ServerTls::State& state = *static_cast<const ServerTls::State*>(context);
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const Credential& chosen = choose(state, name);
  if (&chosen == &state.credentials.front()) return 1;
  SSL_certs_clear(ssl);
  if (SSL_use_certificate(ssl, chosen.certificate.get()) != 1) return 0;
  if (SSL_use_PrivateKey(ssl, chosen.key.get()) != 1) return 0;
  for (const CertificatePtr& issuer : chosen.chain) {
    if (SSL_add1_chain_cert(ssl, issuer.get()) != 1) return 0;
  }
  return 1;
}

Result<void> read_credentials(const ServerTlsOptions& options, ServerTls::State& state) {
  if (options.certificates.empty()) {
    return fail(ErrorCode::kInvalid, "TLS needs a certificate; none is configured");
  }
  for (const auto& files : options.certificates) {
    Result<Credential> credential = read_credential(files.certificate_file, files.key_file);
    if (!credential) return fail(std::move(credential));
    if (X509_cmp_current_time(X509_get0_notAfter(credential->certificate.get())) < 0) {
      state.warnings.push_back(files.certificate_file + ": the certificate has expired");
    }
    state.credentials.push_back(*std::move(credential));
  }
  return {};
}

void set_callbacks(ServerTls::State& state) {
  SSL_CTX* const context = state.context.get();
  SSL_CTX_set_app_data(context, &state);
  SSL_CTX_set_cert_cb(context, on_certificate, &state);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
  if (!state.alpn.empty()) SSL_CTX_set_alpn_select_cb(context, on_alpn, &state);
}

Result<void> check_each(const ServerTls::State& state) {
  for (const Credential& credential : state.credentials) {
    const Result<SslContextPtr> context = make_context(TLS_server_method());
    if (!context) return std::unexpected(context.error());
    Result<void> used = use_credential(**context, credential);
    if (!used) return used;
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const ServerTls>> ServerTls::load(const ServerTlsOptions& options) {
  auto state = std::make_unique<State>();
  Result<void> read = read_credentials(options, *state);
  if (!read) return fail(std::move(read));
  Result<void> sound = check_each(*state);
  if (!sound) return fail(std::move(sound));
  Result<SslContextPtr> context = make_context(TLS_server_method());
  if (!context) return fail(std::move(context));
  state->context = *std::move(context);
  state->bio_method = TlsStream::make_bio_method();
  state->alpn = alpn_on_the_wire(options.alpn);
  Result<void> used = use_credential(*state->context, state->credentials.front());
  if (!used) return fail(std::move(used));
  if (!options.allow_tls12) SSL_CTX_set_min_proto_version(state->context.get(), TLS1_3_VERSION);
  // Tickets hold all of a session; one is enough, and the server keeps none.
  SSL_CTX_set_session_cache_mode(state->context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(state->context.get(), 1);
  SSL_CTX_set_timeout(state->context.get(), kResumptionSeconds);
  set_callbacks(*state);
  return std::shared_ptr<const ServerTls>(new ServerTls(std::move(state)));
}

ServerTls::ServerTls(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerTls::~ServerTls() = default;

const std::vector<std::string>& ServerTls::warnings() const {
  return state_->warnings;
}

}  // namespace gatehouse::net
