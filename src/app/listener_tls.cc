#include "app/listener_tls.h"

#include <utility>

namespace gatehouse::app {
namespace {

/// What people read who look at the certificate. No host has the name (RFC 6761 §6.4): the
/// certificate vouches for none.
constexpr const char* kNobodysName = "self-signed.gatehouse.invalid";

}  // namespace

Result<std::shared_ptr<const net::ServerTls>> load_listener_tls(
    const config::Tls& own, const std::vector<config::Host>& hosts) {
  if (!has_certificate(own)) return nullptr;
  net::ServerTlsOptions options{.hosts = gateway::tls_hosts_of(own, hosts)};
  return net::ServerTls::load(options);
}

Result<config::Tls> make_self_signed_tls() {
  Result<net::SelfSigned> made = net::make_self_signed({kNobodysName});
  if (!made) return fail(std::move(made));
  config::Tls tls;
  tls.certificate_pem = std::move(made->certificate_pem);
  tls.key_pem = std::move(made->key_pem);
  return tls;
}

}  // namespace gatehouse::app
