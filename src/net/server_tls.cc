#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "http/headers.h"
#include "net/client_hello.h"
#include "net/tls.h"
#include "net/tls_rules.h"
#include "net/tls_state.h"
#include "net/tls_stream.h"

namespace gatehouse::net {

namespace {

using Host = ServerTls::State::Host;

/// How long a client may resume: as long as its ticket's key is kept.
constexpr long kResumptionSeconds = std::chrono::seconds(2 * TicketKeys::kSealingTime).count();

int on_ticket(SSL* ssl, unsigned char* key_name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
              EVP_MAC_CTX* mac, int sealing) {
  const auto& state =
      *static_cast<const ServerTls::State*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const Ticket ticket{.key_name = key_name, .iv = iv, .cipher = cipher, .mac = mac};
  const MonotonicTime now = TlsStream::time_of(ssl);
  return sealing == 1 ? seal_ticket(state.ticket_keys, ticket, now)
                      : open_ticket(state.ticket_keys, ticket, now);
}

int on_alpn(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
            const unsigned char* offered, unsigned int offered_size, void* context) {
  const std::string& ours = static_cast<const Host*>(context)->alpn;
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

/// Lower case; "" if the client names none. A damaged extension is left to OpenSSL, which refuses
/// it.
std::string name_asked_for(SSL* ssl) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) != 1) return {};
  const auto name = name_in_extension({reinterpret_cast<const char*>(bytes), size});
  return name ? http::lower_case(*name) : std::string();
}

/// SSL_set_SSL_CTX() changes certificate, authorities, ciphers and callbacks; what SSL_new() copied
/// from the first host's context stays, and is set here.
bool change_to(SSL* ssl, const Host& host, std::size_t index) {
  if (SSL_set_SSL_CTX(ssl, host.context.get()) == nullptr) return false;
  SSL_set_verify(ssl, host.verify, nullptr);
  SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(host.context.get()));
  SSL_clear_options(ssl, SSL_OP_NO_TICKET);
  SSL_set_options(ssl, SSL_CTX_get_options(host.context.get()));
  const std::string id = session_id_context(index);
  return SSL_set_min_proto_version(ssl, host.min_version) == 1 &&
         SSL_set_max_proto_version(ssl, host.max_version) == 1 &&
         SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>(id.data()),
                                    static_cast<unsigned int>(id.size())) == 1 &&
         SSL_set1_groups(ssl, const_cast<int*>(host.groups.data()),
                         static_cast<long>(host.groups.size())) == 1;
}

/// Before anything of the message is acted upon, a ticket or a version included.
int on_client_hello(SSL* ssl, int* alert, void* context) {
  const auto& state = *static_cast<const ServerTls::State*>(context);
  std::string name = name_asked_for(ssl);
  const std::optional<std::size_t> index = state.names.find(name);
  TlsStream::of(ssl).set_server_name(std::move(name));
  if (!index) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
  }
  if (*index == 0 || change_to(ssl, state.hosts[*index], *index)) return SSL_CLIENT_HELLO_SUCCESS;
  *alert = SSL_AD_INTERNAL_ERROR;
  return SSL_CLIENT_HELLO_ERROR;
}

/// The name has been taken note of; that is said to the client (RFC 6066 §3).
int on_server_name(SSL* /*ssl*/, int* /*alert*/, void* /*context*/) {
  return SSL_TLSEXT_ERR_OK;
}

/// The names that a certificate is for. What is no host name is left out.
void add_names_of(const X509& certificate, std::size_t index, ServerNames& names) {
  auto* const found = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(found); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(found, i);
    if (name->type != GEN_DNS) continue;
    const ASN1_IA5STRING& text = *name->d.dNSName;
    // Another certificate for the same name has come first.
    static_cast<void>(names.add(
        {reinterpret_cast<const char*>(text.data), static_cast<std::size_t>(text.length)}, index));
  }
  GENERAL_NAMES_free(found);
}

class Loader {
 public:
  explicit Loader(ServerTls::State& state) : state_(state) {}

  Result<void> load(const ServerTlsOptions& options) {
    if (options.hosts.empty()) {
      return fail(ErrorCode::kInvalid, "TLS needs a certificate; none is configured");
    }
    // Callbacks keep the addresses.
    state_.hosts.reserve(options.hosts.size());
    for (const TlsHost& host : options.hosts) {
      Result<void> added = add(host);
      const std::string name = host.names.empty() ? "" : host.names.front();
      if (!added && !name.empty()) return std::unexpected(std::move(added).error().in(name));
      if (!added) return added;
    }
    return add_derived_names(options);
  }

 private:
  Result<void> add(const TlsHost& options) {
    const std::size_t index = state_.hosts.size();
    for (const std::string& name : options.names) {
      Result<void> added = state_.names.add(name, index);
      if (!added) return added;
    }
    Result<SslContextPtr> context = make_context(TLS_server_method());
    if (!context) return fail(std::move(context));
    state_.hosts.push_back({.context = *std::move(context)});
    Host& host = state_.hosts.back();
    Result<void> set = set_rules(host, options, index, state_.warnings);
    if (!set) return set;
    set_callbacks(host);
    return {};
  }

  void set_callbacks(Host& host) {
    SSL_CTX* const context = host.context.get();
    SSL_CTX_set_app_data(context, &state_);
    SSL_CTX_set_timeout(context, kResumptionSeconds);
    SSL_CTX_set_client_hello_cb(context, on_client_hello, &state_);
    SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
    if (!host.alpn.empty()) SSL_CTX_set_alpn_select_cb(context, on_alpn, &host);
  }

  /// After all that were given: those go first.
  Result<void> add_derived_names(const ServerTlsOptions& options) {
    for (std::size_t i = 0; i < options.hosts.size(); ++i) {
      if (!options.hosts[i].names.empty()) continue;
      add_names_of(*SSL_CTX_get0_certificate(state_.hosts[i].context.get()), i, state_.names);
      // Somebody may be for all others already.
      static_cast<void>(state_.names.add("*", i));
    }
    return {};
  }

  ServerTls::State& state_;
};

}  // namespace

Result<std::shared_ptr<const ServerTls>> ServerTls::load(const ServerTlsOptions& options) {
  auto state = std::make_unique<State>();
  state->bio_method = TlsStream::make_bio_method();
  Result<void> loaded = Loader(*state).load(options);
  if (!loaded) return fail(std::move(loaded));
  return std::shared_ptr<const ServerTls>(new ServerTls(std::move(state)));
}

ServerTls::ServerTls(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerTls::~ServerTls() = default;

const std::vector<std::string>& ServerTls::warnings() const {
  return state_->warnings;
}

std::optional<std::size_t> ServerTls::host_of(std::string_view server_name) const {
  return state_->names.find(http::lower_case(server_name));
}

}  // namespace gatehouse::net
