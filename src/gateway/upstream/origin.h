// A service's settings, checked, as the network parts take them.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "http/url.h"
#include "net/http_client.h"
#include "net/tcp.h"

namespace gatehouse::gateway::upstream {

/// The origin that `settings.service` names; kInvalid says which setting cannot be and why.
Result<http::Url> check(const config::Upstream& settings);

/// Without a client certificate if there is none, with the system's CAs if there are none.
Result<std::shared_ptr<const net::ClientTls>> load_tls(const config::UpstreamTls& settings);

/// Of an HTTP client of checked settings, whose connections are limited by `counts` alone. `tls` is
/// null for http.
net::ClientOptions client_options(const config::Upstream& settings,
                                  std::shared_ptr<const net::ClientTls> tls,
                                  std::shared_ptr<net::ConnectionCounts> counts);

/// Of a TCP connection; `url` is what check() gave.
net::ConnectOptions connect_options(const config::Upstream& settings, const http::Url& url,
                                    std::shared_ptr<const net::ClientTls> tls);

}  // namespace gatehouse::gateway::upstream
