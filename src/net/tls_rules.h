// The rules of one TLS host, put into an OpenSSL context: certificate, versions, ciphers, curves,
// which clients are let in. For server_tls.cc.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "net/tls_state.h"

namespace gatehouse::net {

/// `host` has a context that is otherwise as make_context() gives it. Errors name the file or the
/// setting, and what is wrong.
Result<void> set_rules(ServerTls::State::Host& host, const TlsHost& options, std::size_t index,
                       std::vector<std::string>& warnings);

/// What a session of the host with that index is bound to (SSL_CTX_set_session_id_context(3)).
std::string session_id_context(std::size_t index);

}  // namespace gatehouse::net
