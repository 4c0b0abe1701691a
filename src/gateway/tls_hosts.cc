#include "gateway/tls_hosts.h"

#include <algorithm>
#include <utility>

namespace gatehouse::gateway {

namespace {

net::TlsHost for_http(const config::Tls& tls, std::string name) {
  net::TlsHost host = to_tls_host(tls, {std::move(name)});
  if (host.alpn.empty()) host.alpn = {"h2", "http/1.1"};
  return host;
}

}  // namespace

bool has_certificate(const config::Tls& tls) {
  return !tls.certificate.empty() || !tls.certificate_pem.empty();
}

net::TlsHost to_tls_host(const config::Tls& tls, std::vector<std::string> names) {
  net::TlsHost host;
  host.names = std::move(names);
  host.certificate_file = tls.certificate;
  host.key_file = tls.key;
  host.certificate_pem = tls.certificate_pem;
  host.key_pem = tls.key_pem;
  host.client_ca_file = tls.client_ca;
  host.client_ca_pem = tls.client_ca_pem;
  host.client_required = tls.client_required;
  host.crl_file = tls.crl;
  host.crl_pem = tls.crl_pem;
  host.min_version = tls.min_version;
  host.max_version = tls.max_version;
  host.ciphers = tls.ciphers;
  host.curves = tls.curves;
  host.alpn = tls.alpn;
  return host;
}

std::vector<net::TlsHost> tls_hosts_of(const config::Tls& listener,
                                       const std::vector<config::Host>& hosts) {
  std::vector<net::TlsHost> out;
  bool all_others = false;
  for (const config::Host& host : hosts) {
    if (!has_certificate(host.tls)) continue;
    all_others = all_others || host.hostname == "*" || host.hostname.empty();
    out.push_back(for_http(host.tls, host.hostname));
  }
  if (has_certificate(listener) && !all_others) out.push_back(for_http(listener, "*"));
  return out;
}

}  // namespace gatehouse::gateway
