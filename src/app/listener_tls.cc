#include "app/listener_tls.h"

#include <utility>

namespace gatehouse::app {

Result<std::shared_ptr<const net::ServerTls>> load_listener_tls(
    const config::Tls& own, const std::vector<config::Host>& hosts) {
  if (!has_certificate(own)) return nullptr;
  net::ServerTlsOptions options{.hosts = gateway::tls_hosts_of(own, hosts)};
  return net::ServerTls::load(options);
}

}  // namespace gatehouse::app
