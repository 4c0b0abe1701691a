// The TLS settings of a listener: its own certificate, and those of the Hosts, chosen by SNI.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/tls_hosts.h"
#include "net/tls.h"

namespace gatehouse::app {

using gateway::has_certificate;

/// Null for a listener without a certificate, which is plain. Reads the files.
Result<std::shared_ptr<const net::ServerTls>> load_listener_tls(
    const config::Tls& own, const std::vector<config::Host>& hosts);

/// A fresh certificate that nobody vouches for, and its key, as PEM: for listeners that have no
/// other. Made once a process, so that a client that accepts it need not do so again after a
/// reload.
Result<config::Tls> make_self_signed_tls();

}  // namespace gatehouse::app
