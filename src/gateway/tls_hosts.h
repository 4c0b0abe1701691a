// From the configuration's TLS settings to those that the network takes.
#pragma once

#include <string>
#include <vector>

#include "config/gateway_settings.h"
#include "net/tls.h"

namespace gatehouse::gateway {

/// Whether there is anything to serve TLS with.
bool has_certificate(const config::Tls& tls);

/// `names` as TlsHost has them; ALPN as configured, none if that is empty.
net::TlsHost to_tls_host(const config::Tls& tls, std::vector<std::string> names);

/// What an HTTP listener serves: each host that has a certificate of its own, and the listener's
/// own settings for all other names. ALPN is h2 and http/1.1 where the settings say nothing. Empty
/// if there is no certificate at all.
std::vector<net::TlsHost> tls_hosts_of(const config::Tls& listener,
                                       const std::vector<config::Host>& hosts);

}  // namespace gatehouse::gateway
