#include "app/listener_tls.h"

#include <algorithm>
#include <string>
#include <utility>

namespace gatehouse::app {
namespace {

net::TlsHost tls_host(const config::Tls& tls, std::vector<std::string> names) {
  net::TlsHost out;
  out.names = std::move(names);
  out.certificate_file = tls.certificate;
  out.key_file = tls.key;
  out.certificate_pem = tls.certificate_pem;
  out.key_pem = tls.key_pem;
  out.client_ca_file = tls.client_ca;
  out.client_ca_pem = tls.client_ca_pem;
  out.client_required = tls.client_required;
  out.crl_file = tls.crl;
  out.crl_pem = tls.crl_pem;
  out.min_version = tls.min_version;
  out.max_version = tls.max_version;
  out.ciphers = tls.ciphers;
  out.curves = tls.curves;
  if (!tls.alpn.empty()) out.alpn = tls.alpn;
  return out;
}

}  // namespace

bool has_certificate(const config::Tls& tls) {
  return !tls.certificate.empty() || !tls.certificate_pem.empty();
}

Result<std::shared_ptr<const net::ServerTls>> load_listener_tls(
    const config::Tls& own, const std::vector<config::Host>& hosts) {
  if (!has_certificate(own)) return nullptr;
  net::ServerTlsOptions options;
  bool any = false;
  for (const config::Host& host : hosts) {
    if (!has_certificate(host.tls)) continue;
    options.hosts.push_back(tls_host(host.tls, {host.hostname}));
    any |= host.hostname == "*" || host.hostname.empty();
  }
  // The Host for all other names stands in the place of the listener's own.
  if (!any) options.hosts.push_back(tls_host(own, {"*"}));
  return net::ServerTls::load(options);
}

}  // namespace gatehouse::app
